from __future__ import annotations

import re

from augment_correction.stages.checks.contract import CheckInput, CheckResult, worst
from augment_correction.text.scripts import UNSPACED

WORDS = (1, 600)
# Chinese, Japanese, Korean and Thai put no space between words, or not where we do: about two signs to a word.
_DENSE = re.compile(f"[{UNSPACED}]")
_WORD = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")


def count_words(text: str) -> int:
    if text.isascii():
        return len(_WORD.findall(text))
    dense = len(_DENSE.findall(text))
    return len(_WORD.findall(_DENSE.sub(" ", text))) + (dense + 1) // 2


def length(given: CheckInput) -> CheckResult:
    """The score is how near a text comes to the nearer bound: half as long as the least is 0.5, twice the most, too."""
    fewest, most = given.words or WORDS
    return worst(_measured(field, count_words(text), fewest, most) for field, text in given.texts)


def _measured(field: str, words: int, fewest: int, most: int) -> CheckResult:
    if words < fewest:
        return CheckResult(words / fewest, "too_short", f"{field} has {words} words. Write at least {fewest}")
    if words > most:
        return CheckResult(most / words, "too_long", f"{field} has {words} words. Write at most {most}")
    return CheckResult(1.0)
