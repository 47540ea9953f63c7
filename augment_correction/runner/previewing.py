"""A few conversations before the run: its own passages through its own stages, with the calls in the run's journal. What a preview
has asked the run does not ask again; it leaves no other trace in the run's files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from augment_correction.config import RunConfig
from augment_correction.documents import fetch_vocabulary
from augment_correction.errors import ExitCode
from augment_correction.llm.opening import open_models
from augment_correction.llm.session import Session, ask_each, interruptible
from augment_correction.plan import Plan, describe, make_checked_plan
from augment_correction.report import write_report
from augment_correction.runner.ending import Ending, early_ending
from augment_correction.runner.following import Follower
from augment_correction.runner.passage_intake import PassageIntake
from augment_correction.runner.running import run_database, session_of, template_notices
from augment_correction.runner.source import Placed, ReadStep, SubsetDraw, read_passages, record_of
from augment_correction.runner.state import RunState, Watch, counters, unwatched
from augment_correction.runner.transfers import with_input
from augment_correction.store import Database, Outcome, Results, RunFolder, StoredChunk
from augment_correction.store.results import SCHEMA as RESULTS_SCHEMA

LOOKED_AT = 2_000
"""Passages that are read for the draw: a preview of a large folder is to begin in seconds."""
TRIES = 4
"""Passages that are tried at most for each conversation that is wanted: most are kept, and some folders hold nothing else but
contents pages."""
FOLDER = "preview"


@dataclass(frozen=True)
class Preview:
    """`shown` are the passages that were worked on, with what became of each, in the order of the documents. `cost` is in USD,
    None where a price is unknown; `page` is there where one was asked for."""

    shown: list[tuple[StoredChunk, Outcome]]
    cost: Decimal | None
    asked: int
    """Calls that were made; the others are answered by the journal."""
    exit_code: ExitCode
    notices: tuple[str, ...] = ()
    page: Path | None = None
    stopped: str | None = None
    hint: str | None = None

    @property
    def kept(self) -> int:
        return sum(outcome.status == "kept" for _, outcome in self.shown)


def preview(config: RunConfig, count: int, *, watch: Watch | None = None, page: bool = False) -> Preview:
    """Work on passages that `system.seed` draws until `count` conversations are kept. `page` writes them to
    `preview/report.html` in the output folder as well.

    Raises: UserError where the run itself could not start.
    """
    return asyncio.run(_preview(_one_by_one(config), count, watch or unwatched, page))


async def _preview(config: RunConfig, count: int, watch: Watch, page: bool) -> Preview:
    plan = make_checked_plan(config, asks=True)
    state = RunState(counters(plan))
    state.notices += [*config.notices, *template_notices(plan)]
    with plan.folder.held(), run_database(plan) as database, _aside() as aside, watch(state):
        async with with_input(plan, config, state, asks=True) as plan:
            state.stages = counters(plan)
            session = session_of(plan, database, state)
            state.ledger = session.ledger
            before = _requests(session)
            await asyncio.to_thread(
                fetch_vocabulary, plan.encoding, state.notices.append, exact=plan.chunks.unit == "tokens"
            )
            drawn = await _drawn(plan, count * TRIES, Results(database, plan.fingerprint()), state)
            results = Results(aside, plan.fingerprint())
            await _work(plan, session, state, results, drawn, count)
            await database.flush()
            await aside.flush()
            shown = list(results.outcomes())
            code, stopped, hint = _ending(plan, shown, session, len(drawn))
            return Preview(
                shown=shown,
                cost=session.ledger.cost_of_this_run(),
                asked=_requests(session) - before,
                exit_code=code,
                notices=tuple(state.notices),
                page=_page(plan, session, results) if page and shown else None,
                stopped=stopped,
                hint=hint,
            )


def _one_by_one(config: RunConfig) -> RunConfig:
    """A batch may take a day. A call has the same key in the journal, however it was sent."""
    models = {
        role: model.model_copy(update={"mode": "api"})
        for role, model in config.by_role.items()
        if model.mode == "batch"
    }
    return config.with_models(models) if models else config


@contextmanager
def _aside() -> Iterator[Database]:
    """What becomes of the passages, beside the run's own results."""
    with TemporaryDirectory() as folder:
        database = Database(Path(folder) / "preview.sqlite", RESULTS_SCHEMA)
        try:
            yield database
        finally:
            database.close()


async def _drawn(plan: Plan, size: int, of_the_run: Results, state: RunState) -> list[ReadStep]:
    """The passages to try, in the order of the draw: the same as the run's own subset begins with, where it draws one."""
    system = plan.config.system
    drawn = SubsetDraw(size, system.seed)
    looked = 0
    async with aclosing(read_passages(plan)) as reads:
        async for read in reads:
            for passage in read.passages:
                drawn.add(passage)
            looked += len(read.passages)
            if looked >= LOOKED_AT and not system.use_subset:
                state.notices.append(f"drawn from the first {looked:,} passages")
                break
    return [_read(places, of_the_run) for places in drawn.places()]


def _read(places: Sequence[Placed], of_the_run: Results) -> ReadStep:
    """A passage with all its places. Where the run was told to ask again about it (`--retry-failed`) so does the preview."""
    again = of_the_run.asked_again(places[0].chunk.id)
    return ReadStep(
        tuple({place.document.id: place.document for place in places}.values()),
        tuple(replace(place, again=again) for place in places),
        (),
    )


async def _work(
    plan: Plan, session: Session, state: RunState, results: Results, drawn: list[ReadStep], count: int
) -> None:
    """Follow passages until enough are kept."""
    wanted = _Wanted(count)
    async with (
        interruptible(session.halt, lambda: state.phase == "starting", state.notices.append),
        open_models(plan.config, plan.roles, session) as models,
    ):
        state.loading, state.phase = None, "running"
        follower = Follower.of(plan, models, state)

        async def follow(passage: Placed) -> None:
            kept = 0
            try:
                outcomes = await follower.follow(record_of(passage))
                results.add_outcomes(outcomes)
                kept = sum(outcome.status == "kept" for outcome in outcomes)
                state.note_finished()
            finally:
                wanted.came_home(kept)

        passages = PassageIntake(results, state, session.halt).to_do(wanted.of(drawn))
        await ask_each(passages, follow, session.halt, count)


class _Wanted:
    """Hands out passages as long as conversations are wanting, and never more at once than are."""

    def __init__(self, count: int) -> None:
        self._wanting = count
        self._under_way = 0
        self._changed = asyncio.Event()

    async def of(self, drawn: list[ReadStep]) -> AsyncGenerator[ReadStep, None]:
        for read in drawn:
            while 0 < self._wanting <= self._under_way:
                self._changed.clear()
                await self._changed.wait()
            if self._wanting <= 0:
                return
            self._under_way += 1
            yield read

    def came_home(self, kept: int) -> None:
        self._wanting -= kept
        self._under_way -= 1
        self._changed.set()


def _requests(session: Session) -> int:
    return sum(totals.requests for totals in session.ledger.totals.values())


def _ending(plan: Plan, shown: list[tuple[StoredChunk, Outcome]], session: Session, passages: int) -> Ending:
    if early := early_ending(plan, passages, session.halt):
        return early
    if not any(outcome.status == "kept" for _, outcome in shown):
        return ExitCode.REJECTS, f"none of {len(shown)} passages became a conversation", "the reasons are listed above"
    return ExitCode.DONE, None, None


def _page(plan: Plan, session: Session, results: Results) -> Path:
    return write_report(
        RunFolder(plan.folder.root / FOLDER),
        session.journal,
        results,
        about=describe(plan),
        prices=session.ledger.prices,
    )
