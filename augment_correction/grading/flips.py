"""The same questions graded twice: is what changed more than chance?"""

from __future__ import annotations

from math import comb


def mcnemar(gained: int, lost: int) -> float:
    """The exact two-sided p-value of McNemar's test (1947): of the pairs that differ, is the split a fair coin's?"""
    flips = gained + lost
    tail: int = sum(comb(flips, k) for k in range(min(gained, lost) + 1))
    return min(1.0, 2 * tail / (1 << flips))
