"""Did training on it help? Questions of past batches, asked again of a model of today.

Asked are some of each pattern of errors, and some that were right when the batch was made: only those can get worse. A
batch, or a pattern, is improved or regressed where its share of right answers changed by five points or more. What nobody
can grade counts neither before nor after.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from augment_correction.config import RunConfig
from augment_correction.errors import InputError
from augment_correction.failures import Failure, distinct, read_failures
from augment_correction.monitor.asking import Asking, question
from augment_correction.monitor.items import Item
from augment_correction.monitor.keeping import Batch, Keep
from augment_correction.monitor.manual import TARGET
from augment_correction.monitor.sorting import Reply, Sorter
from augment_correction.records import content_id

Outcome = Literal["improved", "neutral", "regressed"]
POINTS = 0.05
RIGHT = "(right before)"
Pair = tuple[Failure, Failure]
"""The same question then and now."""


@dataclass(frozen=True, slots=True)
class Impact:
    """Of the questions that were graded both times. `repaired` were wrong and are right, `broken` the other way round."""

    batch: str
    pattern: str
    asked: int
    before: int
    after: int
    repaired: int
    broken: int
    undecided: int
    outcome: Outcome


def measure(config: RunConfig, keep: Keep, samples: int, folder: Path) -> tuple[list[Impact], dict[str, Any]]:
    """One for each batch ("all"), and one for each of its patterns; and what was paid. Calls are journaled in `folder`.

    Raises: UserError.
    """
    chosen = {batch.stem: _chosen(batch, samples) for batch in keep.batches()}
    if not chosen:
        raise InputError(f"there is no batch in {keep.root}", hint="a training with the monitor makes them")
    every = [each for groups in chosen.values() for group in groups.values() for each in group]
    asked = distinct(every)
    now, paid = _ask(config, asked, folder)
    made = []
    for stem, groups in chosen.items():
        pairs = {pattern: [(then, now[then.id]) for then in group] for pattern, group in groups.items()}
        once = {then.id: (then, today) for group in pairs.values() for then, today in group}
        made.append(_impact(stem, "all", once.values()))
        made += [_impact(stem, pattern, group) for pattern, group in pairs.items()]
    return made, paid


def _chosen(batch: Batch, samples: int) -> dict[str, list[Failure]]:
    groups: dict[str, list[Failure]] = {}
    for each in distinct(read_failures(batch.failures)):
        for pattern in (each.patterns or ("(no code)",)) if each.verdict == "wrong" else (RIGHT,):
            groups.setdefault(pattern, []).append(each)
    return {name: sorted(groups[name], key=lambda each: content_id(name, each.id))[:samples] for name in sorted(groups)}


def _ask(config: RunConfig, failures: Sequence[Failure], folder: Path) -> tuple[dict[str, Failure], dict[str, Any]]:
    sampling = {"temperature": 0, "max_tokens": 2048}
    replies, paid = Asking(config, TARGET, folder, sampling).ask([question(each.question) for each in failures])
    items = [Item(each.question, each.reference, each.category) for each in failures]
    read = [Reply(reply.text, reply.finish_reason) if reply else Reply("") for reply in replies]
    graded = Sorter(config, folder / "judge").sort(
        list(zip(items, read, strict=True)), model=config.model(TARGET).model
    )
    return {then.id: today for then, today in zip(failures, graded, strict=True)}, paid


def _impact(batch: str, pattern: str, pairs: Iterable[Pair]) -> Impact:
    every = list(pairs)
    known = [
        (then.verdict == "right", today.verdict == "right") for then, today in every if today.verdict != "undecided"
    ]
    before, after = (sum(each[side] for each in known) for side in (0, 1))
    change = (after - before) / len(known) if known else 0.0
    outcome: Outcome = "improved" if change >= POINTS else "regressed" if change <= -POINTS else "neutral"
    repaired, broken = known.count((False, True)), known.count((True, False))
    return Impact(batch, pattern, len(known), before, after, repaired, broken, len(every) - len(known), outcome)


def as_json(impacts: Iterable[Impact], model: str) -> dict[str, Any]:
    return {"model": model, "points": 100 * POINTS, "impacts": [asdict(each) for each in impacts]}
