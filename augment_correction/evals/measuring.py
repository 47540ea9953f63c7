"""Figures of several samples with their intervals, and how far two of them are apart."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from augment_correction.evals.metrics import Pair, groups_of, weighted
from augment_correction.evals.significance import (
    RESAMPLES,
    Figures,
    Interval,
    difference,
    differences,
    intervals,
    resamples,
    unresampled,
)

K = TypeVar("K", bound=Hashable)
Bounds = dict[str, float | None]
"""`value`, `low` and `high`; None where they are not known."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures with their intervals, the figures of every draw, and by metric how many groups it is measured on."""

    figures: Figures
    own: Mapping[str, Interval | None]
    drawn: Sequence[Figures]
    groups: Mapping[str, int]

    @property
    def bounds(self) -> dict[str, Bounds]:
        return _bounds(self.figures, self.own)


def measured(samples: Mapping[K, Sequence[Pair]], seed: int, times: int = RESAMPLES) -> dict[K, Measured]:
    """All samples share the `times` draws, so that differences between them are paired."""
    draws = resamples(list(samples.values()), seed, times)
    drawn = dict(zip(samples, zip(*draws, strict=True), strict=True)) if samples else {}
    made = {}
    for key, sample in samples.items():
        figures, counts = weighted(sample).metrics(), groups_of(sample)
        spread = [cells.metrics() for cells in drawn[key]]
        made[key] = Measured(figures, intervals(figures, spread, counts), spread, counts)
    return made


def apart(base: Measured, tuned: Measured) -> dict[str, Bounds]:
    """Tuned minus base, by metric."""
    found = difference(base.figures, tuned.figures)
    groups = {name: min(count, tuned.groups[name]) for name, count in base.groups.items()}
    drawn = intervals(found, differences(base.drawn, tuned.drawn), groups, shares=False)
    return _bounds(found, drawn | unresampled((base.figures, base.own), (tuned.figures, tuned.own)))


def _bounds(figures: Figures, found: Mapping[str, Interval | None]) -> dict[str, Bounds]:
    made: dict[str, Bounds] = {}
    for name, value in figures.items():
        interval = found[name]
        low, high = (interval.low, interval.high) if interval else (None, None)
        made[name] = {"value": rounded(value), "low": rounded(low), "high": rounded(high)}
    return made


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
