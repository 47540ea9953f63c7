"""Power cuts: the worker and whatever it has running are killed with -9 at a moment that would hurt."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from augment_correction.launching.slot import Launch
from augment_correction.training.workspace import Workspace
from augment_correction.worker.context import WorkerContext
from augment_correction.worker.jobs import Job

AGAIN = """
CREATE TABLE asked_again (key TEXT);
CREATE TRIGGER again BEFORE INSERT ON calls WHEN EXISTS (SELECT 1 FROM calls WHERE key = NEW.key)
BEGIN INSERT INTO asked_again VALUES (NEW.key); END;
"""
"""A call that is paid a second time leaves no trace in the journal itself."""


@dataclass(frozen=True)
class Cut:
    """`survived` is asked at the end, of the job that was cut."""

    name: str
    due: Callable[[WorkerContext, Job], bool]
    after: Callable[[WorkerContext, Job], None]
    survived: Callable[[WorkerContext, Job], bool]


def out(context: WorkerContext, job: Job) -> Path:
    return context.places.round(job.round or 0)


def journal(context: WorkerContext, job: Job) -> Path:
    return out(context, job) / "evaluation" / "journal.sqlite"


def kill(context: WorkerContext, job: Job) -> None:
    Launch(context.places.job(job.id), job.phase or "", job.launches).signal(signal.SIGKILL)


def calls(path: Path, table: str = "calls") -> int:
    """0 where there is no such journal yet."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return int(database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def _count_what_is_asked_again(context: WorkerContext, job: Job) -> None:
    with closing(sqlite3.connect(journal(context, job))) as database:
        database.executescript(AGAIN)


def cuts(questions: int) -> tuple[Cut, ...]:
    """In the first round after the training's first checkpoint; in the second after the gate's first answers."""
    return (
        Cut(
            "worker and training",
            lambda context, job: job.phase == "train" and bool(Workspace(out(context, job)).saved()),
            lambda context, job: None,
            lambda context, job: "resuming from checkpoint-" in (context.places.job(job.id) / "train.log").read_text(),
        ),
        Cut(
            "worker and gate",
            lambda context, job: job.round == 2 and job.phase == "gate" and calls(journal(context, job)) >= questions,
            _count_what_is_asked_again,
            lambda context, job: calls(journal(context, job)) > questions,
        ),
    )
