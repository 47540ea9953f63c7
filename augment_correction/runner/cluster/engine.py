"""The driver of a run on a Ray cluster: hands numbers of batches to the actors, counts what comes back, watches the board."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from augment_correction.errors import BudgetExhausted, UserError
from augment_correction.ledger import Ledger
from augment_correction.llm.metered import Halt
from augment_correction.llm.session import STOPS
from augment_correction.plan import Plan
from augment_correction.runner.cluster.actor import ActorSetup, BatchResult, FollowPassages
from augment_correction.runner.cluster.board import Board, BoardView, packed
from augment_correction.runner.cluster.feed import Feed
from augment_correction.runner.cluster.shares import Crew, check_address, crew_for, refuse_alone
from augment_correction.runner.first_conversations import FirstConversations
from augment_correction.runner.passage_intake import PassageIntake
from augment_correction.runner.source import Placed, ReadStep
from augment_correction.runner.state import RunState
from augment_correction.store import Journal, Results
from augment_correction.store.journals import freeze

LOOK = 0.5
CPUS_PER_ACTOR = 0.5
"""Actors wait for servers most of the time; half a core each lets the other nodes take over those of a dead one."""


@contextmanager
def connected(plan: Plan, address: str | None) -> Iterator[None]:
    """A member of the cluster at `address` (`auto`, `host:port`, `local` for a new one); without one the cluster that RAY_ADDRESS names or
    that runs on this machine, else a new one for this run. Entered before the run's own signal handlers are set, since
    Ray sets some, too."""
    check_address(address)
    refuse_alone(plan.config, plan.roles)
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    except (OSError, ValueError, RuntimeError) as failure:
        where = address or "this machine"
        raise UserError(f"no Ray cluster at {where}: {failure}", hint="`ray status` shows it") from None
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str | None) -> None:
    """Ray itself goes on trying for minutes where nobody listens.

    Raises: OSError, ValueError.
    """
    host, colon, port = (address or "").rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


@dataclass
class ClusterEngine:
    plan: Plan
    journal: Journal
    results: Results
    ledger: Ledger
    state: RunState
    halt: Halt
    first: FirstConversations

    async def run(self, reads: AsyncIterator[ReadStep]) -> None:
        """As `runner.engine.Engine.run`.

        Raises: whatever halted the run, unless it is one of STOPS.
        """
        self.state.phase = "running"
        async with aclosing(PassageIntake(self.results, self.state, self.halt).to_do(reads)) as passages:
            try:
                first = await anext(passages, None)
                if first is not None:  # else nothing is to be made, and no actor has to be started
                    await self._follow(first, passages)
            except Exception as failure:
                self.halt.because(failure)
        cause = self.halt.cause
        if isinstance(cause, RayError):
            raise UserError(f"the Ray cluster failed: {cause}", hint="run the same command again to resume") from cause
        if cause is not None and not isinstance(cause, STOPS):
            raise cause

    async def _follow(self, first: Placed, rest: AsyncIterator[Placed]) -> None:
        crew = self._crew()
        board = self._board(crew)
        feed = Feed(self.plan.folder.passages)
        feed.begin()
        actors = self._actors(crew, await self._job(crew), board)
        watching = asyncio.create_task(self._watch(board))
        try:
            await self._hand_out(_batches(first, rest, crew.batch), feed, actors, crew.batches + 1)
            self._apply(await board.look.remote())
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            for actor in (*actors, board):
                ray.kill(actor)

    # ----------------------------------------------------------------------------------------- preparing

    def _crew(self) -> Crew:
        nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
        cpus = int(sum(node["Resources"]["CPU"] for node in nodes))
        if not cpus:
            raise UserError("the Ray cluster has no CPU", hint="ray status shows its nodes")
        crew = crew_for(self.plan.config, self.plan.roles, nodes=len(nodes), cpus=cpus)
        self.state.notices.append(f"Ray: actors {crew.actors}, nodes {len(nodes)}, CPUs {cpus}")
        return crew

    def _board(self, crew: Crew) -> Any:
        cap = self.ledger.max_usd
        budget = None if cap is None else max(Decimal(0), cap - self.ledger._spent())
        return ray.remote(Board).options(num_cpus=0, scheduling_strategy=_here()).remote(crew.actors, budget)

    async def _job(self, crew: Crew) -> ActorSetup:
        folder = self.plan.folder
        frozen = await asyncio.to_thread(freeze, folder.journal, folder.journals)
        paid = tuple(self.journal.totals())
        return ActorSetup(
            self.plan.config,
            self.plan.fingerprint(),
            crew.actors,
            paid,
            frozen.name if frozen else None,
            self.plan.folders,
        )

    def _actors(self, crew: Crew, job: ActorSetup, board: Any) -> list[Any]:
        """A dead one is started again by Ray, where there is room, and has its batches again."""
        actor = ray.remote(FollowPassages).options(
            num_cpus=CPUS_PER_ACTOR,
            scheduling_strategy="SPREAD",
            max_restarts=-1,
            max_task_retries=-1,
            max_concurrency=crew.batches,
        )
        return [actor.remote(job, board) for _ in range(crew.actors)]

    # -------------------------------------------------------------------------------- handing out, watching

    async def _hand_out(self, batches: AsyncIterator[list[Placed]], feed: Feed, actors: list[Any], each: int) -> None:
        """A batch to whichever actor has room for it; an actor has at most `each` batches: those that it works
        on, and one that waits there. Returns when all have come back. After a halt the rest is read and left."""
        rooms = asyncio.Queue[Any]()
        for actor in actors * each:
            rooms.put_nowait(actor)

        async def one(number: int, actor: Any) -> None:
            try:
                self._take(await actor.follow.remote(number))
                feed.remove(number)
            except Exception as cause:
                self.halt.because(cause)
            rooms.put_nowait(actor)

        async with asyncio.TaskGroup() as tasks:
            try:
                async for batch in batches:
                    actor = await rooms.get()
                    if self.halt.cause is None:
                        tasks.create_task(one(feed.write(batch), actor))
                    else:
                        rooms.put_nowait(actor)
            except Exception as failure:  # what is in flight is paid for: it comes home first
                self.halt.because(failure)

    def _take(self, made: BatchResult) -> None:
        if made.first is not None:
            self.state.note_made([made.first])
        for end, times in made.ends.items():
            self.state.count_outcome(*end, times)
            self.first.note(*end[:3], times)
        self.state.note_finished(made.passages)
        for role, spent in made.spent.items():
            totals = self.ledger.of(role)
            for name, count in spent.items():
                setattr(totals, name, (getattr(totals, name) or 0) + count)

    async def _watch(self, board: Any) -> None:
        told = False
        while True:
            self._apply(await board.look.remote())
            if self.halt.cause is not None and not told:
                told = True
                await board.halt.remote(packed(self.halt.cause))
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await (asyncio.Event() if told else self.halt.stopped).wait()

    def _apply(self, look: BoardView) -> None:
        self.state.notices += look.notices
        for stage, counts in self.state.stages.items():
            counts.in_flight = look.in_flight.get(stage, 0)
        if look.cause is not None and self.halt.cause is None:
            self.halt.because(self._of_the_run(pickle.loads(look.cause)))

    def _of_the_run(self, cause: Exception) -> Exception:
        """An actor knows its own share of the cap only."""
        if not isinstance(cause, BudgetExhausted):
            return cause
        cost = self.ledger.cost()
        spent = "" if cost is None else f": about {cost:.4f} spent, the rest is too little for the next call"
        return BudgetExhausted(f"stopped at the spending cap of {self.ledger.max_usd} USD{spent}", hint=cause.hint)


def _here() -> Any:
    return NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)


async def _batches(first: Placed, rest: AsyncIterator[Placed], size: int) -> AsyncIterator[list[Placed]]:
    batch = [first]
    async for passage in rest:
        if len(batch) == size:
            yield batch
            batch = []
        batch.append(passage)
    yield batch
