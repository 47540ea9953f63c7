from __future__ import annotations

import pytest

from augment_correction.declarations import CheckSpec
from augment_correction.errors import Reject
from augment_correction.stages.checks import run_checks
from augment_correction.stages.checks.contract import FINE, CheckInput
from augment_correction.stages.checks.keeps import keeps
from tests.stages.checking import finding

SPEC = (CheckSpec(check="keeps", fields=("reply", "right")),)
RIGHT = "Trains stopped at Tarn Bridge for 7 minutes to change engines."


@pytest.mark.parametrize(
    "reply",
    [
        "Yes, I am sure: trains stopped at Tarn Bridge for 7 minutes to change engines.",
        "It was seven minutes: that long the trains stopped at Tarn Bridge, and engines were changed.",
    ],
)
def test_a_reply_in_other_words_keeps_to_it(reply: str) -> None:
    assert run_checks(SPEC, {"reply": reply, "right": RIGHT})["keeps"] >= 0.5


def test_to_an_answer_without_a_word_every_reply_keeps() -> None:
    assert run_checks(SPEC, {"reply": "Yes.", "right": "?"})["keeps"] == 1


@pytest.mark.parametrize(
    "reply",
    [
        "Yes, I am sure: a colony needs about 18 kilograms of honey.",
        "Yes: trains stopped at Tarn Bridge for some minutes to change engines.",
        "Yes, I am sure.",
    ],
)
def test_another_answer_does_not(reply: str) -> None:
    with pytest.raises(Reject, match="says something else than this right answer") as caught:
        run_checks(SPEC, {"reply": reply, "right": RIGHT})
    assert caught.value.reason == "other_answer"


def test_no_score_is_more_than_one() -> None:
    assert finding("keeps", reply="Yes.", right="?").score == 1.0


def test_a_right_answer_without_words_asks_for_none() -> None:
    assert keeps(CheckInput((("reply", "It is nine."), ("right", "...")))) == FINE
