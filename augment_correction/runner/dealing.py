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
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, permutations

SPAN = 20
"""Passages in a row that hold each word within one of its share."""
_STRATA, _EACH = 5, 4
_FIFTHS, _PLACES = [*permutations(range(_STRATA))], [*permutations(range(_EACH))]
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
        given = {word: weight / total for word, weight in weights.items() if weight}
        self._words, self._shares = [*given], [*given.values()]
        self._rng = random.Random(seed)
        self._bounds = [_bounds(SPAN * share) for share in self._shares]
        self._dealt = _first(self._shares, self._rng)
        """Places in `_words`: two bytes a passage."""
        self._counts = [self._dealt.count(number) for number in range(len(self._words))]
        self._span = [*self._counts]
        """Of the last 20."""

    def __getitem__(self, place: int) -> str:
        if len(self._words) == 1:
            return self._words[0]
        while len(self._dealt) <= place:
            self._deal()
        return self._words[self._dealt[place]]

    def _deal(self) -> None:
        word = self._dealt[-SPAN]
        self._span[word] -= 1
        if self._span[word] >= self._bounds[word][0]:
            word = self._most_in_arrears()
        self._dealt.append(word)
        self._span[word] += 1
        self._counts[word] += 1

    def _most_in_arrears(self) -> int:
        """Of the words of which the last 20 may have one more. A chance in it lets words change their places from one 20 to the
        next: two fields whose words came back for ever would always show the same pairs."""
        number, chance, most, best = len(self._dealt) + 1, self._rng.random, -math.inf, 0
        for word, share in enumerate(self._shares):
            if self._span[word] < self._bounds[word][1]:
                arrears = share * number - self._counts[word] + chance()
                if arrears > most:
                    most, best = arrears, word
        return best


@dataclass(frozen=True)
class Dealer:
    """All that is drawn in a run. `draws` are words with their weights, by the field that one of them is drawn for."""

    seed: int
    draws: Mapping[str, Mapping[str, float]]
    _open: OrderedDict[str, dict[str, Dealing]] = field(default_factory=OrderedDict)

    def words(self, file: str, number: int) -> dict[str, str]:
        """The word of each field for the passage with that number (from 0) in the file."""
        return {name: dealing[number] for name, dealing in self._dealings(file).items()}

    def _dealings(self, file: str) -> dict[str, Dealing]:
        """By the field, in the order of `draws`."""
        dealings = self._open.pop(file, None)
        if dealings is None:
            dealings = {name: Dealing(words, f"{self.seed}:{name}:{file}") for name, words in self.draws.items()}
        self._open[file] = dealings
        while len(self._open) > _OPEN:
            self._open.popitem(last=False)
        return dealings


def _first(shares: Sequence[float], rng: random.Random) -> array[int]:
    """The words at 20 evenly spaced points of [0, 1), in an order of which every five have one in each fifth: a file of a few passages
    has a spread of words, too. The order is another one for each field, so that no two of them go hand in hand.

    On the circle the words keep their order, so that a share that grows takes passages from its neighbours only.
    """
    ends = [*accumulate(shares)]
    start, last = rng.random(), len(shares) - 1
    within = [_one_of(_PLACES, rng) for _ in range(_STRATA)]
    slots = (stratum * _EACH + within[stratum][turn] for turn in range(_EACH) for stratum in _one_of(_FIFTHS, rng))
    return array("H", (min(last, bisect_right(ends, (start + slot / SPAN) % 1)) for slot in slots))


def _one_of(orders: Sequence[Sequence[int]], rng: random.Random) -> Sequence[int]:
    return orders[int(rng.random() * len(orders))]


def _bounds(expected: float) -> tuple[int, int]:
    """The fewest and the most of a word among 20: the two whole numbers beside a fraction, one more or less than a whole."""
    whole = round(expected)
    if math.isclose(expected, whole, abs_tol=1e-9):
        return max(0, whole - 1), whole + 1
    return math.floor(expected), math.ceil(expected)
