"""The target model's own answers: each draw is a call of its own, and none is asked again."""

from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.declarations import AttemptStage
from augment_correction.errors import Reject, TransientError
from tests.stages.making import Says, build, record, sampling, tools


def stage() -> AttemptStage:
    return AttemptStage(
        stage="attempt", name="attempt", prompt="question", samples=3, sampling=sampling(seed=5, temperature=0.8)
    )


async def test_each_draw_is_a_call_of_its_own(tmp_path: Path) -> None:
    model = Says("nine", "<think>hm</think>ten", "nine")
    used = tools(model)
    (made,) = await build(tmp_path, stage())(record(), used)
    assert [attempt.text for attempt in made.fields["attempts"]] == ["nine", "ten", "nine"]
    assert len({request.key for request in model.asked}) == 3
    assert [request.sampling["seed"] for request in model.asked] == [5, 6, 7]
    assert [step.call for step in used.trace] == [request.key for request in model.asked]
    assert made.fields["attempts"][1].sampling == {"seed": 6, "temperature": 0.8}


async def test_what_is_empty_or_cut_off_is_no_attempt(tmp_path: Path) -> None:
    (made,) = await build(tmp_path, stage())(record(), tools(Says("", ("nine and", "length"), "nine")))
    assert [attempt.text for attempt in made.fields["attempts"]] == ["nine"]
    with pytest.raises(Reject, match="every attempt"):
        await build(tmp_path, stage())(record(), tools(Says("", "", "")))


async def test_a_failure_waits_for_the_other_draws(tmp_path: Path) -> None:
    model = Says("nine", TransientError("gone"), "ten")
    used = tools(model)
    with pytest.raises(TransientError):
        await build(tmp_path, stage())(record(), used)
    assert len(model.asked) == 3
