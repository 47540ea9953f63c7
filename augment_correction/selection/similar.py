"""Questions that say nearly the same: MinHash signatures of their 4-character shingles, banded (Leskovec, Rajaraman and
Ullman, Mining of Massive Datasets, chapter 3); what the bands bring together is compared exactly."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Self

from rensa import RMinHash

from augment_correction.text import normalised

SIMILAR = 0.8
"""Jaccard similarity of the shingles from which on two questions count as nearly the same."""
PERMUTATIONS, SEED = 120, 42
ROWS = (12, 10, 8, 6, 5, 4, 3, 2)
"""Hashes that may make up a band: divisors of 120, the most selective first."""
RECALL = 0.99
CANDIDATES = 64
"""Taken from each band at most, the latest first: bounds the time where all questions come out of one mould."""
COMPARED = 8
"""Of the candidates, those that share the most bands are compared word for word."""


class ShingledText:
    """A text as all indexes compare it; its signature (the dearest part, 20 µs) is made once."""

    def __init__(self, text: str) -> None:
        self.normal = normal(text)

    @cached_property
    def signature(self) -> list[int]:
        made = RMinHash(PERMUTATIONS, SEED)
        made.update(sorted(shingles(self.normal)))
        return made.digest()  # type: ignore[no-any-return,unused-ignore]


@dataclass(frozen=True, slots=True)
class Similar:
    """Jaccard similarity; 1.0: the same but for case, spacing and punctuation."""

    number: int
    similarity: float


class QuestionIndex:
    """Texts by what they say, of which it keeps none: `text_of` is asked for one when it comes to a comparison. About
    450 bytes a text at a similarity of 0.8, unless only hashes `among` some are of use: what came once is like nothing."""

    def __init__(
        self, text_of: Callable[[int], str], similar: float = SIMILAR, among: Container[int] | None = None
    ) -> None:
        self._text_of = text_of
        self._similar = similar
        self._among = among
        self._rows = _rows(similar)
        self._buckets = _Buckets()

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """With all of them, numbered by their place."""
        made = cls(texts.__getitem__)
        for number, text in enumerate(texts):
            made.add(ShingledText(text), number)
        return made

    def add(self, question: ShingledText, number: int) -> bool:
        """Whether anything is remembered of it: a text without a letter or digit is like no other."""
        useful = self._useful(question)
        for hashed in useful:
            self._buckets.add(hashed, number)
        return bool(useful)

    def nearest(self, question: ShingledText, skip: Callable[[int], bool] = lambda _: False) -> Similar | None:
        """The most similar text that is similar enough; of equals the latest. Those that `skip` names do not count."""
        if not question.normal or not self._buckets:
            return None
        for number in self._buckets.find(hash(question.normal)):
            if not skip(number):
                return Similar(number, 1.0)
        shared = Counter(
            number
            for band in self.hashes(question)[1:]
            for number in islice(self._buckets.find(band), CANDIDATES)
            if not skip(number)
        )
        closest = sorted(shared, key=lambda number: (-shared[number], number))[:COMPARED]
        found = [Similar(number, similarity(question.normal, normal(self._text_of(number)))) for number in closest]
        best = max(found, key=lambda each: each.similarity, default=None)
        return best if best and best.similarity >= self._similar else None

    def hashes(self, question: ShingledText) -> list[int]:
        """Of the whole text first, then of its bands: two texts that have none in common are never found by each other."""
        return [hash(question.normal), *self._bands(question)] if question.normal else []

    def _useful(self, question: ShingledText) -> list[int]:
        hashes = self.hashes(question)
        return hashes if self._among is None else [hashed for hashed in hashes if hashed in self._among]

    def _bands(self, question: ShingledText) -> Iterator[int]:
        if self._similar < 1:
            signature, rows = question.signature, self._rows
            # Texts whose numbers differ are never similar (see `similarity`): in a band of their own nobody counts them.
            numbers = hash(tuple(_numbers(question.normal)))
            for start in range(0, PERMUTATIONS, rows):
                yield hash((start, numbers, *signature[start : start + rows]))


def hashes_per_text(similar: float) -> int:
    """One of the whole, and those of its bands."""
    return 1 + (PERMUTATIONS // _rows(similar) if similar < 1 else 0)


def _rows(similar: float) -> int:
    return next((rows for rows in ROWS if _recall(similar, rows) >= RECALL), 1)


def _recall(similar: float, rows: int) -> float:
    """The chance that two texts of this similarity share a band."""
    return float(1 - (1 - similar**rows) ** (PERMUTATIONS // rows))


class _Buckets:
    """A multimap from 64-bit hashes to numbers in four arrays: 16 bytes an entry. rensa's own takes 87, which was
    175 MB for the bands of 100,000 questions."""

    SLOTS, MOST_SLOTS = 1 << 12, 1 << 20
    """At first, and at last: four times as many where there are as many entries."""

    def __init__(self) -> None:
        self._first = array("I", bytes(4 * self.SLOTS))
        self._next, self._number, self._hash = array("I", [0]), array("I", [0]), array("q", [0])

    def __len__(self) -> int:
        return len(self._number) - 1

    def add(self, hashed: int, number: int) -> None:
        if len(self._number) > len(self._first) < self.MOST_SLOTS:
            self._grow()
        slot = hashed % len(self._first)
        self._next.append(self._first[slot])
        self._first[slot] = len(self._number)
        self._number.append(number)
        self._hash.append(hashed)

    def _grow(self) -> None:
        slots = 4 * len(self._first)
        self._first = array("I", bytes(4 * slots))
        for entry in range(1, len(self._hash)):
            slot = self._hash[entry] % slots
            self._next[entry], self._first[slot] = self._first[slot], entry

    def find(self, hashed: int) -> Iterator[int]:
        """The latest first."""
        entry = self._first[hashed % len(self._first)]
        while entry:
            if self._hash[entry] == hashed:
                yield self._number[entry]
            entry = self._next[entry]


def normal(text: str) -> str:
    """Letters and digits, case-folded, with one space between words."""
    return " ".join(re.findall(r"\w+", normalised("NFKC", text).casefold()))


def shingles(text: str, size: int = 4) -> set[str]:
    return {text[start : start + size] for start in range(max(1, len(text) - size + 1))}


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of the shingles of two normal texts; none where their numbers differ: what happened in 1990 and
    what in 1991 are two questions, however alike they are put."""
    if _numbers(one) != _numbers(other):
        return 0.0
    first, second = shingles(one), shingles(other)
    return len(first & second) / len(first | second)


def _numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+", text))
