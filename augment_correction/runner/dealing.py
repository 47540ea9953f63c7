"""What is drawn for each passage: words by their weights, dealt out along a file so that every stretch of it has its share.

Independent draws leave gaps: of 14 passages with weights 5/3/2/2/2 two kinds may get none. Here the first 20 passages of a file
get the words at 20 points that lie evenly on a circle, on which each word has an arc as long as its share (systematic
sampling, whose random start gives every passage each word with exactly its probability). From there on the word of 20
passages before comes back, unless it may give way to one that is more in arrears: so any 20 passages in a row hold each word
as often as its share says, within one, and a file's total stays as close, however long the file is.
"""

from __future__ import annotations

import math
import random
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

SPAN = 20
"""Passages in a row that hold each word within one of its share."""
_STRATA = 5
_OPEN = 64
"""Files whose words are remembered: many passages of few files are under way at once."""


class Dealing:
    """The words of one drawn field along one file. What stands at a place hangs on the seed, the weights and the place alone.

    >>> words = Dealing({"calm": 3, "angry": 1}, "7:mood:a.md")
    >>> [words[number] for number in range(20)].count("angry")
    5
    """

    def __init__(self, weights: Mapping[str, float], seed: str) -> None:
        total = sum(weights.values())
        self._shares = {word: weight / total for word, weight in weights.items()}
        self._rng = random.Random(seed)
        self._bounds = {word: _bounds(SPAN * share) for word, share in self._shares.items()}
        self._words = [_at(self._shares, point) for point in _points(self._rng)]
        self._dealt = Counter(self._words)
        self._span = Counter(self._words)
        """Of the last 20."""

    def __getitem__(self, place: int) -> str:
        while len(self._words) <= place:
            self._deal()
        return self._words[place]

    def _deal(self) -> None:
        """One more word. The chance in the arrears lets words change their places from one 20 to the next: two fields whose
        words came back for ever would always show the same pairs."""
        leaving = self._words[-SPAN]
        self._span[leaving] -= 1
        arrears = {word: self._arrears(word) + self._rng.random() for word in self._shares}
        word = leaving
        if self._span[leaving] >= self._bounds[leaving][0]:
            word = max(
                (word for word in self._shares if self._span[word] < self._bounds[word][1]), key=arrears.__getitem__
            )
        self._words.append(word)
        self._span[word] += 1
        self._dealt[word] += 1

    def _arrears(self, word: str) -> float:
        return self._shares[word] * (len(self._words) + 1) - self._dealt[word]


@dataclass(frozen=True)
class Dealer:
    """All that is drawn in a run. `draws` are words with their weights, by the field that one of them is drawn for."""

    seed: int
    draws: Mapping[str, Mapping[str, float]]
    _open: OrderedDict[tuple[str, str], Dealing] = field(default_factory=OrderedDict)

    def words(self, file: str, number: int) -> dict[str, str]:
        """The word of each field for the passage with that number (from 0) in the file."""
        return {name: self._dealing(name, file)[number] for name in self.draws}

    def _dealing(self, name: str, file: str) -> Dealing:
        dealing = self._open.pop((name, file), None) or Dealing(self.draws[name], f"{self.seed}:{name}:{file}")
        self._open[name, file] = dealing
        while len(self._open) > _OPEN * len(self.draws):
            self._open.popitem(last=False)
        return dealing


def _points(rng: random.Random) -> list[float]:
    """20 evenly spaced points of [0, 1) in an order of which every five have one in each fifth: a file of a few passages has
    a spread of words, too. The order is another one for each field, so that no two of them go hand in hand."""
    start = rng.random()
    each = SPAN // _STRATA
    within = [rng.sample(range(each), each) for _ in range(_STRATA)]
    slots = [
        stratum * each + within[stratum][turn]
        for turn in range(each)
        for stratum in rng.sample(range(_STRATA), _STRATA)
    ]
    return [(start + slot / SPAN) % 1 for slot in slots]


def _at(shares: Mapping[str, float], point: float) -> str:
    """The words keep their order, so that a share that grows takes passages from its neighbours only."""
    for word, share in shares.items():
        point -= share
        if point < 0:
            return word
    return [word for word, share in shares.items() if share][-1]  # what rounding left over


def _bounds(expected: float) -> tuple[int, int]:
    """The fewest and the most of a word among 20: the two whole numbers beside a fraction, one more or less than a whole."""
    whole = round(expected)
    if math.isclose(expected, whole, abs_tol=1e-9):
        return max(0, whole - 1), whole + 1 if whole else 0
    return math.floor(expected), math.ceil(expected)
