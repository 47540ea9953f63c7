"""What an answer says, and what clouds it."""

from __future__ import annotations

import pytest

from augment_correction.grading.case import Case


@pytest.mark.parametrize(
    ("answer", "wrong", "cloud"),
    [
        ("It is Paris. It is not in Spain.", "", ""),
        ("It is Paris, not Lyon", "Lyon", "also holds lyon of the known wrong answer"),
        ("Paris or Rome", "", "says or"),
        ("It never was Paris", "", "a negation stands beside it"),
    ],
)
def test_only_what_stands_beside_the_reference_clouds_it(answer: str, wrong: str, cloud: str) -> None:
    assert Case(answer, "Paris", "", wrong).cloud() == cloud


def test_other_numbers_are_those_that_nobody_has_named() -> None:
    assert Case("3 of 12 and 7, 7 of 1,000", "3", "How many of 12?", "").other_numbers() == ["7", "1000"]


def test_a_long_answer_says_its_first_and_last_sentence() -> None:
    middle = "Nothing is said here. " * 20
    assert Case(f"First. {middle} Last.", "x", "", "").said == "First.\nLast."
    assert Case("First. Middle. Last.", "x", "", "").said == "First. Middle. Last."
