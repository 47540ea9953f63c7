"""The judge's quotes are looked up: what it claims and cannot show counts for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from augment_correction.declarations import GroundStage
from augment_correction.errors import Reject
from tests.stages.making import Says, build, record, tools

FIELDS = {
    "passage": "The bridge has nine arches. It was built by Ida Brandt.",
    "asked": "How many arches has the bridge?",
    "told": "I was wrong. It has nine arches.",
    "wrong": "It has seven arches.",
}
GOOD = {
    "evidence": "The bridge has nine arches.",
    "supported": "yes",
    "wrong_span": "seven",
    "error_type": "number",
    "right_span": "nine",
}


def stage(**more: Any) -> GroundStage:
    named = {"question": "asked", "answer": "told", "mistake": "wrong", **more}
    return GroundStage(stage="ground", name="grounded", prompt="question", **named)


def reply(**changed: str) -> str:
    return orjson.dumps({**GOOD, **changed}).decode()


async def test_evidence_and_the_wrong_words_are_kept_with_their_place(tmp_path: Path) -> None:
    (made,) = await build(tmp_path, stage())(record(**FIELDS), tools(Says(reply())))
    assert made.fields["evidence"] == GOOD["evidence"]
    assert made.fields["evidence_start"] == 0
    assert (made.fields["wrong_span"], made.fields["error_type"]) == ("seven", "number")
    assert made.fields["scores"] == {"grounded": 1.0}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"supported": "no"}, "unsupported"),
        ({"supported": "partly"}, "unsupported"),
        ({"right_span": "Nothing."}, "not_contradicted"),
        ({"wrong_span": "arches", "right_span": "arches"}, "not_contradicted"),
    ],
)
async def test_a_verdict_against_it_drops_the_record_at_once(tmp_path: Path, changed: dict, reason: str) -> None:
    model = Says(reply(**changed))
    with pytest.raises(Reject) as caught:
        await build(tmp_path, stage())(record(**FIELDS), tools(model))
    assert caught.value.reason == reason
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"evidence": "The bridge has ten arches.", "right_span": "nothing"}, "no_evidence"),
        ({"wrong_span": "eight arches"}, "no_span"),
        ({"right_span": "ten"}, "no_evidence"),
        ({"supported": "certainly"}, "invalid_choice"),
    ],
)
async def test_a_quote_that_stands_nowhere_is_asked_again_and_then_dropped(
    tmp_path: Path, changed: dict, reason: str
) -> None:
    model = Says(reply(**changed), reply())
    await build(tmp_path, stage())(record(**FIELDS), tools(model))
    assert len(model.asked) == 2
    with pytest.raises(Reject) as caught:
        await build(tmp_path, stage())(record(**FIELDS), tools(Says(reply(**changed), reply(**changed))))
    assert caught.value.reason == reason


async def test_without_a_mistake_only_the_support_is_asked(tmp_path: Path) -> None:
    model = Says('{"evidence": "nine arches", "supported": "yes"}')
    (made,) = await build(tmp_path, stage(mistake=None))(record(**FIELDS), tools(model))
    assert "wrong_span" not in made.fields
    assert model.asked[0].schema is not None
    assert set(model.asked[0].schema["properties"]) == {"evidence", "supported"}


async def test_the_words_against_the_mistake_are_evidence_enough(tmp_path: Path) -> None:
    model = Says(reply(evidence="It is nine arches that the bridge has.", right_span="nine arches"))
    (made,) = await build(tmp_path, stage())(record(**FIELDS), tools(model))
    assert (made.fields["evidence"], made.fields["evidence_start"]) == ("nine arches", 15)


async def test_a_number_of_the_passage_that_the_answer_lacks_is_against_the_answer(tmp_path: Path) -> None:
    held = FIELDS | {"told": "It has eight arches."}
    with pytest.raises(Reject) as caught:
        await build(tmp_path, stage())(record(**held), tools(Says(reply())))
    assert caught.value.reason == "unsupported"
