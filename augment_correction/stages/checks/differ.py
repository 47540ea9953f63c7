"""Whether a mistake and the right answer differ in what they say, and not in their wording alone."""

from __future__ import annotations

from collections.abc import Sequence

from augment_correction.grading.contrast import differs, numbers_only_in
from augment_correction.grading.text import sentences, words
from augment_correction.stages.checks.apology import without_apology
from augment_correction.stages.checks.contract import FINE, CheckInput, CheckResult
from augment_correction.stages.checks.wording import stems

ENOUGH = 3
"""So many words of the right answer that the mistake lacks are a full score; one is a third."""


def differ(given: CheckInput) -> CheckResult:
    """The first field is the mistake, the second the right answer, any others (the question) what both may repeat.

    A number, name, negation or opposite that only one of them has is enough. Else it counts the words of the right
    answer that the mistake lacks, beyond the question's: a paraphrase of a short answer keeps them, in another order.
    """
    (first, mistake), (second, right), *others = given.texts
    wrong, correct = without_apology(mistake), without_apology(right)
    if numbers_only_in(wrong, correct) or numbers_only_in(correct, wrong):  # most mistakes; looking at words costs more
        return FINE
    known = frozenset[str]().union(*(stems(text) for _, text in others))
    score = _difference(wrong, correct, known)
    if score == 1.0:
        return FINE
    return CheckResult(
        score,
        "not_different",
        f"{first} and {second} say the same thing. {first} must be wrong where {second} is right",
    )


def _difference(mistake: str, right: str, known: frozenset[str]) -> float:
    said, own = stems(mistake), stems(right)
    key = own - known or own
    signs = {word for word in said - own if not any(map(str.isalnum, word))}  # "5 %" against "5"
    lacking = len(key - said) + len(signs)
    score = min(1.0, lacking / min(ENOUGH, len(key) or 1))
    # the contrast last: it costs the most, and words alone mostly tell
    return 1.0 if score == 1.0 or differs(mistake, right) or _exchanged(mistake, right) else score


def _exchanged(one: str, other: str) -> bool:
    """Two parts of a sentence have changed places ("oak smokes more than beech"): the same words, and the contrary."""
    theirs: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for sentence in sentences(other):
        theirs.setdefault(tuple(sorted(words(sentence))), set()).add(words(sentence))
    return any(
        _swapped(mine, his) for mine in {*map(words, sentences(one))} for his in theirs.get(tuple(sorted(mine)), ())
    )


def _swapped(one: Sequence[str], other: Sequence[str]) -> bool:
    """A X B Y C against A Y B X C, and not merely X Y against Y X, which is how a sentence begins with its end. Both have the same words."""
    if one == other:
        return False
    start = next(i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
    end = next(i for i, (a, b) in enumerate(zip(reversed(one), reversed(other), strict=True)) if a != b)
    signs = {
        word: chr(number) for number, word in enumerate(set(one))
    }  # a text finds a turned one in itself twice, and in one pass
    mine, his = ("".join(map(signs.__getitem__, part[start : len(part) - end])) for part in (one, other))
    return his not in mine + mine
