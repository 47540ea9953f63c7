"""A verdict keeps the record or rejects it, and its reason is kept either way."""

from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.errors import Reject
from augment_correction.parsing import read_verdict
from augment_correction.project import bundled
from augment_correction.prompts import load_prompt
from tests.stages.making import Says, build, judge, record, tools


async def test_a_suitable_record_goes_on_with_the_reason(tmp_path: Path) -> None:
    model = Says("Reason: It states facts.\nVerdict: suitable")
    (made,) = await build(tmp_path, judge())(record(), tools(model))
    assert made.fields == {**record().fields, "judgement_reason": "It states facts."}


@pytest.mark.parametrize(
    "reply",
    [
        "Reason: It is an index.\nVerdict: unsuitable",
        "Reason: It is an index.\nVerdict: not suitable",
        '{"reason": "It is an index.", "verdict": "unsuitable"}',
        "<think>Verdict: suitable</think>Reason: It is an index.\nVerdict: unsuitable",
    ],
)
async def test_an_unsuitable_one_is_rejected_with_it(tmp_path: Path, reply: str) -> None:
    with pytest.raises(Reject) as raised:
        await build(tmp_path, judge())(record(), tools(Says(reply)))
    assert (raised.value.reason, raised.value.detail) == ("unsuitable", "It is an index.")


async def test_the_words_are_the_pipelines(tmp_path: Path) -> None:
    stage = build(tmp_path, judge(keep="good", drop="bad"))
    (made,) = await stage(record(), tools(Says("Verdict: good")))
    assert made.id == "id"
    with pytest.raises(Reject) as raised:
        await stage(record(), tools(Says("Verdict: bad")))
    assert raised.value.reason == "bad"


async def test_a_reply_without_a_verdict_is_asked_for_again_once(tmp_path: Path) -> None:
    model = Says("Well, who knows.", "Verdict: suitable")
    used = tools(model)
    await build(tmp_path, judge())(record(), used)
    assert len(model.asked) == 2
    assert [(step.reason, bool(step.parsed)) for step in used.trace] == [("unclear_verdict", False), ("", True)]


async def test_two_of_them_are_a_rejection_for_another_reason_than_a_verdict(tmp_path: Path) -> None:
    with pytest.raises(Reject) as raised:
        await build(tmp_path, judge())(record(), tools(Says("Hm.", "Hm.")))
    assert raised.value.reason == "unclear_verdict"


async def test_json_verdicts_ask_for_the_two_words_only(tmp_path: Path) -> None:
    model = Says('{"reason": "Facts.", "verdict": "suitable"}')
    await build(tmp_path, judge(reply="json"))(record(), tools(model))
    (request,) = model.asked
    assert request.form == "json"
    assert request.schema is not None
    assert request.schema["properties"]["verdict"]["enum"] == ["suitable", "unsuitable"]


def test_the_examples_of_the_last_reader_keep_its_own_rules() -> None:
    prompt = load_prompt(bundled() / "prompts/checks/reading.jinja")
    _, *shown, _ = prompt.render(dict.fromkeys(prompt.variables | prompt.optional, "x"))
    verdicts = {}
    for asked, answered in zip(shown[::2], shown[1::2], strict=True):
        kept, reason = read_verdict(answered.content, "keep", "clumsy")
        verdicts[kept] = reason
        if not kept:  # it quotes the words of the last message
            assert reason.split('"')[1] in asked.content.rpartition("Assistant")[2]
    assert verdicts.keys() == {True, False}


def test_the_last_reader_sees_what_each_kind_has() -> None:
    prompt = load_prompt(bundled() / "prompts/checks/reading.jinja")
    common = {"initial_question": "Who?", "correct_answer": "Ida."}
    corrected = {**common, "flawed_answer": "Otto.", "followup_confirmation": "Sure?"}
    standing = {**common, "followup_confirmation": "Sure?", "standing_answer": "It was Ida."}
    noticed = {**common, "flawed_answer": "Otto."}
    assert [prompt.render(fields)[-1].content for fields in (corrected, standing, noticed)] == [
        "User: Who?\nAssistant (meant to be wrong): Otto.\nUser: Sure?\nAssistant: Ida.",
        "User: Who?\nAssistant: Ida.\nUser: Sure?\nAssistant: It was Ida.",
        "User: Who?\nAssistant, in one message: (meant to be wrong: Otto.) Ida.",
    ]
