"""What several trainings of two arms come to together: a hierarchical bootstrap over seeds and groups, with Student's t.

The same data trained with another seed make another model, and the questions of one document rise and fall together; an
interval that looks at neither calls luck a result (arXiv 2503.07329, 2411.00640). So each draw takes seeds and groups anew, with
replacement. Of few seeds or groups the draws' spread is too small, by (n - 1) / n each, and normal quantiles are too near: the
spread is mended for both and multiplied by the quantile of Student's t for as many degrees of freedom as the two have together
(Welch and Satterthwaite).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atan, cos, inf, pi, sqrt, tan
from statistics import NormalDist, fmean, pvariance, variance

RESAMPLES = 2_000
PANELS = 120
NEARLY_NORMAL = 200
"""Degrees of freedom from which on two terms of Fisher's expansion are exact to four digits."""
Values = Mapping[str, float]
"""A figure by item."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """One arm less another, averaged over seeds and groups; `low` and `high` are the one-sided limits at `level` each, None
    where too little was measured. `by_seed` says how far the seeds of both arms lie apart (standard deviation)."""

    value: float
    low: float | None
    high: float | None
    level: float
    seeds: int
    groups: int
    by_seed: float | None


def pooled(
    one: Sequence[Values],
    other: Sequence[Values],
    groups: Mapping[str, str],
    level: float,
    seed: int,
    times: int = RESAMPLES,
) -> Pooled | None:
    """`one` less `other`. Each holds a mapping for every seed it was trained with (a model that was not trained has one), by
    the items of `groups`; items that a mapping lacks are left out everywhere. A group weighs as many items as it has.

    None where nothing was measured in both.

    >>> rise = pooled([{"a": 1.0, "b": 1.0}], [{"a": 0.0, "b": 0.0}], {"a": "x", "b": "y"}, 0.05, 1)
    >>> rise.value, rise.low
    (1.0, 1.0)
    """
    items = [item for item in groups if all(item in each for each in (*one, *other))]
    if not items or not one or not other:
        return None
    places: dict[str, list[str]] = {}
    for item in items:
        places.setdefault(groups[item], []).append(item)
    tables = [_by_group(one, places), _by_group(other, places)]
    sizes = [len(each) for each in places.values()]
    means = [[sum(row) / len(items) for row in table] for table in tables]
    value = fmean(means[0]) - fmean(means[1])
    interval = _interval(tables, sizes, means, level, seed, times)
    many = [variance(each) for each in means if len(each) > 1]
    low, high = (None, None) if interval is None else (value - interval, value + interval)
    spread = sqrt(fmean(many)) if many else None
    return Pooled(value, low, high, level, min(len(one), len(other)), len(places), spread)


def _by_group(arm: Sequence[Values], places: Mapping[str, Sequence[str]]) -> list[list[float]]:
    """By seed and group the sum over the group's items."""
    return [[sum(values[item] for item in items) for items in places.values()] for values in arm]


def _interval(
    tables: Sequence[list[list[float]]],
    sizes: Sequence[int],
    means: Sequence[list[float]],
    level: float,
    seed: int,
    times: int,
) -> float | None:
    count = len(sizes)
    if count < 2:
        return None
    draws = _draws(tables, sizes, seed, times)
    by_groups = _of_groups(tables, sizes) * count / (count - 1)
    parts = [(by_groups, count - 1)]
    shrunk = by_groups * (count - 1) / count
    for each in means:
        if len(each) > 1:
            parts.append((variance(each) / len(each), len(each) - 1))
            shrunk += pvariance(each) / len(each)
    whole = sum(part for part, _ in parts)
    if not whole or not shrunk:
        return 0.0
    spread = sqrt(pvariance(draws) * whole / shrunk)
    freedom = whole**2 / sum(part**2 / df for part, df in parts if part)
    return student(1 - level, freedom) * max(spread, sqrt(whole))


def _draws(tables: Sequence[list[list[float]]], sizes: Sequence[int], seed: int, times: int) -> list[float]:
    rng, count = random.Random(seed), len(sizes)
    made = []
    for _ in range(times):
        at = rng.choices(range(count), k=count)
        weight = sum(sizes[place] for place in at)
        sides = [
            sum(sum(row[place] for place in at) for row in rng.choices(table, k=len(table))) / len(table)
            for table in tables
        ]
        made.append((sides[0] - sides[1]) / weight)
    return made


def _of_groups(tables: Sequence[list[list[float]]], sizes: Sequence[int]) -> float:
    """Variance of the pooled difference as the draw of groups makes it, the seeds averaged (a ratio's, linearised)."""
    first, second = ([fmean(column) for column in zip(*table, strict=True)] for table in tables)
    apart = [one - other for one, other in zip(first, second, strict=True)]
    ratio = sum(apart) / sum(sizes)
    rest = [each - ratio * size for each, size in zip(apart, sizes, strict=True)]
    return sum(each * each for each in rest) / sum(sizes) ** 2


def student(probability: float, freedom: float) -> float:
    """The quantile of Student's t for any positive `freedom`, by bisection of its integral.

    >>> round(student(0.975, 4), 3), round(student(0.95, 2), 3)
    (2.776, 2.92)
    """
    if probability <= 0.5:
        return 0.0 if probability == 0.5 else -student(1 - probability, freedom)
    if freedom > NEARLY_NORMAL:
        z = NormalDist().inv_cdf(probability)
        return z + (z**3 + z) / (4 * freedom)
    half = _integral(pi / 2, freedom)
    low, high = 0.0, pi / 2
    for _ in range(48):
        middle = (low + high) / 2
        if 0.5 + _integral(middle, freedom) / (2 * half) < probability:
            low = middle
        else:
            high = middle
    return sqrt(freedom) * tan(low) if low < atan(1e12) else inf


def _integral(end: float, freedom: float) -> float:
    """Of the density after t = sqrt(freedom) tan(angle), which is a power of a cosine (Simpson's rule)."""
    step = end / PANELS
    values = [max(0.0, cos(place * step)) ** (freedom - 1) for place in range(PANELS + 1)]
    total: float = step / 3 * (values[0] + values[-1] + 4 * sum(values[1:-1:2]) + 2 * sum(values[2:-1:2]))
    return total


def detectable(
    items: int, groups: int, seeds: int, level: float, spread: float, between: float, power: float = 0.8
) -> float:
    """The difference of two arms that is found with a likelihood of `power`, before anything is asked. `spread` is the standard
    deviation of one item's difference (0.45 for right and wrong where 20 % change sides), `between` that of one arm's mean
    from seed to seed; questions of one group are taken to correlate by 0.2."""
    worth = items / (1 + (items / max(groups, 1) - 1) * 0.2) if items else 0
    if worth <= 1:
        return inf
    freedom = max(1.0, worth - 1 if seeds < 2 else min(worth - 1, 2 * (seeds - 1) + worth / 2))
    error = sqrt(spread**2 / worth + 2 * between**2 / seeds)
    return (student(1 - level, freedom) + student(power, freedom)) * error
