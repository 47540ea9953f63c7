from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.grading.flips import mcnemar


@given(st.integers(0, 200), st.integers(0, 200))
def test_it_is_symmetric_and_a_probability(gained: int, lost: int) -> None:
    assert 0 < mcnemar(gained, lost) == mcnemar(lost, gained) <= 1


def test_it_is_the_binomial_s() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == 2 / 2**5
    assert mcnemar(9, 1) == pytest.approx(2 * (comb(10, 0) + comb(10, 1)) / 2**10)


def test_thousands_of_pairs_are_no_overflow() -> None:
    assert mcnemar(3000, 1000) < 1e-200 and mcnemar(2000, 2000) == 1
