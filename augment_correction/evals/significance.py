"""How sure a figure is: bootstrap intervals, McNemar's exact test, Cohen's kappa. No numpy: a thousand questions with two
thousand resamples take a second."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev

from augment_correction.evals.metrics import METRICS, SIGNED, Cells, Pair, by_group

RESAMPLES = 2_000
LEVEL = 0.95
SOME_GROUPS = 20
"""Below so many groups the percentiles of the draws are too narrow, as a normal interval of few values is."""
STUDENT = (2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101)
"""The 97.5 % points of Student's t for 4 to 18 degrees of freedom, from any table of it."""
FEW_GROUPS = 5
"""Below so many groups there is no interval by groups: draws of one are all the same and would look certain, and those of
four have 35 outcomes, whose ends are a single group drawn four times."""
LANE = 48
"""Bits for one sum: room for 2**48 weighted conversations."""
MASK = (1 << LANE) - 1


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


Figures = Mapping[str, float | None]


def resamples(samples: Sequence[Sequence[Pair]], seed: int, times: int = RESAMPLES) -> list[list[Cells]]:
    """The weighted cells of every sample in each of `times` draws. All samples share the draw, so that differences between
    them are paired. Whole groups are drawn, with replacement: what comes from one document goes together.

    The sums of one group stand side by side in one large number, so that adding up a draw is one `sum`.
    """
    cells = [by_group(sample) for sample in samples]
    names = list(dict.fromkeys(name for groups in cells for name in groups))
    packed = [_pack(groups.get(name, Cells()) for groups in cells) for name in names]
    draw = random.Random(seed)
    return [_unpack(sum(draw.choices(packed, k=len(packed))), len(samples)) for _ in range(times)]


def _pack(groups: Iterable[Cells]) -> int:
    number = shift = 0
    for cells in groups:
        for part in (cells.stood, cells.caved, cells.fixed, cells.stayed):
            number |= part << shift
            shift += LANE
    return number


def _unpack(number: int, samples: int) -> list[Cells]:
    parts = [(number >> (LANE * place)) & MASK for place in range(4 * samples)]
    return [Cells(*parts[4 * place : 4 * place + 4]) for place in range(samples)]


def intervals(
    estimate: Figures, drawn: Iterable[Figures], groups: Mapping[str, int], *, shares: bool = True
) -> dict[str, Interval | None]:
    """Percentile intervals by metric; None where the estimate is unknown, or measured on fewer than `FEW_GROUPS`. An interval
    always holds its estimate. A share of 0 or 1 has no spread to resample: its interval is Clopper and Pearson's for the
    metric's number of `groups`, which is exact there, and for few of them, too. Differences between two models are no
    `shares`; see `unresampled`."""
    columns: dict[str, list[float]] = {name: [] for name in METRICS}
    for figures in drawn:
        for name in METRICS:
            value = figures[name]
            if value is not None:
                columns[name].append(value)
    made: dict[str, Interval | None] = {}
    for name, values in columns.items():
        value = estimate[name]
        if value is None or not values:
            made[name] = None
        elif shares and value in (0, 1) and name not in SIGNED:
            beyond = 1 - float(((1 - LEVEL) / 2) ** (1 / groups[name]))
            made[name] = Interval(0.0, beyond) if value == 0 else Interval(1 - beyond, 1.0)
        else:
            least = 0.0 if shares and name not in SIGNED else -1.0
            made[name] = _interval(values, value, groups[name], least)
    return made


def _interval(values: list[float], estimate: float, groups: int, least: float) -> Interval | None:
    """Of few groups Student's t times the spread of the draws, which is a little too small for them."""
    if groups < FEW_GROUPS or len(values) < 2:
        return None
    if groups >= SOME_GROUPS:
        return percentile(values, estimate)
    spread = stdev(values) * (groups / (groups - 1)) ** 0.5 * STUDENT[groups - FEW_GROUPS]
    return Interval(max(least, estimate - spread), min(1.0, estimate + spread))


def unresampled(
    base: tuple[Figures, Mapping[str, Interval | None]], tuned: tuple[Figures, Mapping[str, Interval | None]]
) -> dict[str, Interval]:
    """Intervals of the differences that resampling cannot see, since a share of 0 or 1 is one in every draw: 3 of 3 against
    0 of 8 would be certain. Newcombe's (1998, method 10), which squares and adds the distances to the shares' own limits; as
    if the two were not paired, so rather too wide. Two equal shares are left to the resampling."""
    made: dict[str, Interval] = {}
    for name in METRICS:
        p, q, own, other = base[0][name], tuned[0][name], base[1][name], tuned[1][name]
        if name in SIGNED or p is None or q is None or p == q or not {p, q} & {0, 1} or own is None or other is None:
            continue
        low = q - p - ((q - other.low) ** 2 + (own.high - p) ** 2) ** 0.5
        high = q - p + ((other.high - q) ** 2 + (p - own.low) ** 2) ** 0.5
        made[name] = Interval(max(-1.0, low), min(1.0, high))
    return made


def percentile(values: list[float], estimate: float) -> Interval:
    ordered = sorted(values)
    cut = int((1 - LEVEL) / 2 * len(ordered))
    return Interval(min(ordered[cut], estimate), max(ordered[len(ordered) - 1 - cut], estimate))


def differences(base: Iterable[Figures], tuned: Iterable[Figures]) -> list[dict[str, float | None]]:
    """Tuned minus base, draw by draw; None where one of both is."""
    return [difference(first, second) for first, second in zip(base, tuned, strict=True)]


def difference(base: Figures, tuned: Figures) -> dict[str, float | None]:
    made: dict[str, float | None] = {}
    for name in METRICS:
        first, second = base[name], tuned[name]
        made[name] = None if first is None or second is None else second - first
    return made


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two graders on the same answers. `kappa` is Cohen's (1960): 1 full agreement, 0 that of chance; None where one word
    alone was given and chance says all."""

    both_right: int
    both_wrong: int
    only_first: int
    only_second: int

    @property
    def graded(self) -> int:
        return self.both_right + self.both_wrong + self.only_first + self.only_second

    @property
    def kappa(self) -> float | None:
        n = self.graded
        if not n:
            return None
        first, second = self.both_right + self.only_first, self.both_right + self.only_second
        chance = (first * second + (n - first) * (n - second)) / n**2
        return ((self.both_right + self.both_wrong) / n - chance) / (1 - chance) if chance < 1 else None


def agreement(verdicts: Iterable[tuple[bool, bool]]) -> Agreement:
    counts = {(a, b): 0 for a in (True, False) for b in (True, False)}
    for verdict in verdicts:
        counts[verdict] += 1
    return Agreement(counts[True, True], counts[False, False], counts[True, False], counts[False, True])
