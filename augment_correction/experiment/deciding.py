"""Is the hypothesis supported, and is the round's model to be taken: each condition with its figure, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any, Literal

from augment_correction.evals.decision import Reason
from augment_correction.evals.diversity import equal
from augment_correction.evals.pooling import RESAMPLES, Pooled, Values, pooled
from augment_correction.experiment.config import RANDOM, TARGETED
from augment_correction.experiment.sections import DecisionConfig
from augment_correction.experiment.weak import Observed
from augment_correction.rows import Item

Outcome = Literal["SUPPORTED", "NOT SUPPORTED", "UNDECIDED"]
Taken = Literal["accept", "reject", "undecided"]
BASE = "base"
CURRENT = "current"
SENTINEL_LEVEL = 0.05


@dataclass(frozen=True)
class MeasuredArms:
    """Observations of the base, and by arm one for each seed."""

    base: Observed
    arms: Mapping[str, Sequence[Observed]]
    current: Sequence[Observed] = ()
    """Of the model that an earlier round had accepted, one for each seed; empty where it is the base."""


@dataclass(frozen=True)
class Judged:
    """`reasons` decide about the hypothesis, `guards` with the second of them about the model."""

    hypothesis: Outcome
    model: Taken
    reasons: tuple[Reason, ...]
    guards: tuple[Reason, ...]
    differences: Mapping[str, Pooled | None]

    def as_json(self) -> dict[str, Any]:
        return {
            "hypothesis": self.hypothesis,
            "model": self.model,
            "reasons": [{"holds": each.holds, "text": each.text} for each in self.reasons],
            "guards": [{"holds": each.holds, "text": each.text} for each in self.guards],
            "differences": {name: as_json(each) for name, each in self.differences.items()},
        }


def as_json(each: Pooled | None) -> dict[str, Any] | None:
    if each is None:
        return None
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(each).items()}


def values(seen: Observed, items: Sequence[Item], figure: str) -> Values:
    """Higher is better; items without the figure are left out."""
    made: dict[str, float] = {}
    for item in items:
        each = seen.get(item.id)
        if each is None:
            continue
        if figure == "accuracy" and each.right is not None:
            made[item.id] = float(each.right)
        if figure == "nll" and each.nll is not None:
            made[item.id] = -each.nll
    return made


def difference(
    measured: MeasuredArms,
    items: Sequence[Item],
    figure: str,
    one: str,
    other: str,
    level: float,
    seed: int,
    times: int = RESAMPLES,
) -> Pooled | None:
    """Arm `one` less `other`, where higher is better."""
    groups = {item.id: item.group for item in items}
    sides = [
        [values(measured.base, items, figure)]
        if name == BASE
        else [values(seen, items, figure) for seen in measured.arms.get(name, ())]
        for name in (one, other)
    ]
    found = pooled(sides[0], sides[1], groups, level, seed, times)
    # The base was not trained: it has no seed to be drawn.
    return replace(found, seeds=len(sides[0])) if found and other == BASE else found


def judge(
    measured: MeasuredArms,
    weak: Sequence[Item],
    sentinels: Sequence[Item],
    config: DecisionConfig,
    level: float,
    seed: int,
) -> Judged:
    """`weak` are the dev items of the weak areas; `level` is this round's part of alpha."""
    against = {
        f"{TARGETED} - {name}": difference(measured, weak, config.figure, TARGETED, name, level, seed)
        for name in (RANDOM, BASE)
        if name == BASE or name in measured.arms
    }
    reasons = tuple(_reasons(against, config, level))
    guards = tuple(_guards(measured, weak, sentinels, config, seed))
    better = next(each for name, each in zip(against, reasons, strict=False) if name.endswith(BASE))
    holds = [each.holds for each in reasons]
    hypothesis: Outcome = "NOT SUPPORTED" if False in holds else "UNDECIDED" if None in holds else "SUPPORTED"
    kept = [better.holds, *(each.holds for each in guards)]
    taken: Taken = "reject" if False in kept else "undecided" if None in kept else "accept"
    return Judged(hypothesis, taken, reasons, guards, against)


def _reasons(against: Mapping[str, Pooled | None], config: DecisionConfig, level: float) -> Iterator[Reason]:
    for name, found in against.items():
        yield _beyond(found, name, config, level)
    if f"{TARGETED} - {RANDOM}" not in against:
        yield Reason(
            None,
            "there is no control arm, so that an improvement cannot be attributed to the targeted data (arms: [targeted, random])",
        )
    elif (found := against[f"{TARGETED} - {RANDOM}"]) and found.seeds < 2:
        yield Reason(
            None,
            "only one seed was trained, so that the variation between trainings on the same data is unknown (seeds: 3)",
        )


def _beyond(found: Pooled | None, name: str, config: DecisionConfig, level: float) -> Reason:
    what = "right answers" if config.figure == "accuracy" else "loss of the reference answer"
    if found is None:
        return Reason(None, f"{name}: {what} could not be compared")
    wanted = f"wanted more than {spelt(config.margin, config.figure)} better at level {level:.3g}"
    told = f"{name}: {what} {shown(found, config.figure)} on {found.groups} groups, {found.seeds} seeds; {wanted}"
    if found.low is None or found.high is None:
        return Reason(None, f"{told}; one group has no interval")
    if found.low > config.margin + 1e-12:
        return Reason(True, told)
    # One training is one draw: it can no more refute than prove.
    return Reason(False if found.seeds > 1 and found.high <= config.margin + 1e-12 else None, told)


def _guards(
    measured: MeasuredArms, weak: Sequence[Item], sentinels: Sequence[Item], config: DecisionConfig, seed: int
) -> Iterator[Reason]:
    targeted = measured.arms[TARGETED]
    if measured.current:
        yield _not_behind(measured, weak, config, seed)
    if not sentinels:
        yield Reason(True, "no sentinel questions are named, so that losses elsewhere are unknown (sets.sentinel)")
    else:
        yield from _sentinels(measured, sentinels, config, seed)
    base, *after = equal(
        *([seen[item.id].answer for item in weak if item.id in seen] for seen in (measured.base, *targeted))
    )
    known = [each.distinct_2 for each in after if each]
    if base and known:
        fall = base.distinct_2 - fmean(known)
        told = f"distinct-2 of the answers {base.distinct_2:.3f} -> {fmean(known):.3f}; may fall by {config.max_diversity_drop:g}"
        yield Reason(fall <= config.max_diversity_drop + 1e-9, told)
    lost = [_unusable(seen, weak) for seen in (measured.base, *targeted)]
    rise = fmean(lost[1:]) - lost[0]
    told = f"cut off or empty answers {100 * lost[0]:.1f} % -> {100 * fmean(lost[1:]):.1f} %; may rise by {100 * config.max_truncated:g} points"
    yield Reason(rise <= config.max_truncated + 1e-9, told)


def _not_behind(measured: MeasuredArms, weak: Sequence[Item], config: DecisionConfig, seed: int) -> Reason:
    """A later round must not fall behind the one that is current: both may be better than the base."""
    both = MeasuredArms(measured.base, {TARGETED: measured.arms[TARGETED], CURRENT: measured.current})
    found = difference(both, weak, config.figure, TARGETED, CURRENT, SENTINEL_LEVEL, seed)
    if found is None:
        return Reason(None, "the current model could not be compared")
    told = f"against the current model: {shown(found, config.figure)}; may not fall"
    return Reason(True if found.value >= -1e-9 else False if found.high is not None and found.high < 0 else None, told)


def _sentinels(measured: MeasuredArms, items: Sequence[Item], config: DecisionConfig, seed: int) -> Iterator[Reason]:
    found = difference(measured, items, "accuracy", TARGETED, BASE, SENTINEL_LEVEL, seed)
    if found is None:
        yield Reason(None, "no sentinel question could be graded")
    else:
        told = f"sentinels: right answers {shown(found, 'accuracy')}; may fall by {100 * config.max_sentinel_drop:g} points"
        least = -config.max_sentinel_drop - 1e-9
        beyond = found.high is None or found.high < least
        yield Reason(True if found.value >= least else False if beyond else None, told)
    ratio = nll_ratio(measured, items)
    if ratio is not None:
        yield Reason(
            ratio <= config.max_nll_ratio, f"sentinels: loss times {ratio:.2f}; at most {config.max_nll_ratio:g}"
        )


def nll_ratio(measured: MeasuredArms, items: Sequence[Item]) -> float | None:
    before = values(measured.base, items, "nll")
    after = [found for seen in measured.arms[TARGETED] if (found := values(seen, items, "nll"))]
    if not before or not after:
        return None
    base = -fmean(before.values())
    return fmean(-fmean(each.values()) for each in after) / base if base > 0 else None


def _unusable(seen: Observed, items: Sequence[Item]) -> float:
    held = [seen[item.id] for item in items if item.id in seen]
    return fmean(each.problem in ("truncated", "empty") for each in held) if held else 0.0


# ---------------------------------------------------------------------------------------------------- words


def spelt(value: float, figure: str) -> str:
    return f"{100 * value:g} points" if figure == "accuracy" else f"{value:g} nats"


def shown(found: Pooled, figure: str) -> str:
    """Signed so that plus is better, in either figure."""
    scale, unit = (100, "points") if figure == "accuracy" else (1, "nats")
    form = "+.1f" if figure == "accuracy" else "+.3f"
    better = "" if figure == "accuracy" else " (plus: less)"
    if found.low is None or found.high is None:
        return f"{scale * found.value:{form}} {unit}{better}"
    return f"{scale * found.value:{form}} {unit} ({scale * found.low:{form}} to {scale * found.high:{form}}){better}"
