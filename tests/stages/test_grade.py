"""Attempts sorted by the reference: the most frequent of each side goes on, under its kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from augment_correction.declarations import GradeStage
from augment_correction.errors import Reject
from augment_correction.records import Attempt
from tests.stages.making import Says, build, record, tools

ASKED = {"asked": "How many arches has the bridge?", "known": "The bridge has 9 arches."}
RIGHT, WRONG = '{"reason": "r", "verdict": "right"}', '{"reason": "r", "verdict": "wrong"}'


def stage(**more: Any) -> GradeStage:
    return GradeStage(stage="grade", name="graded", prompt="question", question="asked", reference="known", **more)


def attempts(*texts: str) -> tuple[Attempt, ...]:
    return tuple(Attempt(text, "tiny", f"call{index}", {"seed": index}) for index, text in enumerate(texts))


async def test_one_record_for_a_wrong_and_one_for_a_right_attempt(tmp_path: Path) -> None:
    tried = attempts("It has 7 arches.", "It has 9 arches.", "it has 5 arches", "It has 5 arches.")
    wrong, right = await build(tmp_path, stage())(record(**ASKED, attempts=tried), tools(Says()))
    assert (wrong.fields["kind"], wrong.fields["first_answer"]) == ("correct_after_mistake", "it has 5 arches")
    assert (right.fields["kind"], right.fields["first_answer"]) == ("stand_by", "It has 9 arches.")
    assert wrong.fields["origin"] == right.fields["origin"] == "target_model"
    assert wrong.fields["right_share"] == 0.25
    assert wrong.fields["attempt"] == {
        "text": "it has 5 arches", "model": "tiny", "call": "call2", "sampling": {"seed": 2}
    }  # fmt: skip


async def test_what_words_cannot_tell_is_asked_of_the_judge_once(tmp_path: Path) -> None:
    """The same words are judged once."""
    asked = {
        "asked": "Why was the bridge closed to lorries?",
        "known": "Because two stones of the third arch had fallen into the river during the flood of that spring.",
    }
    tried = attempts("It was in need of repair.", "it was in need of repair", "Parts of it had come down.")
    model = Says(WRONG, RIGHT)
    wrong, right = await build(tmp_path, stage())(record(**asked, attempts=tried), tools(model))
    assert wrong.fields["right_share"] == pytest.approx(1 / 3)
    assert right.fields["first_answer"] == "Parts of it had come down."
    assert model.replies == []


async def test_a_question_that_is_always_answered_right(tmp_path: Path) -> None:
    tried = attempts("9", "It has 9 arches.")
    held = record(**ASKED, attempts=tried)
    (gate,) = await build(tmp_path, stage())(held, tools(Says()))
    assert gate.fields["split"] == "gate"
    (kept,) = await build(tmp_path, stage(always_right="keep"))(held, tools(Says()))
    assert "split" not in kept.fields
    with pytest.raises(Reject) as caught:
        await build(tmp_path, stage(always_right="drop"))(held, tools(Says()))
    assert caught.value.reason == "always_right"
