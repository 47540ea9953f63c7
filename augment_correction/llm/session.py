"""What all models of one command share while it asks: the journal of paid calls, the ledger, the halt; and how many questions
are asked at once and stopped together. A run, an evaluation, the monitor and an actor on a cluster ask by it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from augment_correction.errors import BudgetExhausted, Interrupted, ModelUnusable
from augment_correction.ledger import Ledger
from augment_correction.llm.metered import Halt, Halted, MeteredModel
from augment_correction.models import ModelsConfig
from augment_correction.store import Batches, Database, Journal, RunFolder
from augment_correction.store.batches import SCHEMA as BATCHES_SCHEMA
from augment_correction.store.journal import SCHEMA as JOURNAL_SCHEMA

Report = Callable[[str, int, int], None]
T = TypeVar("T")

STOPS = (BudgetExhausted, ModelUnusable, Interrupted)
"""After these a command still writes its files, of what there is; any other cause is raised."""
GO_ON = "run the same command again to resume: finished calls are not repeated"


@dataclass(frozen=True)
class Session:
    """`count` counts tokens, `report(what, done, total)` shows how a server starts or a batch stands (an empty `what` ends
    that), `notice` says one line to the user. `batches` is None where a run is shared among many processes: none of them
    could find the batches of another one."""

    journal: Journal
    ledger: Ledger
    halt: Halt
    logs: Path
    count: Callable[[str], int]
    report: Report = lambda what, done, total: None
    notice: Callable[[str], None] = lambda line: None
    batches: Batches | None = None

    @classmethod
    def on(
        cls,
        database: Database,
        config: ModelsConfig,
        roles: Iterable[str],
        logs: Path,
        count: Callable[[str], int],
        report: Report = lambda what, done, total: None,
        notice: Callable[[str], None] = lambda line: None,
    ) -> Self:
        """A session that goes on from what the database holds."""
        journal = Journal(database)
        ledger = Ledger.open(config, roles, journal.totals())
        return cls(journal, ledger, Halt(), logs, count, report, notice, Batches(database))


@contextmanager
def database_of(folder: RunFolder, schema: str = "") -> Iterator[Database]:
    """The folder's journal, with the tables of `schema` besides its own."""
    database = Database(folder.journal, JOURNAL_SCHEMA + BATCHES_SCHEMA + schema)
    try:
        yield database
    finally:
        database.close()


def calls_at_once(models: Iterable[MeteredModel]) -> int:
    """How many calls the models' limits allow together; models that share a limit count once."""
    limiters = {id(model.limiter): model.limiter for model in models}
    return sum(limiter.maximum for limiter in limiters.values())


async def ask_each(items: AsyncIterator[T], ask: Callable[[T], Awaitable[None]], halt: Halt, at_once: int) -> None:
    """`ask` for every item, so many at once; returns when all are done, or when it is to stop and nothing is in flight. What
    goes wrong halts everybody, and only after the calls in flight have come home is it raised: they are paid for. After a
    halt the rest of `items` is read and left: whoever makes them may have to see them all.

    Raises: whatever halted it, unless it is one of STOPS.
    """
    window = asyncio.Semaphore(at_once)

    async def one(item: T) -> None:
        try:
            await ask(item)
        except Halted:
            pass  # not answered: the same command goes on here
        except Exception as cause:
            halt.because(cause)
        finally:
            window.release()

    async with asyncio.TaskGroup() as tasks:
        try:
            async for item in items:
                await window.acquire()
                if halt.cause is None:
                    tasks.create_task(one(item))
                else:
                    window.release()
        except Exception as failure:
            halt.because(failure)
    if halt.cause is not None and not isinstance(halt.cause, STOPS):
        raise halt.cause


async def all_home(calls: Iterable[Awaitable[T]]) -> list[T]:
    """All replies, in order. What goes wrong is raised when all have come home: they are paid for."""
    came = await asyncio.gather(*calls, return_exceptions=True)
    for each in came:
        if isinstance(each, BaseException):
            raise each
    return [each for each in came if not isinstance(each, BaseException)]


_INTERRUPT: ContextVar[Callable[[], None] | None] = ContextVar("interrupt", default=None)
"""What Ctrl-C does inside the present `interruptible`, to which a nested one gives back."""


@asynccontextmanager
async def interruptible(halt: Halt, starting: Callable[[], bool], notice: Callable[[str], None]) -> AsyncIterator[None]:
    """The first Ctrl-C lets calls in flight finish and starts no more; the second stops at once. While the models are still
    `starting` there is nothing to wait for.

    Raises: Interrupted where it was stopped at once.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    at_once, outer = False, _INTERRUPT.get()

    def interrupt() -> None:
        nonlocal at_once
        if halt.cause is not None or starting():
            at_once = True
            task.cancel()
            return
        halt.because(Interrupted("interrupted", hint=GO_ON))
        notice("stopping: waiting for the calls in flight (Ctrl-C again stops at once)")

    installed = False
    with suppress(NotImplementedError, RuntimeError, ValueError):  # not the main thread: the caller's own business
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupt)
        installed = True
    token = _INTERRUPT.set(interrupt)
    try:
        yield
    except asyncio.CancelledError:
        if not at_once:
            raise
        task.uncancel()
        raise Interrupted("interrupted", hint=GO_ON) from None
    finally:
        _INTERRUPT.reset(token)
        if installed:
            for number in (signal.SIGINT, signal.SIGTERM):
                if outer is not None:
                    loop.add_signal_handler(number, outer)
                else:
                    loop.remove_signal_handler(number)
