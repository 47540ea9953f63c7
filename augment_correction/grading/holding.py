"""Whether a text has the reference, or what tells it apart, among its words."""

from __future__ import annotations

from collections.abc import Sequence

from augment_correction.grading import phrases
from augment_correction.grading.case import Case
from augment_correction.grading.text import stem

SHORT_REFERENCE = 12
"""Words up to which a reference may be looked for as it stands."""
SHORT_KEY = 4
"""Words and numbers up to which what tells the reference apart decides alone."""


def held(case: Case, part: str) -> tuple[str, ...]:
    """The words of the reference, or its key, as `part` has them; () where it has not."""
    said = case.read(part)
    if len(case.expected) <= SHORT_REFERENCE and _within(case.expected, said):
        return case.expected
    if phrases.POINTS.intersection(case.expected).difference(said) or is_sequence(case.expected):
        return ()
    key, stems = case.key.tokens, [stem(word) for word in said]
    if len(key) > SHORT_KEY and not _within(said, case.expected):
        return ()
    dated = phrases.MONTHS.intersection(case.expected)
    listed = phrases.AND.intersection(case.expected) and not case.key.numbers
    if _in_order(key, stems) or ((dated or listed) and set(key) <= set(stems)):
        return key
    missing = case.key.words.difference(stems)
    counted = tuple(token for token in key if token not in case.key.words)
    # "72" for "72 clips": what is counted may go without saying, but not the half of the day.
    if counted and len(missing) == 1 and len(case.key.words) == 1 and not missing & phrases.POINTS and not dated:
        return counted if _in_order(counted, stems) else ()
    return ()


def is_sequence(expected: Sequence[str]) -> bool:
    """A ratio or a score: nothing but numbers, whose order is what it says."""
    return len(expected) > 1 and all(word.lstrip("-").replace(".", "").isdigit() for word in expected)


def _within(few: Sequence[str], many: Sequence[str]) -> bool:
    """As whole words, one after the other."""
    return any(tuple(many[i : i + len(few)]) == tuple(few) for i in range(len(many) - len(few) + 1))


def _in_order(few: Sequence[str], many: Sequence[str]) -> bool:
    rest = iter(many)
    return all(token in rest for token in few)
