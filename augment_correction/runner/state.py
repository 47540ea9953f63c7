"""Where a run stands, as plain counters that a display polls, and what it came to."""

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
    """Records at one stage. `done` is kept + rejected + failed. `kinds` are the kinds of conversation it is for (None:
    all), `share` is how many of the passages are expected to come to it, `asks` says whether it takes time."""

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
    """By stage, at zero."""
    asking = {stage.name: stage for stage in plan.pipeline.model_stages}
    made = {}
    for station in plan.stages:
        share = plan.pipeline.share_at(asking[station.name]) if station.name in asking else 1.0
        made[station.name] = StageCounts(station.name, station.kinds, share, asks=station.name in asking)
    return made


@dataclass
class RunState:
    """Written by the runner, read by whoever watches. `total` is None until the last document is read; `expected` is
    counted ahead where somebody watches, identical passages not taken together."""

    stages: dict[str, StageCounts]
    unit: str = "passages"
    verdicts: tuple[str, str] = ("kept", "rejected")
    """For the display: what is counted, and what becomes of it."""
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
    """(what, done, total) while a server starts: bytes of weights, or seconds waited with total 0."""
    notices: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    """Rejects and failures by stage/reason."""
    first: Conversation | None = None
    """The first one that this run has made, for the display."""
    _finish_times: deque[float] = field(default_factory=lambda: deque(maxlen=200))

    def note_finished(self, passages: int = 1) -> None:
        self.finished += passages
        self._finish_times.extend([time.monotonic()] * passages)

    def note_made(self, outcomes: Iterable[Outcome]) -> None:
        """Of a passage that was followed to its end."""
        if self.first is None:
            self.first = next((each.body["conversation"] for each in outcomes if each.status == "kept"), None)

    def count_outcome(
        self, status: str, stage: str | None, reason: str | None, kind: str | None, times: int = 1
    ) -> None:
        """An outcome that was made elsewhere (by an earlier run, on another machine), counted as if here and now."""
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
        """Seconds to go at the pace of the last 200 passages; None while unknown."""
        end = self.total if self.total is not None else self.expected
        if end is None or len(self._finish_times) < 2:
            return None
        first, last, gaps = self._finish_times[0], self._finish_times[-1], len(self._finish_times) - 1
        # From finish to finish; the one that is under way counts as soon as it takes longer than those before it.
        pace = max((last - first) / gaps, (time.monotonic() - first) / (gaps + 1))
        return max(0, end - self.finished) * pace


@dataclass(frozen=True)
class Costs:
    """USD; None where a price is unknown. `kept` and `rejected` are parts of `folder`: what was paid for the passages
    that are in the files now. What is left was paid for other settings, or for passages that are not finished."""

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
    """Per role, what stands in `<role>_model_tokens.json`."""
    costs: Costs
    seconds: float
    files: dict[str, Path]
    notices: tuple[str, ...] = ()
    stopped: str | None = None
    hint: str | None = None
    verification: Verification | None = None
    """The mask against the tokenizer; None where no tokenizer is on this machine or nothing was kept."""

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
"""What shows a state as long as the block runs."""


def unwatched(_: RunState) -> AbstractContextManager[object]:
    return nullcontext()
