"""What a text denies: whether it says no, and the rival in "Ida, not Otto" and "not Lyon but Paris"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from augment_correction.grading import phrases
from augment_correction.grading.text import words

# A clause can be read in one way alone. In two ways at each of its commas it took 2^30 steps to see that no "but" follows "not 10,11,12 ...".
_CLAUSE = re.compile(r"[^,.;!?]++(?:[.,]\d[^,.;!?]*+)*+")
_NOT = re.compile(rf"(?<![\w'’])(?:{phrases.NOT}) ", re.IGNORECASE)
_BUT = re.compile(rf",? (?:{phrases.BUT})(?= )", re.IGNORECASE)
_JOINED = re.compile(rf"(?:,|(?<=\s)(?:{'|'.join(sorted(phrases.AND))})(?=\s))[ ]*\Z", re.IGNORECASE)
_LONGEST_JOINT = max(map(len, phrases.AND))
_LONGEST_BUT = max(map(len, phrases.BUT.split("|"))) + len(",  ")


def denied(text: str) -> bool:
    """Something in it says no, in one of some thirty languages."""
    found = words(text)
    return (
        bool(phrases.DENIALS.intersection(found))
        or any(word.endswith("n't") or word.startswith("n'") for word in found)
        or any(sign in text for sign in phrases.DENYING_SIGNS)
    )


@dataclass(frozen=True, slots=True)
class DeniedRival:
    """`sentence[start:end]` denies a rival. `joined`: it is joined to what is said instead."""

    said: str
    start: int
    end: int
    joined: bool


def not_but(sentence: str) -> DeniedRival | None:
    """ "not Lyon but"."""
    for start, clause in _denied_clauses(sentence):
        begin, end = clause.span()
        ends = [but for but in _BUT.finditer(sentence, begin + 1, end + _LONGEST_BUT) if but.start() <= end]
        if ends:
            return DeniedRival(sentence[begin : ends[-1].start()], start, ends[-1].end(), True)
    return None


def not_at_the_end(sentence: str) -> DeniedRival | None:
    """ ", not Lyon." """
    last = len(sentence.rstrip())
    for start, clause in _denied_clauses(sentence):
        end = clause.end()
        if not sentence[end : end + 1].strip(".,;!") and end + 1 >= last:
            before = len(sentence[:start].rstrip(" "))
            joint = _JOINED.search(sentence, max(0, before - _LONGEST_JOINT), start)
            return DeniedRival(clause.group(), joint.start() if joint else before, len(sentence), bool(joint))
    return None


def _denied_clauses(sentence: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Where a "not" begins, and the rest of its clause. What follows one "not" of a clause follows the others, too: of a clause
    only the first is looked at."""
    done = 0
    for begun in _NOT.finditer(sentence):
        clause = _CLAUSE.match(sentence, begun.end()) if begun.start() >= done else None
        if clause:
            done = clause.end()
            yield begun.start(), clause
