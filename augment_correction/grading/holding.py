"""Whether a text has the reference, or what tells it apart, among its words."""

from __future__ import annotations

from collections.abc import Sequence

from augment_correction.grading import phrases
from augment_correction.grading.case import Case, places_of
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
    if (phrases.POINTS & case.own_words).difference(said) or case.is_sequence:
        return ()
    key, stems = case.key.tokens, [stem(word) for word in said]
    if len(key) > SHORT_KEY and not _within(said, case.expected):
        return ()
    dated = phrases.MONTHS & case.own_words
    listed = phrases.AND & case.own_words and not case.key.numbers
    if _in_order(key, stems) or ((dated or listed) and set(stems).issuperset(key)):
        return _said(key, said, stems)
    if dated or len(case.key.words) != 1:
        return ()
    missing = case.key.words.difference(stems)
    counted = tuple(token for token in key if token not in case.key.words)
    # "72" for "72 clips": what is counted may go without saying, but not the half of the day.
    if counted and missing and not missing & phrases.POINTS:
        return _said(counted, said, stems) if _in_order(counted, stems) else ()
    return ()


def _said(key: Sequence[str], said: Sequence[str], stems: Sequence[str]) -> tuple[str, ...]:
    """The words of the key as they are said: whoever looks for them stems them, and a stem may have another stem ("chines")."""
    return tuple(said[stems.index(token)] for token in key)


def _within(few: Sequence[str], many: Sequence[str]) -> bool:
    """As whole words, one after the other."""
    return not few or next(places_of(few, many), None) is not None


def _in_order(few: Sequence[str], many: Sequence[str]) -> bool:
    rest = iter(many)
    return all(token in rest for token in few)
