from __future__ import annotations

import pytest

from augment_correction.stages.checks.contract import CheckInput
from augment_correction.stages.checks.length import count_words, length
from tests.stages.checking import reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("…", 0),
        ("It's 1,500 metres long.", 4),
        ("- a well-known\n- list_item", 4),
        ("石桥共有七个拱", 4),
        ("للجسر سبعة أقواس", 3),
    ],
)
def test_words_in_any_script(text: str, words: int) -> None:
    assert count_words(text) == words


def test_the_default_takes_all_but_nothing_and_an_essay() -> None:
    assert reason("length", answer="Nine") is None
    assert reason("length", answer="- … -") == "too_short"
    assert reason("length", answer="word " * 600) is None
    assert reason("length", answer="word " * 601) == "too_long"


def test_the_pipelines_bounds() -> None:
    assert reason("length", spec={"words": (3, 5)}, question="Really now?") == "too_short"
    assert reason("length", spec={"words": (3, 5)}, question="Is it so?", answer="It is so as you say.") == "too_long"


@pytest.mark.parametrize(
    ("words", "score", "reason"),
    [
        (2, 0.5, "too_short"),
        (3, 0.75, "too_short"),
        (4, 1, None),
        (8, 1, None),
        (10, 0.8, "too_long"),
        (16, 0.5, "too_long"),
    ],
)
def test_the_bounds_themselves_are_allowed_and_the_score_is_how_near_a_text_comes(
    words: int, score: float, reason: str | None
) -> None:
    found = length(CheckInput((("answer", "word " * words),), "", words=(4, 8)))
    assert (found.score, found.reason or None) == (score, reason)
    if reason:
        assert f"answer has {words} words. Write at {'least 4' if words < 4 else 'most 8'}" in found.detail
