"""What a check is given and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple


class Given(NamedTuple):
    """`texts` are the (field, text) pairs in the order that the pipeline names them; `words` is for `length` alone."""

    texts: tuple[tuple[str, str], ...]
    passage: str = ""
    words: tuple[int, int] | None = None


class Finding(NamedTuple):
    """`score` is 1 where nothing is wrong; `detail` is what the model is told when it is asked again."""

    score: float
    reason: str = ""
    detail: str = ""


Check = Callable[[Given], Finding]
FINE = Finding(1.0)

# An indented block is not among them: in a list it is mostly prose.
_CODE = re.compile(
    r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[ \t]*$|\Z)|(?<!`)(`{1,2})(?!`)[^\n]+?\2(?!`)", re.MULTILINE | re.DOTALL
)


def without_code(text: str, instead: str = "`") -> str:
    """The prose alone: what stands in a fence or in backticks is content, whatever it looks like."""
    return _CODE.sub(instead, text) if "`" in text or "~~~" in text else text


def worst(findings: Iterable[Finding]) -> Finding:
    """The first of the lowest."""
    return min(findings, key=lambda finding: finding.score, default=FINE)


class Pattern(NamedTuple):
    """`read` is in lower case and searched only where one of the `hints` stands in the text: that is ten times as fast."""

    hints: tuple[str, ...]
    read: re.Pattern[str]


def pattern(hints: str, *parts: str) -> Pattern:
    return Pattern(tuple(hints.split()), re.compile("|".join(parts), re.MULTILINE))


def first_match(given: Given, patterns: Iterable[Pattern], reason: str, detail: str) -> Finding:
    """A finding at the first field whose prose one of the patterns is found in; `detail` names {field} and {found}."""
    patterns = tuple(patterns)
    for field, text in given.texts:
        prose = without_code(text).lower()
        for hints, read in patterns:
            if any(hint in prose for hint in hints) and (found := read.search(prose)):
                return Finding(0.0, reason, detail.format(field=field, found=found.group().strip()))
    return FINE
