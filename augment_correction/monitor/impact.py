"""Did training on it help? Questions of past batches, asked again of a model of today.

Asked are some of each pattern of errors, and some that were right when the batch was made: only those can get worse. A
batch, or a pattern, is improved or regressed where its share of right answers changed by five points or more, with a question
mark where so many changes may be chance (McNemar's exact test). What nobody can grade counts neither before nor after. They
are asked as they were for the batch: its system prompt, its `max_tokens`.

    impact/STAMP/journal.sqlite        the replies of one re-test, which goes on from there after a kill
    impact/impact_STAMP.json           what came out; with it the re-test is finished, and the next one asks anew, since a server
                                       may by then have other weights under the same name
    impact/judge/                      of all re-tests: what a judge said to an answer it says again
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

from augment_correction.config import RunConfig
from augment_correction.errors import InputError
from augment_correction.failures import Failure, distinct, read_failures
from augment_correction.grading.flips import mcnemar
from augment_correction.llm.queries import Query, QueryRun, messages
from augment_correction.monitor.keeping import Batch, MonitorStore, read_json
from augment_correction.monitor.manual import TARGET
from augment_correction.monitor.sorting import RawReply, Sorter
from augment_correction.records import content_id
from augment_correction.rows import Item

Outcome = Literal["improved", "neutral", "regressed"]
POINTS = 0.05
ALPHA = 0.05
"""From this p on a change may be chance."""
RIGHT = "(right before)"
Pair = tuple[Failure, Failure]
"""The same question then and now."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a batch's questions were asked. A batch that does not say so is older than the keys: these were their defaults."""

    max_tokens: int = 2048
    system_prompt: str | None = None


Key = tuple[Way, str]
"""The same answer to a question may have been given in two ways."""


@dataclass(frozen=True, slots=True)
class Retest:
    root: Path
    stamp: str

    @property
    def folder(self) -> Path:
        return self.root / self.stamp

    @property
    def result(self) -> Path:
        return self.root / f"impact_{self.stamp}.json"

    @classmethod
    def of(cls, root: Path, now: datetime, *, fresh: bool = False) -> Self:
        """The last one where it was not finished, unless it is to be a `fresh` one."""
        last = max((path.parent.name for path in root.glob("[0-9]*/journal.sqlite")), default=None)
        if last is not None and not fresh and not (unfinished := cls(root, last)).result.exists():
            return unfinished
        return cls(root, now.strftime("%Y%m%d_%H%M%S_%f"))


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
    p: float
    """McNemar's, of `repaired` against `broken`; of one pattern among many, so no more than a hint."""
    outcome: Outcome

    @property
    def mark(self) -> str:
        return self.outcome if self.outcome == "neutral" or self.p < ALPHA else f"{self.outcome}?"


def measure(
    config: RunConfig, keep: MonitorStore, samples: int, retest: Retest, say: Callable[[str], None] = lambda line: None
) -> tuple[list[Impact], dict[str, Any]]:
    """One for each batch ("all"), and one for each of its patterns; and what was paid.

    Raises: UserError.
    """
    chosen = {batch: _chosen(batch, samples) for batch in keep.batches()}
    if not chosen:
        raise InputError(
            f"there is no batch of the monitor in {keep.root}", hint="a training with the monitor creates batches"
        )
    ways = {batch: _way(batch) for batch in chosen}
    if old := [batch.stem for batch, way in ways.items() if way is None]:
        say(
            f"{len(old)} batches do not say how they were asked, and are asked in the default way ({Way()}): {', '.join(old)}"
        )
    keys = {
        (ways[batch] or Way(), then.id): then
        for batch, groups in chosen.items()
        for group in groups.values()
        for then in group
    }
    now, paid = _ask(config, keys, retest)
    made = []
    for batch, groups in chosen.items():
        way = ways[batch] or Way()
        pairs = {pattern: [(then, now[way, then.id]) for then in group] for pattern, group in groups.items()}
        once = {then.id: (then, today) for group in pairs.values() for then, today in group}
        made.append(_impact(batch.stem, "all", once.values()))
        made += [_impact(batch.stem, pattern, group) for pattern, group in pairs.items()]
    return made, paid


def _way(batch: Batch) -> Way | None:
    plan = read_json(batch.plan)
    return Way(plan["max_tokens"], plan["system_prompt"]) if "max_tokens" in plan else None


def _chosen(batch: Batch, samples: int) -> dict[str, list[Failure]]:
    groups: dict[str, list[Failure]] = {}
    for each in distinct(read_failures(batch.failures)):
        for pattern in (each.patterns or ("(no code)",)) if each.verdict == "wrong" else (RIGHT,):
            groups.setdefault(pattern, []).append(each)
    return {name: sorted(groups[name], key=lambda each: content_id(name, each.id))[:samples] for name in sorted(groups)}


def _ask(
    config: RunConfig, failures: Mapping[Key, Failure], retest: Retest
) -> tuple[dict[Key, Failure], dict[str, Any]]:
    replies, paid = QueryRun(config, TARGET, retest.folder).ask([
        Query(messages(then.question, way.system_prompt), {"temperature": 0, "max_tokens": way.max_tokens})
        for (way, _), then in failures.items()
    ])  # fmt: skip
    items = [Item(each.question, each.reference, each.category) for each in failures.values()]
    model = config.model(TARGET)
    read = [RawReply.of(reply, model) for reply in replies]
    graded = Sorter(config, retest.root / "judge").sort(list(zip(items, read, strict=True)), model=model.model)
    old = sum(reply.cached for reply in replies if reply)
    return dict(zip(failures, graded, strict=True)), {**paid, "old": old}


def _impact(batch: str, pattern: str, pairs: Iterable[Pair]) -> Impact:
    every = list(pairs)
    known = [
        (then.verdict == "right", today.verdict == "right") for then, today in every if today.verdict != "undecided"
    ]
    before, after = (sum(each[side] for each in known) for side in (0, 1))
    change = (after - before) / len(known) if known else 0.0
    outcome: Outcome = "improved" if change >= POINTS else "regressed" if change <= -POINTS else "neutral"
    repaired, broken = known.count((False, True)), known.count((True, False))
    undecided, p = len(every) - len(known), mcnemar(repaired, broken)
    return Impact(batch, pattern, len(known), before, after, repaired, broken, undecided, p, outcome)


def as_json(impacts: Iterable[Impact], model: str) -> dict[str, Any]:
    made = [{**asdict(each), "mark": each.mark} for each in impacts]
    return {"model": model, "points": 100 * POINTS, "alpha": ALPHA, "impacts": made}
