"""When another number is surely wrong, and when the same one may be another thing."""

from __future__ import annotations

import pytest

from augment_correction.grading.amounts import _setting, another_amount, other_half_of_the_day, spelling_differs
from augment_correction.grading.case import Case
from augment_correction.grading.numbers import find_numbers


@pytest.mark.parametrize(
    ("answer", "reference", "question"),
    [
        ("5", "6", ""),
        ("It was 1890.", "1889", ""),
        ("7 May 1825", "7 May 1824", ""),
        ("It has fifteen lamps.", "150", "How many lamps does it have?"),
        ("15 km", "1.5 km", ""),
        ("-5", "5", ""),
        ("5", "-5", "What is 2 - 7?"),
        ("$12,000", "$1,200", ""),
        ("Sorry, it is 24.", "42", ""),
        ("2", "1", ""),
        ("99", "98", ""),
        ("2000", "2001", ""),
    ],
)
def test_another_number_of_the_same_kind_is_wrong(answer: str, reference: str, question: str) -> None:
    assert another_amount(Case(answer, reference, question, ""))


@pytest.mark.parametrize(
    ("answer", "reference", "question"),
    [
        ("6", "6", ""),
        ("no number", "6", ""),
        ("5 or 7", "6", ""),
        ("5 miles", "8 km", ""),
        ("8", "5 miles", ""),
        ("21:00", "9", ""),
        ("75 %", "0.75", ""),
        ("75%", "3", ""),
        ("3", "3 million", ""),
        ("89", "1989", ""),
        ("20181", "2018", ""),
        ("07", "0", ""),
        ("101 people", "100", "How many people?"),
        ("3.14", "3.2", ""),
        ("about 30", "40", ""),
        ("the 1990s", "1995", ""),
        ("4", "3 to 5", ""),
        ("v1.9", "1.8", ""),
        ("$5", "6", ""),
        ("5", "-5", "By how much did it change?"),
        ("6 and 9", "6", ""),
    ],
)
def test_what_may_be_the_same_in_another_way_is_left_open(answer: str, reference: str, question: str) -> None:
    assert not another_amount(Case(answer, reference, question, ""))


@pytest.mark.parametrize(
    ("answer", "reference", "spelt"),
    [
        ("1.1", "1.10", "1.10"),
        ("1.10", "1.1", "1.10"),
        ("1.000", "1", "1.000"),
        ("7", "007", "007"),
        ("1.10", "1.10", ""),
        ("3.0", "3", ""),
        ("1,000", "1000", ""),
        ("1.20 and 5", "5", ""),
    ],
)
def test_a_spelling_that_may_matter_is_named(answer: str, reference: str, spelt: str) -> None:
    assert spelling_differs(answer, reference) == spelt


@pytest.mark.parametrize(
    ("answer", "reference", "wrong"),
    [
        ("at 9 am", "9 pm", True),
        ("9 a.m.", "9 p.m.", True),
        ("9 pm", "9 pm", False),
        ("10 am", "9 pm", False),
        ("9 am and 9 pm", "9 pm", False),
        ("9 am, as before", "9 pm", False),
    ],
)
def test_the_other_half_of_the_day_is_wrong(answer: str, reference: str, wrong: bool) -> None:
    assert bool(other_half_of_the_day(Case(answer, reference, "", ""))) is wrong


@pytest.mark.parametrize(
    ("text", "plain"), [("part 3-5", False), ("in 3.5.7", False), ("a-5", True), ("3. 5", True), ("part 13–5", False)]
)
def test_a_number_that_a_sign_joins_to_another_is_no_plain_one(text: str, plain: bool) -> None:
    assert [_setting(text, number) == ("", "") for number in find_numbers(text)] == [plain] * len(find_numbers(text))


@pytest.mark.parametrize(
    ("answer", "reference", "sure"), [("2.1 m", "2 m", False), ("3 m", "2 m", True), ("1889.5", "1889", False)]
)
def test_a_fraction_may_be_the_whole_number_unrounded(answer: str, reference: str, sure: bool) -> None:
    assert bool(another_amount(Case(answer, reference, "", ""))) is sure
