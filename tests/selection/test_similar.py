"""What counts as nearly the same question, and what an index remembers of it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.selection.similar import QuestionIndex, ShingledText, _Buckets, normal, similarity

WORDS = [
    f"{first}{second}" for first in ("bar", "kel", "mon", "tur", "sep") for second in ("ado", "ingen", "ell", "uts")
]


def index(texts: list[str], similar: float = 0.8) -> QuestionIndex:
    made = QuestionIndex(texts.__getitem__, similar)
    for number, text in enumerate(texts):
        made.add(ShingledText(text), number)
    return made


@given(st.text(), st.text())
def test_any_text_has_a_similarity(one: str, other: str) -> None:
    assert similarity(normal(one), normal(one)) == 1
    assert 0 <= similarity(normal(one), normal(other)) <= 1
    index([one]).nearest(ShingledText(other))


@given(st.text(min_size=1))
def test_a_text_is_found_again_but_for_case_and_punctuation(text: str) -> None:
    found = index(["another", text], 1.0).nearest(ShingledText(f"  {text} !"))
    assert (found is not None) == bool(normal(text))


@pytest.mark.parametrize("similar", [0.5, 0.7, 0.8, 0.9, 0.95])
def test_what_is_similar_enough_is_found_whatever_is_asked_for(similar: float) -> None:
    """The bands are chosen by the similarity: fixed ones for 0.8 would find 6% of what is similar by half."""
    rng = random.Random(5)
    wanted = found = 0
    for _ in range(400):
        words = [rng.choice(WORDS) + rng.choice(WORDS) for _ in range(40)]
        changed = [word if rng.random() > (1 - similar) / 3 else rng.choice(WORDS) for word in words]
        one, other = " ".join(words), " ".join(changed)
        if similar <= similarity(one, other) < 1:
            wanted += 1
            found += index([one], similar).nearest(ShingledText(other)) is not None
    assert wanted > 20 and found >= 0.96 * wanted


def test_what_is_found_is_really_as_similar() -> None:
    texts = ["What is the height of the tower of Kelm in feet?", "What is the height of the tower of Kelm in metres?"]
    asked = "What is the height of the tower of Kelm in meters?"
    found = index(texts).nearest(ShingledText(asked))
    assert found and found.number == 1 and found.similarity == similarity(normal(asked), normal(texts[1]))


def test_the_ones_to_skip_do_not_hide_another() -> None:
    texts = ["Who built the mill?", "Who built the mill?"]
    assert index(texts).nearest(ShingledText(texts[0]), skip=lambda number: number == 1) is not None
    assert index(texts).nearest(ShingledText(texts[0]), skip=lambda _: True) is None


def test_questions_about_other_numbers_are_other_questions() -> None:
    texts = {1: "In which year after 1990 was the bridge of Ander widened for the railway?"}
    index = QuestionIndex(texts.__getitem__)
    index.add(ShingledText(texts[1]), 1)
    assert index.nearest(ShingledText(texts[1].replace("1990", "1991"))) is None
    assert index.nearest(ShingledText(texts[1].replace("railway", "railways"))) is not None


def test_what_was_remembered_is_found_in_the_same_order_once_there_are_more_places() -> None:
    buckets, few = _Buckets(), _Buckets.SLOTS // 4
    for number in range(_Buckets.SLOTS + 10):
        buckets.add(number % few - few // 2, number)
    assert len(buckets) == _Buckets.SLOTS + 10
    for hashed in (-few // 2, -1, 0, 7):
        wanted = [number for number in range(_Buckets.SLOTS + 10) if number % few - few // 2 == hashed]
        assert list(buckets.find(hashed)) == wanted[::-1]
    assert list(buckets.find(few)) == []
