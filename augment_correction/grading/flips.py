"""The same questions graded twice: is what changed more than chance?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import comb


def mcnemar(gained: int, lost: int) -> float:
    """The exact two-sided p-value of McNemar's test (1947): of the pairs that differ, is the split a fair coin's?"""
    flips = gained + lost
    tail: int = sum(comb(flips, k) for k in range(min(gained, lost) + 1))
    return min(1.0, 2 * tail / (1 << flips))


def chance_of_gain(differences: Iterable[int]) -> float:
    """The exact one-sided p-value of the paired permutation test (Fisher 1935): how often the sum is as large or larger, if
    each difference could as well have had the other sign. Differences are those of whole documents, so that questions which
    change together count as one. Where every one is -1, 0 or 1 it is McNemar's exact test, one-sided."""
    found = list(differences)
    chances = {0: 1.0}
    for size, times in Counter(abs(each) for each in found if each).items():
        ways = [(size * (2 * k - times), comb(times, k) / (1 << times)) for k in range(times + 1)]
        sums: dict[int, float] = {}
        for total, chance in chances.items():
            for step, share in ways:
                sums[total + step] = sums.get(total + step, 0.0) + chance * share
        chances = sums
    observed = sum(found)
    return min(1.0, sum(chance for total, chance in chances.items() if total >= observed))
