"""Repetition is seen, and two sets are compared at equal numbers of words."""

from __future__ import annotations

from math import log

import pytest

from augment_correction.evals.diversity import diversity, equal

VARIED = [
    "The heap is warmed by bacteria.",
    "Bees gather in a winter cluster below ten degrees.",
    "A knot is one mile an hour.",
]


def test_the_same_text_again_is_less_diverse_by_every_measure() -> None:
    varied, same = diversity(VARIED), diversity([VARIED[0]] * 3)
    assert varied and same
    assert varied.distinct_2 == 1.0 and same.distinct_2 == pytest.approx(1 / 3)
    assert same.compression > varied.compression
    assert same.repetition == pytest.approx(log(1 + 3)) and varied.repetition == 0.0
    assert same.self_bleu == pytest.approx(1.0) and varied.self_bleu is not None and varied.self_bleu < 0.3


def test_sets_are_cut_to_as_many_words_as_the_smallest_has() -> None:
    short, long = equal(VARIED[:1], VARIED * 5)
    assert short and long
    assert short.tokens == long.tokens == 6


def test_without_a_word_there_is_no_figure() -> None:
    assert diversity([]) is None and diversity(["...", ""]) is None
    single = diversity(["One"])
    assert single and single.self_bleu is None and single.distinct_2 == 1.0
