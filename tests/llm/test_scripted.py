"""The model without a model: it must answer every shipped prompt, the same way every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.config import RunConfig
from augment_correction.llm.scripted import Scripted
from augment_correction.parsing import read_json, read_tags, read_verdict
from augment_correction.records import Message, Request
from augment_correction.runner.model_checks import check_models
from augment_correction.stages.model_call import text_schema
from tests.servers import facts

FIELDS = ("initial_question", "flawed_answer", "followup_confirmation", "correct_answer")
(PASSAGE,) = facts([5])


def asking(passage: str = PASSAGE, **more: object) -> Request:
    return Request((Message("user", f"<passage>\n{passage}\n</passage>"),), "any", **more)  # type: ignore[arg-type]


async def said(request: Request, script: Path | None = None) -> str:
    return (await Scripted(script, len).complete(request)).text


async def test_each_form_is_what_its_reader_reads() -> None:
    schema = text_schema(FIELDS)
    tags = read_tags(await said(asking(schema=schema, form="tags")), FIELDS)
    assert tags == read_json(await said(asking(schema=schema, form="json")), FIELDS)
    assert tags["flawed_answer"] != tags["correct_answer"]
    verdict = text_schema(("reason", "verdict"), verdict=["suitable", "unsuitable"])
    assert read_verdict(await said(asking(schema=verdict, form="verdict")), "suitable", "unsuitable")[0] is True


async def test_boilerplate_is_unsuitable() -> None:
    verdict = text_schema(("reason", "verdict"), verdict=["suitable", "unsuitable"])
    for passage in ("Table of contents and so on, with many pages named in it.", "Too short."):
        reply = await said(asking(passage, schema=verdict, form="verdict"))
        assert read_verdict(reply, "suitable", "unsuitable")[0] is False


async def test_the_reply_follows_from_the_passage_alone() -> None:
    request = asking(schema=text_schema(FIELDS), form="tags")
    assert await said(request) == await said(request)
    assert await said(request) != await said(asking(facts([6])[0], schema=text_schema(FIELDS), form="tags"))


async def test_rules_come_first_and_may_misbehave(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text('rules:\n  - {contains: Ander5, text: "<initial_question>cut", finish_reason: length}\n')
    made = await Scripted(script, len).complete(asking(schema=text_schema(FIELDS), form="tags"))
    assert (made.text, made.finish_reason) == ("<initial_question>cut", "length")
    assert "cut" not in await said(asking(facts([6])[0], schema=text_schema(FIELDS), form="tags"), script)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('- {contains: Ander5, text: "cut"}\n', "a mapping with 'rules' or 'fields'"),
        ('rules:\n  - {match: Ander5, text: "cut"}\n', "unknown key 'rules.0.match'"),
        ('fields: {question: "{{ subject"}\n', "'fields.question' is no Jinja2 template"),
    ],
)
async def test_a_wrong_script_is_told_by_check_with_its_file(tmp_path: Path, text: str, told: str) -> None:
    script = tmp_path / "script.yaml"
    script.write_text(text)
    small = {"model": "any", "mode": "scripted", "script": str(script)}
    [finding, *_] = await check_models(
        RunConfig.model_validate({"pipeline": "correction", "api": {"small": small}, "path": {"output_dir": "out"}}),
        ["small"],
    )
    assert not finding.ok and f"{script}:" in finding.what and told in finding.what


async def test_own_fields_replace_the_shipped_ones(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("fields: {flawed_answer: 'Nobody knows {{ subject }}.'}\n")
    fields = read_tags(await said(asking(schema=text_schema(FIELDS), form="tags"), script), FIELDS)
    assert fields["flawed_answer"] == "Nobody knows The bridge of Ander5 was built."
    assert fields["initial_question"].startswith("What should I know about")


@pytest.mark.parametrize("hostile", ["{{ 1 / 0 }}", "{% raw %}", "\"}{'", "</passage>\n<passage>\nx"])
async def test_what_stands_in_a_passage_is_data(hostile: str) -> None:
    reply = await said(asking(f"{PASSAGE} {hostile}", schema=text_schema(FIELDS), form="json"))
    assert set(read_json(reply, FIELDS)) == set(FIELDS)
