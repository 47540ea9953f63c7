"""When another number is surely wrong, and when the same number may mean another thing."""

from __future__ import annotations

import re
from decimal import Decimal

from augment_correction.grading import phrases
from augment_correction.grading.case import Case
from augment_correction.grading.numbers import Number, canonical, find_numbers
from augment_correction.grading.text import stem, words

CLOSE = Decimal("0.1")
"""Two amounts whose difference is a smaller share may be roundings of one."""
EXACT_BELOW, YEARS = 100, (1000, 2100)
"""Whole numbers below, and those that may be years, are not rounded."""
_ROUGHLY = frozenset(
    [
        "about",
        "approximately",
        "around",
        "roughly",
        "circa",
        "ca",
        "almost",
        "nearly",
        "over",
        "etwa",
        "rund",
        "environ",
        "unos",
    ]
)
_ODD = re.compile(r"0\d+|\d*+\.(?:\d*[1-9]0+|000)")
_STANDALONE = re.compile(r"(?<![\d.,])\.?\d++(?:[.,]\d++)*+")


def another_amount(case: Case) -> str:
    """Why the answer's number cannot be the reference's; "" where it can: in another unit, rounded, as a share."""
    known = {number.value for number in _numbers(case.question)}
    expected = [number for number in _numbers(case.reference) if number.value in case.key.numbers]
    given = [number for number in _numbers(case.answer) if number.value not in known]
    held = {number.value for number in given}
    missing = [number for number in expected if number.value not in held]
    rivals = [number for number in given if number.value not in case.key.numbers]
    dated = phrases.MONTHS.intersection(words(case.reference))
    if len(missing) != 1 or len(rivals) != 1 or (len(expected) > 1 and not dated):
        return ""
    if not case.key.words <= set(map(stem, words(case.answer))):
        return ""
    [right], [wrong] = missing, rivals
    if _setting(case.reference, right) != _setting(case.answer, wrong) or _same_in_another_way(case, right, wrong):
        return ""
    if [word for word in case.beyond(case.answer, *phrases.POLITE, offered=True) if word != canonical(wrong.value)]:
        return ""
    return f"says {canonical(wrong.value)} and not {canonical(right.value)}"


def other_half_of_the_day(case: Case) -> str:
    """Nine in the morning for nine in the evening; "" where that is not so."""
    said, expected = (phrases.HALVES.intersection(words(text)) for text in (case.answer, case.reference))
    same = {number.value for number in _numbers(case.answer)} == {number.value for number in _numbers(case.reference)}
    if len(said) == len(expected) == 1 and said != expected and same:
        rest = [word for word in case.beyond(case.answer, *phrases.POLITE, offered=True) if word not in said]
        return "" if rest else f"says {', '.join(said)} and not {', '.join(expected)}"
    return ""


def spelling_differs(answer: str, reference: str) -> str:
    """A numeral of equal value in which the way it is spelt may matter: version 1.10 is not 1.1, and 1.000 may be a
    thousand; "" where there is none."""
    for one, other in ((answer, reference), (reference, answer)):
        values = {number.value for number in _numbers(other)}
        numerals = {*_STANDALONE.findall(other)}
        for number in find_numbers(one):
            literal = one[number.start : number.end].lstrip("+-−–")
            if _ODD.fullmatch(literal) and number.value in values and literal not in numerals:
                return literal
    return ""


def _numbers(text: str) -> list[Number]:
    return [number for number in find_numbers(text, words=True) if not number.vague]


def _setting(text: str, number: Number) -> tuple[str, str] | None:
    """The signs that stand directly before and after a plain number; another thing for each that is none."""
    before, after = text[: number.start][-1:], text[number.end :][:1]
    joined = after.isalpha() or after in (":", "/", "'", "’") or before in (":", "/", "~", "≈", "<", ">", "±")
    after_point = text[number.end :][1:2].isdigit() and after in (".", "-", "–")
    if joined or after_point or (before in (".", "-", "–") and text[: number.start][-2:-1].isdigit()):
        return (text, str(number.start))
    return before if before in "$€£¥" else "", after if after in "%°‰$€£+" else ""


def _same_in_another_way(case: Case, right: Number, wrong: Number) -> bool:
    one, other = right.value, wrong.value
    literal = case.answer[wrong.start : wrong.end]
    if _ODD.fullmatch(literal):
        return True  # "07"
    if YEARS[0] <= one <= YEARS[1] and literal.isdigit() and literal.startswith(canonical(one)):
        return True  # a footnote's sign has run into the year
    larger, smaller = max(abs(one), abs(other)), min(abs(one), abs(other))
    if _digits(one) == _digits(other) and larger != 10 * smaller:
        # 3 for 3 million, 75 for 0.75; a sign alone counts where one reckons
        return not (one == -other and (not case.question or any(map(str.isdigit, case.question))))
    exact = all(value == int(value) for value in (one, other))
    years = exact and all(YEARS[0] <= value <= YEARS[1] for value in (one, other))
    if exact and (int(one) - int(other)) % 100 == 0 and min(abs(one), abs(other)) < EXACT_BELOW and not years:
        return True  # '89 and 1989
    apart = abs(one - other) / max(abs(one), abs(other))
    if _ROUGHLY.intersection(words(f"{case.answer} {case.reference} {case.question}")):
        return apart < CLOSE * 5
    return apart < CLOSE and not years and not (exact and max(abs(one), abs(other)) < EXACT_BELOW)


def _digits(value: Decimal) -> str:
    return canonical(abs(value)).replace(".", "").strip("0")
