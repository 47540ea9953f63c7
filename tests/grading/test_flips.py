from __future__ import annotations

from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.grading.flips import chance_of_gain, mcnemar


@given(st.integers(0, 200), st.integers(0, 200))
def test_it_is_symmetric_and_a_probability(gained: int, lost: int) -> None:
    assert 0 < mcnemar(gained, lost) == mcnemar(lost, gained) <= 1


def test_it_is_the_binomial_s() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == 2 / 2**5
    assert mcnemar(9, 1) == pytest.approx(2 * (comb(10, 0) + comb(10, 1)) / 2**10)


def test_thousands_of_pairs_are_no_overflow() -> None:
    assert mcnemar(3000, 1000) < 1e-200 and mcnemar(2000, 2000) == 1


@given(st.lists(st.integers(-4, 4), max_size=9))
def test_the_chance_of_a_gain_is_counted_over_all_signs(differences: list[int]) -> None:
    ways = [
        sum(sign * each for sign, each in zip(signs, differences, strict=True))
        for signs in product((1, -1), repeat=len(differences))
    ]
    assert chance_of_gain(differences) == pytest.approx(sum(way >= sum(differences) for way in ways) / len(ways))


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_of_single_questions_it_is_mcnemars(gained: int, lost: int, same: int) -> None:
    chance = chance_of_gain([1] * gained + [-1] * lost + [0] * same)
    if gained > lost:
        assert 2 * chance == pytest.approx(mcnemar(gained, lost))
    else:
        assert chance >= 0.5 - 1e-9


def test_two_documents_decide_nothing() -> None:
    assert chance_of_gain([20, 20]) == 0.25
    assert chance_of_gain([]) == 1


def test_a_large_gate_is_counted_in_no_time() -> None:
    assert chance_of_gain([3, -2, 1, 0, 5] * 400) < 1e-9
