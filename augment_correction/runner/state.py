"""How far a run is, as plain counters that a display polls, and the result of a finished run."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from augment_correction.errors import ExitCode
from augment_correction.export import Verification
from augment_correction.ledger import Ledger
from augment_correction.plan import Plan
from augment_correction.records import Conversation
from augment_correction.results.finished import read_conversations
from augment_correction.results.frames import conversations_to_dataset, conversations_to_pandas
from augment_correction.store import Outcome


@dataclass
class StageCounts:
    """The records of one stage, by what became of them; `done` is kept + rejected + failed. `kinds` are the kinds of conversation that
    the stage is for (None: all of them), `share` is the share of the passages that are expected to reach it, and `asks` says
    whether it asks a model, which takes time."""

    name: str
    kinds: frozenset[str] | None = None
    share: float = 1.0
    asks: bool = True
    kept: int = 0
    rejected: int = 0
    failed: int = 0
    in_flight: int = 0

    @property
    def done(self) -> int:
        return self.kept + self.rejected + self.failed


def counters(plan: Plan) -> dict[str, StageCounts]:
    """The counters of all stages, by name, at zero."""
    asking = {stage.name: stage for stage in plan.pipeline.model_stages}
    made = {}
    for station in plan.stages:
        share = plan.pipeline.share_at(asking[station.name]) if station.name in asking else 1.0
        made[station.name] = StageCounts(station.name, station.kinds, share, asks=station.name in asking)
    return made


@dataclass
class RunState:
    """The counters of a run: the runner writes them, a display reads them. `total`, the number of passages, is None until the last
    document has been read. `expected` is that number counted in advance, which is done only if a display needs it; in it identical
    passages count one by one."""

    stages: dict[str, StageCounts]
    unit: str = "passages"
    verdicts: tuple[str, str] = ("kept", "rejected")
    """What the display calls that which is counted (`unit`), and the two ways in which each of it can end."""
    ledger: Ledger | None = None
    phase: str = "starting"
    documents: int = 0
    unread: int = 0
    chunks: int = 0
    duplicates: int = 0
    finished: int = 0
    total: int | None = None
    expected: int | None = None
    reused: int = 0
    started: float = field(default_factory=time.monotonic)
    loading: tuple[str, int, int] | None = None
    """What the run is waiting for, such as the start of a server: (what, bytes done, bytes in all), or (what, seconds so far, 0). None
    while it waits for nothing."""
    notices: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    """How many records were rejected or failed, by "stage/reason"."""
    first: Conversation | None = None
    """The first conversation that this run has made, for the display."""
    _finish_times: deque[float] = field(default_factory=lambda: deque(maxlen=200))

    def note_finished(self, passages: int = 1) -> None:
        self.finished += passages
        self._finish_times.extend([time.monotonic()] * passages)

    def note_made(self, outcomes: Iterable[Outcome]) -> None:
        """`outcomes` are those of one passage, which has gone through all stages."""
        if self.first is None:
            self.first = next((each.body["conversation"] for each in outcomes if each.status == "kept"), None)

    def count_outcome(
        self, status: str, stage: str | None, reason: str | None, kind: str | None, times: int = 1
    ) -> None:
        """Count an outcome that another process has made (an earlier run, or another machine) as if this one had made it now."""
        if stage is not None and stage not in self.stages:  # rejected before the first stage
            self.reasons[f"{stage}/{reason}"] += times
            return
        for counts in self.stages.values():
            if counts.kinds is not None and kind not in counts.kinds:
                continue
            if counts.name == stage:
                setattr(counts, status, getattr(counts, status) + times)
                self.reasons[f"{stage}/{reason}"] += times
                return
            counts.kept += times

    @property
    def eta(self) -> float | None:
        """The seconds that are left at the pace of the last 200 passages; None while that is not known."""
        end = self.total if self.total is not None else self.expected
        if end is None or len(self._finish_times) < 2:
            return None
        first, last, gaps = self._finish_times[0], self._finish_times[-1], len(self._finish_times) - 1
        # The mean time from one finished passage to the next. The time since the last of them counts as soon as it makes that longer.
        pace = max((last - first) / gaps, (time.monotonic() - first) / (gaps + 1))
        return max(0, end - self.finished) * pace


@dataclass(frozen=True)
class Costs:
    """What was paid, in USD; None where a price is unknown. `run` is the cost of this run, `folder` that of all runs into its output
    folder. `kept` and `rejected` are the parts of `folder` that made the rows which stand in the files now. The rest, `other`, was
    paid with other settings, or for passages that are not finished."""

    run: Decimal | None
    folder: Decimal | None
    kept: Decimal | None
    rejected: Decimal | None

    @property
    def other(self) -> Decimal | None:
        if self.folder is None or self.kept is None or self.rejected is None:
            return None
        return self.folder - self.kept - self.rejected


@dataclass(frozen=True)
class RunResult:
    """The result of a run. `counts` are documents, unread, chunks, kept, rejected, failed, pending and reasons;
    `stopped` is the reason if it ended early. The conversations stay in the output `folder`, and are read from there.

    >>> result = run(load_config("configs/smoke.yaml", ["path.output_dir=outputs/result"]))
    >>> result.kept == result.counts["kept"] == len(list(result.conversations()))
    True
    >>> result.dataset.name, result.cost
    ('axolotl_correction_conversations.json', Decimal('0'))
    """

    folder: Path
    """The run's output folder."""
    exit_code: ExitCode
    counts: dict[str, Any]
    tokens: dict[str, dict[str, Any]]
    """By the role of a model, the contents of `<role>_model_tokens.json`."""
    costs: Costs
    seconds: float
    files: dict[str, Path]
    notices: tuple[str, ...] = ()
    stopped: str | None = None
    hint: str | None = None
    verification: Verification | None = None
    """How the loss mask compares with the tokenizer; None if no tokenizer is on this machine or nothing was kept."""

    @property
    def cost(self) -> Decimal | None:
        """The cost in USD of all runs into the output folder so far; `costs` has its parts."""
        return self.costs.folder

    @property
    def kept(self) -> int:
        return int(self.counts["kept"])

    @property
    def dataset(self) -> Path | None:
        """The path of the dataset, or None if nothing was kept: an empty dataset is not written, and an earlier one is moved aside."""
        return self.files.get("dataset")

    def conversations(self) -> Iterator[Conversation]:
        """The rows of the dataset one after the other, in its order: memory does not grow with their number."""
        return read_conversations(self.folder)

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with a row for each conversation: id, kind, messages (a list of {role, content, train, masked}: `train`
        is the loss mask, and the first `masked` characters of the content are never trained), source, title, page.

        Raises: MissingExtra where pandas is not installed.
        """
        return conversations_to_pandas(self.conversations())

    def to_dataset(self) -> Any:
        """The same rows as a `datasets.Dataset` in memory, for TRL or the hub.

        Raises: MissingExtra where datasets is not installed.
        """
        return conversations_to_dataset(self.conversations())


Watch = Callable[[RunState], AbstractContextManager[object]]
"""Given the state of a run, a context manager that displays it until it is left."""


def unwatched(_: RunState) -> AbstractContextManager[object]:
    return nullcontext()
