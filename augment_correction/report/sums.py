"""The figures of the overview, made while the rows stream past: their memory does not grow with the rows, but for one
number a row (its class)."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from augment_correction.store import Outcome
from augment_correction.usage import CallTotals, Price, Usage

RowClass = tuple[str, str | None, str | None, str | None]
"""(status, stage, reason, kind of the conversation)"""
ENDS = ("rejected", "failed", "gate")
"""Statuses of what does not come to the end of the funnel."""
READ = "read"
"""Where a passage ends that lacks what the pipeline takes from its document."""


@dataclass
class Classes:
    """Which status, stage, reason and kind each row has, as a number into `names`."""

    names: list[RowClass] = field(default_factory=list)
    ends: Counter[RowClass] = field(default_factory=Counter)
    """Rows by class, with the kind that a row was to become where it was not kept."""
    of_row: array[int] = field(default_factory=lambda: array("H"))
    _numbers: dict[RowClass, int] = field(default_factory=dict)

    def add(self, outcome: Outcome | None) -> None:
        """None: the passage has no outcome yet."""
        name: RowClass = ("pending", None, None, None)
        if outcome:
            name = (outcome.status, outcome.stage, outcome.reason, outcome.kind if outcome.status == "kept" else None)
            self.ends[(outcome.status, outcome.stage, outcome.reason, outcome.kind)] += 1
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        self.of_row.append(self._numbers[name])

    def counts(self) -> Counter[RowClass]:
        return Counter({self.names[number]: count for number, count in Counter(self.of_row).items()})


def funnel(stages: Iterable[Mapping[str, Any]], ends: Counter[RowClass]) -> list[dict[str, Any]]:
    """The stages as a graph, `kept` at its end: for each how many records reached it, how many it rejected, failed to do
    or kept for the held-out set, and `from` whence they came, as [place in the list, count], with -1 for the passages. Stages
    for different kinds of conversation stand beside each other in one `column`. Composing ends nothing and is left out.
    """
    steps = [*_steps(stages, ends), {"stage": "kept", "does": None, "model": None, "kinds": None}]
    came: list[Counter[int]] = [Counter() for _ in steps]
    lost: list[Counter[str]] = [Counter() for _ in steps]
    for (status, ended, _, kind), count in ends.items():
        at = -1
        for place, step in enumerate(steps):
            here = status in ENDS and step["stage"] == ended
            if not here and (step["kinds"] and kind not in step["kinds"]):
                continue
            came[place][at] += count
            at = place
            if here:
                lost[place][status] += count
                break
    columns = _columns(steps, came)
    return [
        {
            **step,
            "column": column,
            "in": froms.total(),
            **{end: gone[end] for end in ENDS},
            "from": sorted(froms.items()),
        }
        for step, column, froms, gone in zip(steps, columns, came, lost, strict=True)
    ]


def _steps(stages: Iterable[Mapping[str, Any]], ends: Counter[RowClass]) -> list[dict[str, Any]]:
    """What came to its end where no stage of the pipeline is: before all of them (`read`), or after (the selection, and
    stages that the pipeline no longer has)."""
    made = [
        {"stage": spec.get("name") or spec["stage"], "does": spec["stage"], "model": spec.get("model"),
         "kinds": list(spec["only"]) if spec.get("only") else None}
        for spec in stages if spec["stage"] not in ("chunk", "compose")
    ]  # fmt: skip
    ended = {stage for status, stage, *_ in ends if status in ENDS and stage} - {step["stage"] for step in made}
    others = [{"stage": name, "does": None, "model": None, "kinds": None} for name in sorted(ended, key=str)]
    return [
        *(each for each in others if each["stage"] == READ),
        *made,
        *(each for each in others if each["stage"] != READ),
    ]


def _columns(steps: list[dict[str, Any]], came: list[Counter[int]]) -> list[int]:
    """Each step behind the last one that has a kind in common with it, and behind all from which something came."""
    columns: list[int] = []
    for step, froms in zip(steps, came, strict=True):
        kinds = step["kinds"]
        before = [
            column for place, (column, earlier) in enumerate(zip(columns, steps, strict=False))
            if place in froms or not kinds or not earlier["kinds"] or set(kinds) & set(earlier["kinds"])
        ]  # fmt: skip
        columns.append(1 + max(before, default=-1))
    return columns


def drawn_shares(
    weights: Mapping[str, Mapping[str, float]], counted: Mapping[str, Mapping[str, Sequence[int]]]
) -> list[dict[str, Any]]:
    """Of each field that is drawn, in the pipeline's order: its words as [word, the share that it should have, how many got it, how
    many of them were kept]."""
    made = []
    for name, words in weights.items():
        if name not in counted:
            continue
        total = sum(words.values())
        rows = [
            [word, round(weight / total, 4), *counted[name].get(word, (0, 0))]
            for word, weight in words.items()
            if weight
        ]
        made.append({"name": name, "words": rows})
    return made


def spending(totals: Iterable[CallTotals], prices: Mapping[str, Price | None]) -> list[dict[str, Any]]:
    """Tokens and USD by stage and model; an unknown price makes `cost` None."""
    rows = []
    for each in totals:
        price = prices.get(each.role)
        usage = Usage(each.input, each.output, each.cached_input, each.reasoning)
        rows.append(
            {
                "stage": each.stage, "role": each.role, "model": each.model, "requests": each.requests,
                "failures": each.failures, "input": each.input, "output": each.output,
                "cached_input": each.cached_input, "reasoning": each.reasoning, "estimated": each.estimated,
                "cost": float(round(price.cost(usage), 8)) if price else None,
            }
        )  # fmt: skip
    return rows


@dataclass
class Lengths:
    """A histogram in the making: how often each length came."""

    name: str
    unit: str
    seen: Counter[int] = field(default_factory=Counter)

    def as_json(self, bins: int = 32) -> dict[str, Any]:
        """Bins of one round width up to the 99.5th percentile; what is longer stands in the last one."""
        lengths = sorted(self.seen)
        sums, total = [], 0
        for length in lengths:
            total += self.seen[length]
            sums.append(total)
        made: dict[str, Any] = {"name": self.name, "unit": self.unit, "total": total}
        if not total:
            return made

        def percentile(share: float) -> int:
            return lengths[bisect_left(sums, share * total)]

        width = round_up(max(1, -(-percentile(0.995) // bins)))
        counts = [0] * (percentile(0.995) // width + 1)
        for length in lengths:
            counts[min(length // width, len(counts) - 1)] += self.seen[length]
        made |= {"width": width, "counts": counts, "cut": lengths[-1] // width >= len(counts)}
        return made | {
            "min": lengths[0], "median": percentile(0.5), "p95": percentile(0.95), "max": lengths[-1],
            "mean": round(sum(length * count for length, count in self.seen.items()) / total, 1),
        }  # fmt: skip


def round_up(width: int) -> int:
    """The next of 1, 2, 4, 5, 8, 10, 20, 25, 40, 50, 80, 100 ..."""
    scale = 1
    while True:
        for step in (1, 2, 4, 5, 8) if scale == 1 else (1, 2, 2.5, 4, 5, 8):
            if width <= step * scale:
                return int(step * scale)
        scale *= 10
