"""One actor of the cluster: a small run of its own, with its share of the limits and its own journal."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

import ray

from augment_correction.config import RunConfig
from augment_correction.documents import counting
from augment_correction.documents.folder_settings import Folders
from augment_correction.errors import ConfigError, Interrupted
from augment_correction.ledger import Ledger
from augment_correction.llm.metered import Halt, Halted
from augment_correction.llm.opening import open_models
from augment_correction.llm.session import Session
from augment_correction.plan import Plan, make_plan
from augment_correction.runner.cluster.allowance import leased
from augment_correction.runner.cluster.board import packed
from augment_correction.runner.cluster.feed import Feed
from augment_correction.runner.cluster.shares import share_of
from augment_correction.runner.following import Follower
from augment_correction.runner.source import Placed, record_of
from augment_correction.runner.state import RunState, counters
from augment_correction.store import Database, Outcome, Results
from augment_correction.store.journal import SCHEMA
from augment_correction.store.journals import SharedJournal
from augment_correction.store.outcomes import OUTCOMES, Status
from augment_correction.usage import CallTotals

BEAT = 0.5
"""Seconds between an actor's signs of life; what halts one of them stops the others within as long."""


@dataclass(frozen=True)
class ActorSetup:
    """What every actor is made from. The config carries its API keys: they travel inside the cluster."""

    config: RunConfig
    fingerprint: str
    actors: int
    paid: tuple[CallTotals, ...]
    frozen: str | None
    folders: Folders = field(default_factory=Folders)
    """The settings of the input's folders, which only the driver needs to have."""


@dataclass(frozen=True)
class BatchResult:
    """What comes back for a batch: counts for the display. Its outcomes are on disk, in the actor's journal."""

    passages: int = 0
    """That came to an end."""
    ends: dict[End, int] = field(default_factory=dict)
    spent: dict[str, dict[str, int]] = field(default_factory=dict)
    """What the actor's ledger grew by since it last said so; the sums of the end come from the journals."""
    first: Outcome | None = None
    """The first conversation that this actor has made."""


End = tuple[Status, str | None, str | None, str | None]
"""(status, stage, reason, kind) of an outcome."""


class FollowPassages:
    """Everything that belongs to an event loop is opened by the first batch, on the loop that Ray runs all batches on."""

    def __init__(self, job: ActorSetup, board: Any) -> None:
        self._job = job
        self._board = board
        self._actor = ray.get_runtime_context().get_actor_id()
        # A process that was taken for dead may still write: what replaces it begins a file of its own.
        self._name = f"{self._actor}-{uuid.uuid4().hex[:8]}"
        self._halt = Halt()
        self._opening: asyncio.Task[_Opened] | None = None

    async def follow(self, number: int) -> BatchResult:
        """Every passage of that batch to its end; returns when all of it is on disk."""
        try:
            opened = await self._opened()
            passages = await opened.feed.read(number)
            earlier: list[str] = await self._board.begin.remote(number, self._name)
            opened.journal.read_also(opened.plan.folder.journals / f"{name}.sqlite" for name in earlier)
            ends = await asyncio.gather(*(self._follow_passage(opened.follower, passage) for passage in passages))
            return await opened.stored([outcomes for outcomes in ends if outcomes])
        except Exception as cause:  # whatever it is, the driver shall raise it and Ray shall not try it again
            self._stop(cause)
            return BatchResult()

    async def _follow_passage(self, follower: Follower, passage: Placed) -> list[Outcome]:
        if self._halt.cause is None:
            try:
                return await follower.follow(record_of(passage))
            except Halted:
                pass  # this passage stays pending: the next run takes it up again
            except Exception as cause:
                self._stop(cause)
        return []

    def _stop(self, cause: Exception) -> None:
        if self._halt.cause is None:
            self._board.halt.remote(packed(cause))
        self._halt.because(cause)

    # ------------------------------------------------------------------------------------------- opening

    async def _opened(self) -> _Opened:
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> _Opened:
        """Nothing is closed again: an actor is ended by a kill, with its servers elsewhere and its journal on disk."""
        job = self._job
        slot = await self._board.join.remote(self._actor)
        config = share_of(job.config, _roles(job.config), slot, job.actors)
        plan = make_plan(config, reads=False, folders=job.folders)
        if plan.fingerprint() != job.fingerprint:
            raise ConfigError(
                f"on {ray.util.get_node_ip_address()} the pipeline or a prompt differs from the driver's",
                hint="all machines need the same project folder at the same path and the same version of the package",
            )
        folder = plan.folder
        database = Database(folder.journals / f"{self._name}.sqlite", SCHEMA + OUTCOMES, shared=True)
        journal = SharedJournal(database, folder.journals / job.frozen if job.frozen else None)
        ledger = leased(Ledger.open(plan.config, plan.roles, job.paid), self._lease)
        session = Session(
            journal=journal,
            ledger=ledger,
            halt=self._halt,
            logs=folder.logs,
            count=counting(plan.encoding, lambda text: self._board.say.remote(text)),
            notice=lambda text: self._board.say.remote(text),
        )
        stack = AsyncExitStack()
        models = await stack.enter_async_context(open_models(plan.config, plan.roles, session))
        state = RunState(counters(plan))
        follower = Follower.of(plan, models, state)
        beating = asyncio.create_task(self._beat(state))
        results = Results(database, job.fingerprint)
        feed = Feed(folder.passages)
        return _Opened(plan, feed, database, journal, results, ledger, follower, (stack, beating))

    async def _lease(self, amount: Decimal) -> Decimal:
        granted: Decimal = await self._board.lease.remote(amount)
        return granted

    async def _beat(self, state: RunState) -> None:
        while self._halt.cause is None:
            await asyncio.sleep(BEAT)
            in_flight = {name: counts.in_flight for name, counts in state.stages.items()}
            if await self._board.beat.remote(self._actor, in_flight):
                self._halt.because(Interrupted("the run was stopped by another machine"))
                return


def _roles(config: RunConfig) -> Iterable[str]:
    return [role for role in type(config.api).model_fields if getattr(config.api, role) is not None]


@dataclass
class _Opened:
    plan: Plan
    feed: Feed
    database: Database
    journal: SharedJournal
    results: Results
    ledger: Ledger
    follower: Follower
    kept_alive: tuple[object, ...]
    _said: dict[str, dict[str, Any]] = field(default_factory=dict)
    _made_one: bool = False

    def __post_init__(self) -> None:
        self.spent()  # what was paid by earlier runs is not news

    async def stored(self, passages: list[list[Outcome]]) -> BatchResult:
        """What came of a batch, when it is on disk."""
        outcomes = [outcome for made in passages for outcome in made]
        self.results.add_outcomes(outcomes)
        await self.database.flush()
        first = None if self._made_one else next((each for each in outcomes if each.status == "kept"), None)
        self._made_one = self._made_one or first is not None
        ends = Counter((each.status, each.stage, each.reason, each.kind) for each in outcomes)
        return BatchResult(len(passages), dict(ends), self.spent(), first)

    def spent(self) -> dict[str, dict[str, int]]:
        now = {role: asdict(totals) for role, totals in self.ledger.totals.items()}
        before, self._said = self._said, now
        return {
            role: {name: (count or 0) - (before.get(role, {}).get(name) or 0) for name, count in totals.items()}
            for role, totals in now.items()
        }
