"""What a check is given and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from augment_correction.text.fences import without_code


class CheckInput(NamedTuple):
    """The input of a check. `texts` are the (field, text) pairs in the order that the pipeline names them, `passage` is what
    they were made from; `words` is what the pipeline gives under that key, None where it gives nothing.

    >>> CheckInput((("answer", "It has nine arches."),)).texts[0][1]
    'It has nine arches.'
    """

    texts: tuple[tuple[str, str], ...]
    passage: str = ""
    words: tuple[int, int] | None = None


class CheckResult(NamedTuple):
    """The result of a check. `score` is between 0 and 1, and 1 where nothing is wrong; `reason` is the short word under which a
    reject is counted, and `detail` is what the model is told when it is asked again.

    >>> CheckResult(0.0, "too_short", "answer has 2 words. Write at least 5").reason
    'too_short'
    """

    score: float
    reason: str = ""
    detail: str = ""


Check = Callable[[CheckInput], CheckResult]
FINE = CheckResult(1.0)


def worst(findings: Iterable[CheckResult]) -> CheckResult:
    """The first of the lowest."""
    return min(findings, key=lambda finding: finding.score, default=FINE)


class Pattern(NamedTuple):
    """`read` is in lower case and searched only where one of the `hints` stands in the text: that is ten times as fast."""

    hints: tuple[str, ...]
    read: re.Pattern[str]


def pattern(hints: str, *parts: str) -> Pattern:
    return Pattern(tuple(hints.split()), re.compile("|".join(parts), re.MULTILINE))


def first_match(given: CheckInput, patterns: Iterable[Pattern], reason: str, detail: str) -> CheckResult:
    """A finding at the first field whose prose one of the patterns is found in; `detail` names {field} and {found}."""
    patterns = tuple(patterns)
    for field, text in given.texts:
        prose = without_code(text).lower()
        for hints, read in patterns:
            if one_of(hints, prose) and (found := read.search(prose)):
                return CheckResult(0.0, reason, detail.format(field=field, found=found.group().strip()))
    return FINE


def one_of(hints: Iterable[str], text: str) -> bool:
    """Whether one of them stands in it: `any` with a generator takes twice as long, and this is asked 500 times a conversation."""
    for hint in hints:  # noqa: SIM110
        if hint in text:
            return True
    return False
