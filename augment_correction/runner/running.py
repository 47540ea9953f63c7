"""One run from a config to its files."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Literal

from augment_correction.config import RunConfig
from augment_correction.documents import counting, fetch_vocabulary
from augment_correction.errors import AugmentCorrectionError, InputError, MissingExtra
from augment_correction.ledger import Ledger
from augment_correction.llm.opening import open_models
from augment_correction.llm.session import Session, database_of, interruptible
from augment_correction.plan import Plan, make_checked_plan
from augment_correction.records import Document, Passage
from augment_correction.results.classes import class_of
from augment_correction.results.dataset import Written
from augment_correction.results.decisions import Decisions
from augment_correction.results.outputs import standing_outputs, write_outputs
from augment_correction.results.reviewed import review_of
from augment_correction.results.unchanged import state_of_input
from augment_correction.runner.cut_anew import tell_what_is_cut_anew
from augment_correction.runner.ending import result_of
from augment_correction.runner.engine import follow_all
from augment_correction.runner.first_conversations import FirstConversations
from augment_correction.runner.following import Follower
from augment_correction.runner.source import read_passages
from augment_correction.runner.state import RunResult, RunState, Watch, counters, unwatched
from augment_correction.runner.transfers import check_copy, with_copy, with_input
from augment_correction.store import Database, Journal, Results
from augment_correction.store.journals import take_in
from augment_correction.store.results import SCHEMA as RESULTS_SCHEMA
from augment_correction.text.excerpts import counted

if TYPE_CHECKING:
    from augment_correction.runner.cluster.engine import ClusterEngine

EngineName = Literal["local", "ray"]

_ENDS_UNTOLD = 2.0
"""Seconds: nobody needs to be told when a run ends whose input is read in so many."""


def run(
    config: RunConfig,
    *,
    watch: Watch | None = None,
    engine: EngineName = "local",
    ray_address: str | None = None,
    retry: Collection[str] = (),
    passages: Iterable[Passage | Document] | None = None,
) -> RunResult:
    """Run the config's pipeline and write all its files, in a program without an event loop of its own; `run_async` takes the
    same arguments, and says what they mean.

    Raises: UserError where the run cannot start.

    >>> models = {role: {"model": role, "mode": "scripted"} for role in ("small", "large")}
    >>> config = RunConfig(pipeline="correction", api=models, path={"output_dir": "outputs/from_memory"})
    >>> result = run(config, passages=[Passage("The stone bridge of Halmstett has nine arches and was built in 1911.")])
    >>> result.exit_code.name, result.kept
    ('DONE', 1)
    >>> [turn.train for turn in next(result.conversations()).turns][:2]
    [True, False]
    """
    with _rarely_collected():
        return asyncio.run(
            run_async(config, watch=watch, engine=engine, ray_address=ray_address, retry=retry, passages=passages)
        )


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Nothing that a run makes waits for the collector of cycles, and what was there before it need not be looked through: 7 % of
    the CPU of a request. Not in `run_async`, whose process is somebody else's."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


async def run_async(
    config: RunConfig,
    *,
    watch: Watch | None = None,
    engine: EngineName = "local",
    ray_address: str | None = None,
    retry: Collection[str] = (),
    passages: Iterable[Passage | Document] | None = None,
) -> RunResult:
    """Run the config's pipeline and write all its files. `watch(state)` is entered for the time of the run and may
    poll the state, for a display. `ray_address` is where `engine="ray"` finds its cluster (`auto`, `host:port`, `local`
    for a new one); None: that of RAY_ADDRESS or of this machine, else a new one. `retry` names classes of rejects whose last
    stage is asked anew: filtered, refused, truncated, invalid. `passages` are worked on instead of what `path.input_dir` holds: a `Passage` as it stands, a `Document` cut as a file would be. The same texts again go on
    where an earlier run stopped.

    A run that stops early (cap, Ctrl-C, a model that cannot be used any more) returns with that exit code and valid
    files of what there is; the same call resumes it.

    Raises: UserError where the run cannot start.

    >>> models = {role: {"model": role, "mode": "scripted"} for role in ("small", "large")}
    >>> config = RunConfig(pipeline="correction", api=models, path={"output_dir": "outputs/in_a_loop"})
    >>> async def program() -> int:
    ...     result = await run_async(config, passages=[Passage("The bridge of Halmstett was built of stone in 1911.")])
    ...     return result.kept
    >>> asyncio.run(program())
    1
    """
    plan = make_checked_plan(config, asks=True, reads=passages is None)
    state = RunState(counters(plan))
    state.notices += [*config.notices, *template_notices(plan)]
    connected = _on_cluster(plan, ray_address) if engine == "ray" else nullcontext(None)
    with plan.folder.held(), run_database(plan) as database, connected as cluster, (watch or unwatched)(state):
        exact = plan.chunks.unit == "tokens" and passages is None
        await check_copy(plan, state)
        reading = with_input(plan, config, state, asks=True) if passages is None else nullcontext(plan)
        async with reading as plan:
            state.stages = counters(plan)
            await asyncio.to_thread(fetch_vocabulary, plan.encoding, state.notices.append, exact=exact)
            result = await _run(plan, database, state, cluster, retry, passages, ahead=watch is not None)
        return await with_copy(plan, state, result)


def template_notices(plan: Plan) -> Iterator[str]:
    if plan.config.system.prompt_template is None:
        yield f"the rows are written with {plan.template.name} (system.prompt_template is not set)"
    if "bos_token" in plan.template.source and not plan.template.bos_token:
        yield (
            f"{plan.template.name} begins with a bos_token and none is given (system.bos_token, system.tokenizer): "
            "it stays empty, which is right only for models without a BOS token"
        )
    if plan.template.dated:
        yield plan.template.dated


@asynccontextmanager
async def _counting_ahead(plan: Plan, state: RunState) -> AsyncIterator[None]:
    task = asyncio.create_task(_count_ahead(plan, state))
    try:
        yield
    finally:
        task.cancel()


async def _count_ahead(plan: Plan, state: RunState) -> None:
    """How many passages there will be, by a second reader at full speed: the first one is held back by the models, and
    a run of hours that cannot say when it ends is half a display. Where the first one is done in seconds, none is started."""
    await asyncio.sleep(_ENDS_UNTOLD)
    if state.total is not None:
        return
    count = 0
    with suppress(AugmentCorrectionError):  # whatever is wrong with the input, the run itself says so
        async with aclosing(read_passages(plan)) as reads:
            async for read in reads:
                count += len(read.passages)
        state.expected = count


def session_of(plan: Plan, database: Database, state: RunState) -> Session:
    """Goes on from the run's journal; what it has to tell is told by the state."""
    return Session.on(
        database,
        plan.config,
        plan.roles,
        plan.folder.logs,
        counting(plan.encoding, state.notices.append),
        lambda what, done, total: setattr(state, "loading", (what, done, total) if what else None),
        state.notices.append,
    )


@contextmanager
def run_database(plan: Plan) -> Iterator[Database]:
    """The run's journal, with the calls of actors that did not come to hand them over."""
    with database_of(plan.folder, RESULTS_SCHEMA) as database:
        take_in(plan.folder.journal, plan.folder.journals)
        yield database


@contextmanager
def _on_cluster(plan: Plan, address: str | None) -> Iterator[type[ClusterEngine]]:
    """The engine for the cluster at `address`, connected.

    Raises: MissingExtra, or UserError where there is no such cluster.
    """
    try:
        from augment_correction.runner.cluster.engine import ClusterEngine, connected
    except ModuleNotFoundError as failure:
        if failure.name != "ray":
            raise
        raise MissingExtra("--engine ray", "ray") from None
    with connected(plan, address):
        yield ClusterEngine


async def _run(
    plan: Plan,
    database: Database,
    state: RunState,
    cluster: type[ClusterEngine] | None,
    retry: Collection[str],
    passages: Iterable[Passage | Document] | None,
    *,
    ahead: bool,
) -> RunResult:
    session = session_of(plan, database, state)
    journal, halt, results = session.journal, session.halt, Results(database, plan.fingerprint())
    ledger = state.ledger = session.ledger
    read = ""
    if passages is None:
        if not retry and not review_of(results, Decisions(plan.folder.decisions)).ask_again:
            there = await asyncio.to_thread(standing_outputs, plan, journal, results, ledger)
            if there is not None:
                _as_finished(state, results, there)
                return result_of(plan, results, ledger, halt, state, there)
        read = await asyncio.to_thread(state_of_input, plan)
        await tell_what_is_cut_anew(plan, results, state)
    kept_before = any(status == "kept" for status, *_ in results.ends())
    first = FirstConversations(plan.pipeline, halt, kept=kept_before or bool(retry))
    await _begin(plan, results, state, retry)
    async with (
        _counting_ahead(plan, state) if ahead and passages is None else nullcontext(),
        interruptible(halt, lambda: state.phase == "starting", state.notices.append),
        aclosing(read_passages(plan, passages)) as reads,
    ):
        if cluster is not None:
            await cluster(plan, journal, results, ledger, state, halt, first).run(reads)
        else:
            async with open_models(plan.config, plan.roles, session) as models:
                state.loading, state.phase = None, "running"
                await follow_all(reads, Follower.of(plan, models, state), results, halt, first)
    await database.flush()
    state.phase = "writing"
    if cluster is not None:
        take_in(plan.folder.journal, plan.folder.journals)
        before = ledger.before
        ledger = state.ledger = Ledger.open(plan.config, plan.roles, journal.totals())
        ledger.before = before
    made = await asyncio.to_thread(_write, plan, journal, results, ledger, read, complete=halt.cause is None)
    return result_of(plan, results, ledger, halt, state, made)


async def _begin(plan: Plan, results: Results, state: RunState, retry: Collection[str]) -> None:
    """What is to be asked again is forgotten: what a person marked, and rejects of the classes in `retry`."""
    chosen = {row[:2] for row in results.rejects() if class_of(plan.pipeline, "rejected", *row[:2]) in retry}
    await results.begin()
    if marked := review_of(results, Decisions(plan.folder.decisions)).ask_again:
        await results.ask_passages_again(marked)
        state.notices.append(f"asking again about {counted(len(marked), 'conversation')} that a person marked")
    if retry:
        state.notices.append(f"asking again about {counted(await results.ask_again(sorted(chosen)), 'passage')}")


def _write(plan: Plan, journal: Journal, results: Results, ledger: Ledger, read: str, *, complete: bool) -> Written:
    try:
        return write_outputs(plan, journal, results, ledger, read=read, complete=complete)
    except OSError as failure:
        raise InputError(
            f"the files cannot be written to {plan.folder.root}: {failure.strerror or failure}",
            hint="free some space there or make it writable, and run the same command again: finished calls are not repeated",
        ) from failure


def _as_finished(state: RunState, results: Results, made: Written) -> None:
    """As if all had been read and found to be finished."""
    state.documents, state.unread, state.chunks = (made.counts[name] for name in ("documents", "unread", "chunks"))
    state.total = state.finished = state.reused = state.chunks
    state.phase = "writing"
    for status, stage, reason, kind, count in results.ends():
        state.count_outcome(status, stage, reason, kind, count)
