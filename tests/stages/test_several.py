"""Several of something in one reply, each in a record of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from augment_correction.declarations import CheckSpec, SeveralStage
from augment_correction.errors import Reject
from augment_correction.stages.base import Stage
from tests.stages.making import Says, build, record, tools


def several(tmp_path: Path, **more: Any) -> Stage:
    keys: dict[str, Any] = {"fields": ("wording",), "count": 3, **more}
    return build(tmp_path, SeveralStage(name="wordings", model="large", prompt="question", **keys))


def reply(*wordings: Any) -> str:
    return orjson.dumps({"items": [{"wording": each} for each in wordings]}).decode()


async def test_each_goes_on_in_a_record_of_its_own(tmp_path: Path) -> None:
    used = tools(Says(reply("How many arches?", "Tell me its arches.")))
    made = await several(tmp_path)(record(kept="before"), used)
    assert [each.fields["wording"] for each in made] == ["How many arches?", "Tell me its arches."]
    assert all(each.fields["kept"] == "before" for each in made)
    assert used.trace[0].parsed == {"items": [{"wording": "How many arches?"}, {"wording": "Tell me its arches."}]}


async def test_what_is_there_already_goes_along_and_is_not_said_twice(tmp_path: Path) -> None:
    stage = several(tmp_path, also={"wording": "question"})
    used = tools(Says(reply("how many arches", "Tell me its arches.", "Tell me its arches!")))
    made = await stage(record(question="How many arches?"), used)
    assert [each.fields["wording"] for each in made] == ["How many arches?", "Tell me its arches."]


async def test_more_than_asked_for_are_left(tmp_path: Path) -> None:
    made = await several(tmp_path, count=2)(record(), tools(Says(reply("a b", "c d", "e f"))))
    assert len(made) == 2


async def test_one_that_fails_a_check_is_left_out(tmp_path: Path) -> None:
    checks = (CheckSpec(check="length", fields=("wording",), words=(2, 9)),)
    made = await several(tmp_path, checks=checks)(record(), tools(Says(reply("Arches?", "How many arches?"))))
    assert [each.fields["wording"] for each in made] == ["How many arches?"]


class TestAskingAgain:
    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ("none", "holds no JSON object"),
            ('{"wording": "a"}', "no list under items"),
            ('{"items": [{"other": "a"}, 7, {"wording": ""}]}', "no entry of items has a text under wording"),
            (reply("Arches?"), "has 1 word"),
        ],
    )
    async def test_the_model_is_told_what_was_wrong(self, tmp_path: Path, said: str, told: str) -> None:
        checks = (CheckSpec(check="length", fields=("wording",), words=(2, 9)),)
        model = Says(said, reply("How many arches?"))
        assert len(await several(tmp_path, checks=checks)(record(), tools(model))) == 1
        assert told in "\n".join(model.heard[1:])

    async def test_a_model_that_never_gives_one_is_a_reject(self, tmp_path: Path) -> None:
        with pytest.raises(Reject) as refused:
            await several(tmp_path, reasks=1)(record(), tools(Says("none", "none")))
        assert refused.value.reason == "invalid_json"


async def test_several_fields_of_each(tmp_path: Path) -> None:
    stage = several(tmp_path, fields=("wording", "expected"))
    said = '{"items": [{"wording": "Whose is it?", "expected": "Ida"}, {"wording": "no answer"}]}'
    made = await stage(record(), tools(Says(said)))
    assert [(each.fields["wording"], each.fields["expected"]) for each in made] == [("Whose is it?", "Ida")]


def test_what_goes_along_must_have_every_field() -> None:
    with pytest.raises(ValueError, match="'also' must name wording, expected"):
        SeveralStage(
            name="a", model="large", prompt="p", fields=("wording", "expected"), count=1, also={"wording": "q"}
        )
