"""The driver of a run on a Ray cluster: feeds Ray Data, stores what comes back, watches the board."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import ray
from ray.data import ActorPoolStrategy, DataContext, read_datasource
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from augment_correction.errors import BudgetExhausted, UserError
from augment_correction.ledger import Ledger
from augment_correction.llm.metered import Halt
from augment_correction.llm.session import STOPS
from augment_correction.plan import Plan
from augment_correction.runner.cluster.actor import ActorSetup, BatchResult, FollowPassages
from augment_correction.runner.cluster.board import Board, BoardView, packed
from augment_correction.runner.cluster.feed import Feed, Passages
from augment_correction.runner.cluster.shares import Crew, check_address, crew_for, refuse_alone
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
    _came_back: set[int] = field(default_factory=set)

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
        if self.halt.cause is not None and not isinstance(self.halt.cause, STOPS):
            raise self.halt.cause

    async def _follow(self, first: Placed, rest: AsyncIterator[Placed]) -> None:
        crew = self._crew()
        board = self._board(crew)
        feed = Feed(self.plan.folder.journals / "passages", crew.ahead)
        feed.begin()
        job = await self._job(crew)
        following = asyncio.create_task(self._take_all(job, board, crew, feed))
        watching = asyncio.create_task(self._watch(board, feed))
        try:
            await self._feed(first, rest, crew, feed)
        except Exception as failure:
            self.halt.because(failure)
        finally:
            await feed.close()
        await following
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        self._apply(await board.look.remote())
        ray.kill(board)

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

    # ----------------------------------------------------------------------------------- feeding, watching

    async def _feed(self, first: Placed, rest: AsyncIterator[Placed], crew: Crew, feed: Feed) -> None:
        batch = [first]
        async for passage in rest:
            if len(batch) == crew.batch:
                await feed.put(batch)
                batch = []
            batch.append(passage)
        await feed.put(batch)

    async def _watch(self, board: Any, feed: Feed) -> None:
        told = False
        while True:
            self._apply(await board.look.remote())
            if self.halt.cause is not None and not told:
                told = True
                await board.halt.remote(packed(self.halt.cause))
                await feed.close()
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

    # ------------------------------------------------------------------------------------ what comes back

    async def _take_all(self, job: ActorSetup, board: Any, crew: Crew, feed: Feed) -> None:
        """Ray Data is iterated in a thread of its own: a daemon, since nothing but its end can interrupt it."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def take(batch: int, made: BatchResult) -> None:
            asyncio.run_coroutine_threadsafe(self._take(batch, made, feed), loop).result()

        def end(failure: Exception | None) -> None:
            if failure is not None:
                self.halt.because(failure)
            if not done.done():
                done.set_result(None)

        def work() -> None:
            failure: Exception | None = None
            try:
                _iterate(_dataset(feed, job, board, crew), take)
            except Exception as problem:
                failure = UserError(f"the Ray cluster failed: {problem}", hint="run the same command again to resume")
                failure.__cause__ = problem
            if not loop.is_closed():
                loop.call_soon_threadsafe(end, failure)

        threading.Thread(target=work, name="ray-data", daemon=True).start()
        await done
        await feed.close()

    async def _take(self, batch: int, made: BatchResult, feed: Feed) -> None:
        """Ray may hand over a batch again that it had to make again; what it holds is the same."""
        if batch in self._came_back:
            return
        self._came_back.add(batch)
        self.results.add_outcomes(made.outcomes)
        self.state.note_made(made.outcomes)
        for outcome in made.outcomes:
            self.state.count_outcome(outcome.status, outcome.stage, outcome.reason, outcome.kind)
            if outcome.part == 0:
                self.state.note_finished()
        for role, spent in made.spent.items():
            totals = self.ledger.of(role)
            for name, count in spent.items():
                setattr(totals, name, (getattr(totals, name) or 0) + count)
        await feed.came_back(batch)


def _here() -> Any:
    return NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)


def _dataset(feed: Feed, job: ActorSetup, board: Any, crew: Crew) -> Any:
    context = DataContext.get_current()
    before = context.target_max_block_size, context.enable_progress_bars
    # A row is a batch already. With any larger target Ray Data gathers rows until they make up a block, and a stream
    # that comes slowly would wait for that.
    context.target_max_block_size, context.enable_progress_bars = 1, False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        rows = read_datasource(
            Passages(feed.folder),
            override_num_blocks=1,
            num_cpus=0,
            label_selector={"ray.io/node-id": ray.get_runtime_context().get_node_id()},
        )
        return rows.map_batches(
            FollowPassages,
            fn_constructor_args=(job, board),
            batch_size=None,
            batch_format="pyarrow",
            compute=ActorPoolStrategy(
                size=crew.actors,
                max_concurrent_calls_per_actor=crew.batches,
                max_tasks_in_flight_per_actor=crew.batches + 2,
            ),
            num_cpus=CPUS_PER_ACTOR,
        )
    finally:
        context.target_max_block_size, context.enable_progress_bars = before


def _iterate(dataset: Any, take: Callable[[int, BatchResult], None]) -> None:
    for table in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=4):
        for row in table.to_pylist():
            take(row["number"], pickle.loads(row["made"]))
