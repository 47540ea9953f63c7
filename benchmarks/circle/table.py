"""What the circle came to, as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from augment_correction.failures import Failure
from augment_correction.monitor.keeping import MonitorStore

FIGURES = ("accuracy_t1", "accuracy_t2", "stand_by")
TUNED = "tuned"


def table(keep: MonitorStore, snapshot: Mapping[str, Any]) -> Iterator[str]:
    yield from _monitored(list(keep.decided()))
    queued = [str(job["rows"]) for job in snapshot["jobs"] if not job["run"]]
    yield f"\nrows queued by the monitor: {' + '.join(queued) or 'none'}\n"
    yield "| round | rows | goes on from | right at once | after a doubt | stands by | decision |"
    yield "|---|---|---|---|---|---|---|"
    by_round = {job["round"]: job for job in snapshot["jobs"]}
    for made in snapshot["rounds"]:
        yield from _round(made, by_round[made["number"]]["rows"])
    yield ""
    for made in snapshot["rounds"]:
        yield from (f"round {made['number']}: {reason}" for reason in _reasons(made))


def repeated(answers: Sequence[Failure], items: int) -> int:
    """Questions that the monitor asked again while others had not been asked."""
    asked = Counter(each.item for each in answers)
    return sum(asked.values()) - len(asked) if len(asked) < items else 0


def _monitored(answers: Sequence[Failure]) -> Iterator[str]:
    yield "| training | step | graded | right |"
    yield "|---|---|---|---|"
    for (training, step), found in _by_step(answers).items():
        right = sum(each.verdict == "right" for each in found)
        yield f"| {training} | {step} | {len(found)} | {right / len(found):.0%} |"


def _by_step(answers: Sequence[Failure]) -> dict[tuple[int, int], list[Failure]]:
    """Each training looks before its first step; one that goes on after a kill does not."""
    found: dict[tuple[int, int], list[Failure]] = {}
    training, last = 1, 0
    for each in answers:
        step = each.step or 0
        training += step == 0 < last
        last = step
        found.setdefault((training, step), []).append(each)
    return found


def _round(made: Mapping[str, Any], rows: int) -> Iterator[str]:
    origin = f"round {made['parent']}" if made["parent"] else "the base model"
    shown = ["", "", ""]
    if made["metrics"]:
        models = made["metrics"]["gate"]["models"]
        base, tuned = (models[name]["figures"]["all"] for name in (made["metrics"]["base"], TUNED))
        shown = [f"{_percent(base[name])} -> {_percent(tuned[name])}" for name in FIGURES]
    yield f"| {made['number']} | {rows} | {origin} | {' | '.join(shown)} | {made['decision']}: {made['reason']} |"


def _percent(figure: Mapping[str, float | None]) -> str:
    value, low, high = (figure[name] for name in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return "-"
    return f"{value:.0%} ({low:.0%} to {high:.0%})"


def _reasons(made: Mapping[str, Any]) -> Iterator[str]:
    marks = {True: "holds", False: "broken", None: "not sure"}
    if made["metrics"]:
        for reason in made["metrics"]["decisions"][TUNED]["reasons"]:
            yield f"{marks[reason['holds']]}: {reason['text']}"
