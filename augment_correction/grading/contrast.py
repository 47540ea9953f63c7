"""In what two answers differ beyond their wording: numbers, names, a negation, an opposite; else a share of words.

Order is not looked at: "Lyon beat Paris" and "Paris beat Lyon" have no contrast, because a paraphrase reorders too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from augment_correction.grading.keys import tokens
from augment_correction.grading.lexicon import OPPOSITES
from augment_correction.grading.numbers import Number, find_doubtful, find_numbers, is_percent
from augment_correction.grading.text import names, negations, stem, words

ENDLESS = 20
"""Digits above which a value is one third or the like, and no number that somebody wrote."""
COARSE = Decimal("0.01")
"""The coarsest step in which one third is rounded: 33 %, 0.33."""
_OPPOSITE_STEMS = {(stem(one), stem(other)): f"{one}/{other}" for one, other in sorted(OPPOSITES)}


@dataclass(frozen=True, slots=True)
class Contrast:
    """`removed` stands in the first text only, `added` in the second only."""

    numbers_removed: frozenset[Decimal] = frozenset()
    numbers_added: frozenset[Decimal] = frozenset()
    names_removed: frozenset[str] = frozenset()
    names_added: frozenset[str] = frozenset()
    negated: bool = False
    """One of the two has an odd number of negations."""
    opposites: frozenset[str] = frozenset()
    """Pairs like "increase/decrease" of which each text has its own side only."""
    words: float = 0.0
    """Jaccard distance of the stemmed content words and the numbers: 0 the same, 1 none in common."""

    @property
    def substance(self) -> float:
        """1.0 where a number, name, negation or opposite differs: one of them is enough to make a right answer wrong.
        Else the share of words: under 0.3 mostly the same words, over 0.7 another statement, between them a
        paraphrase and a change of fact look alike."""
        facts = (self.numbers_removed, self.numbers_added, self.names_removed, self.names_added, self.opposites)
        return 1.0 if self.negated or any(facts) else self.words


def contrast(one: str, other: str) -> Contrast:
    """Of a text with itself, reordered, in other case or punctuation: substance 0."""
    first, second = words(one), words(other)
    if first == second:
        return Contrast()
    stems, other_stems = _stems(first), _stems(second)
    return Contrast(
        numbers_removed=numbers_only_in(one, other),
        numbers_added=numbers_only_in(other, one),
        names_removed=_names_unknown_to(other_stems, one),
        names_added=_names_unknown_to(stems, other),
        negated=negations(one) % 2 != negations(other) % 2,
        opposites=_opposites(stems - other_stems, other_stems - stems),
        words=_distance(frozenset(tokens(one)), frozenset(tokens(other))),
    )


def differs(one: str, other: str) -> bool:
    """Whether the substance of their contrast is 1, looked for where it costs least first."""
    if numbers_only_in(one, other) or numbers_only_in(other, one):
        return True
    first, second = words(one), words(other)
    if first == second:
        return False
    stems, other_stems = _stems(first), _stems(second)
    return (
        bool(_opposites(stems - other_stems, other_stems - stems))
        or bool(_names_unknown_to(other_stems, one) or _names_unknown_to(stems, other))
        or negations(one) % 2 != negations(other) % 2
        or _distance(frozenset(tokens(one)), frozenset(tokens(other))) == 1.0
    )


def numbers_only_in(one: str, other: str) -> frozenset[Decimal]:
    """By value, each once: an answer may repeat a number as often as it likes. A quarter is 25 %, too, and a third 33 %."""
    known = {number.value for number in find_numbers(other, words=True)}
    only = [number for number in find_numbers(one, words=True) if number.value not in known and not number.vague]
    if not only:
        return frozenset()
    if mine := {number.value: share for number in only for share in _shares(one, [number])}:  # most are whole
        doubtful = find_doubtful(other)
        shares = [*_shares(other, (*find_numbers(other, words=True), *doubtful))]
        known = {number.value for number in doubtful}
        known |= {value for value, share in mine.items() if any(_same(share, his) for his in shares)}
    return frozenset(number.value for number in only if number.value not in known)


@dataclass(frozen=True, slots=True)
class _Share:
    value: Decimal
    step: Decimal
    """What its last digit counts; 0 where its digits never end."""
    percent: bool


def _shares(text: str, numbers: Iterable[Number]) -> Iterator[_Share]:
    """Those of them that may be shares of a whole: not whole, or with a percent sign."""
    for number in numbers:
        _, digits, exponent = number.value.as_tuple()
        percent = is_percent(text, number)
        if percent or int(exponent) < 0:
            step = Decimal(0) if len(digits) > ENDLESS else Decimal(1).scaleb(int(exponent) - 2 * percent)
            yield _Share(number.value.scaleb(-2) if percent else number.value, step, percent)


def _same(one: _Share, other: _Share) -> bool:
    """Not where both are spelt alike, because those were compared by value."""
    if one.percent != other.percent and one.value == other.value:
        return True
    step = max(one.step, other.step)
    return min(one.step, other.step) == 0 < step <= COARSE and abs(one.value - other.value) < step


def _stems(them: Iterable[str]) -> frozenset[str]:
    return frozenset(map(stem, them))


def _names_unknown_to(stems: frozenset[str], text: str) -> frozenset[str]:
    """Compared by word and not by name, so that a name that starts a sentence or stands in lower case there is found."""
    return frozenset(name for name in names(text) if not _stems(name.split()) <= stems)


def _opposites(gone: frozenset[str], come: frozenset[str]) -> frozenset[str]:
    listed = {
        name
        for (one, other), name in _OPPOSITE_STEMS.items()
        if (one in gone and other in come) or (other in gone and one in come)
    }
    both = ((word, come) for word in gone), ((word, gone) for word in come)
    prefixed = {
        f"{word}/{prefix}{word}"
        for side in both
        for word, others in side
        for prefix in ("un", "non")
        if len(word) > 3 and prefix + word in others
    }
    return frozenset(listed | prefixed)


def _distance(one: frozenset[str], other: frozenset[str]) -> float:
    union = one | other
    return 1 - len(one & other) / len(union) if union else 0.0
