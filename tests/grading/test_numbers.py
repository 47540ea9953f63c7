"""Numbers as values: signs, grouping, decimals, and what only looks like a number."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.grading.numbers import canonical, find_numbers, values


def read(text: str, *, words: bool = False) -> list[str]:
    return [canonical(number.value) for number in find_numbers(text, words=words)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-5", ["-5"]),
        ("−5 °C", ["-5"]),
        ("it fell to -$5", ["-5"]),
        ("x=-.5", ["-0.5"]),
        ("3-5", ["3", "5"]),
        ("5–7", ["5", "7"]),
        ("COVID-19", ["19"]),
        ("f(a)-5", ["5"]),
        ("--5", ["5"]),
        ("2024-03-12", ["2024", "3", "12"]),
    ],
)
def test_a_hyphen_is_a_sign_only_where_nothing_stands_before_it(text: str, found: list[str]) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,000", ["1000"]),
        ("1,234,567.50", ["1234567.5"]),
        ("12,34,567", ["1234567"]),
        ("1'000", ["1000"]),
        ("1\u202f000 and 1\u00a0000,5", ["1000", "1000.5"]),
        ("10 000", ["10000"]),
        ("10 050 200", ["10050200"]),
        ("10 500", ["10", "500"]),
        ("1.000.000", ["1000000"]),
        ("1.000,5", ["1000.5"]),
        ("1.000", ["1"]),
        ("3.0", ["3"]),
        ("3,5", ["3.5"]),
        ("0,125", ["0.125"]),
        ("1,000,", ["1000"]),
        ("(3,5)", ["3", "5"]),
        ("[1.5,2.5]", ["1.5", "2.5"]),
        ("1,2,3", ["1", "2", "3"]),
        ("12.03.2024 12:30 1.5.2", ["12", "3", "2024", "12", "30", "1", "5", "2"]),
    ],
)
def test_grouping_and_decimals_are_told_apart_by_the_stated_rules(text: str, found: list[str]) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("H2O, v2.0 and x1", []),
        ("5kg, the 3rd, the 1990s, 50%", ["5", "3", "1990", "50"]),
        ("在2024年", ["2024"]),
        ("3E-5", ["0.00003"]),
        ("6.02×10^23", ["602000000000000000000000"]),
        ("2·10⁻³", ["0.002"]),
        ("2 x 10", ["2", "10"]),
        ("1/2, ½, 1½ and 1 1/2", ["0.5", "0.5", "1.5", "1.5"]),
        ("3/4/2024 and 5/0", ["3", "4", "2024", "5", "0"]),
        ("1. Mix\n2. Bake for 7", ["7"]),
        ("1. Paris", ["1"]),
    ],
)
def test_units_words_exponents_fractions_and_list_numbers(text: str, found: list[str]) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("seven", ["7"]),
        ("Twenty-five of ninety", ["25", "90"]),
        ("3 million", ["3000000"]),
        ("two hundred thousand", ["200000"]),
        ("one hundred and fifty", ["150"]),
        ("a hundred and five dogs and twenty cats", ["105", "20"]),
        ("two thousand and twenty-four", ["2024"]),
        ("three million two hundred thousand", ["3200000"]),
        ("minus one", ["-1"]),
        ("negative twenty-five", ["-25"]),
        ("ten minus five", ["10", "5"]),
        ("a dozen, two dozen, half a dozen", ["12", "24", "6"]),
        ("seven, eight and nine", ["7", "8", "9"]),
        ("ninety and one hundred", ["90", "100"]),
        ("someone, often, weight", []),
    ],
)
def test_number_words_are_read_on_request_only(text: str, found: list[str]) -> None:
    assert read(text, words=True) == found
    assert "7" not in read("seven")


def test_one_confirms_a_number_and_never_contradicts() -> None:
    assert [number.vague for number in find_numbers("this one, 1 and two", words=True)] == [True, False, False]


def test_values_are_counted_by_value() -> None:
    assert values("3, 3.0 and 4") == {Decimal(3): 2, Decimal(4): 1}


@given(value=st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12))
def test_every_number_is_read_back_from_its_english_spelling(value: Decimal) -> None:
    assert [number.value for number in find_numbers(f"It is {value:,} m.")] == [value]
    assert Decimal(canonical(value)) == value


@given(st.text(alphabet=st.sampled_from("0123456789.,-−' /½eE×^⁵\u202faon$()[]\nmillion")))
def test_spans_are_in_order_and_do_not_overlap(text: str) -> None:
    ends = [0]
    for number in find_numbers(text, words=True):
        assert ends[-1] <= number.start < number.end <= len(text)
        ends.append(number.end)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("on (1,5)", ["1", "5"]),
        ("[1,5]", ["1", "5"]),
        ("1,5 m", ["1.5"]),
        ("(1.500,5)", ["1500.5"]),
        ("(1,5 m)", ["1.5"]),
    ],
)
def test_two_numbers_in_brackets_are_an_interval(text: str, found: list[str]) -> None:
    assert [str(number.value) for number in find_numbers(text)] == found
