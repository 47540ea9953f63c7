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
from augment_correction.worker.jobs import Job
from augment_correction.worker.site import Site

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
    due: Callable[[Site, Job], bool]
    after: Callable[[Site, Job], None]
    survived: Callable[[Site, Job], bool]


def out(site: Site, job: Job) -> Path:
    return site.places.round(job.round or 0)


def journal(site: Site, job: Job) -> Path:
    return out(site, job) / "evaluation" / "journal.sqlite"


def kill(site: Site, job: Job) -> None:
    Launch(site.places.job(job.id), job.phase or "", job.launches).signal(signal.SIGKILL)


def calls(path: Path, table: str = "calls") -> int:
    """0 where there is no such journal yet."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return int(database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def _count_what_is_asked_again(site: Site, job: Job) -> None:
    with closing(sqlite3.connect(journal(site, job))) as database:
        database.executescript(AGAIN)


def cuts(questions: int) -> tuple[Cut, ...]:
    """In the first round after the training's first checkpoint; in the second after the gate's first answers."""
    return (
        Cut(
            "worker and training",
            lambda site, job: job.phase == "train" and bool(Workspace(out(site, job)).saved()),
            lambda site, job: None,
            lambda site, job: "resuming from checkpoint-" in (site.places.job(job.id) / "train.log").read_text(),
        ),
        Cut(
            "worker and gate",
            lambda site, job: job.round == 2 and job.phase == "gate" and calls(journal(site, job)) >= questions,
            _count_what_is_asked_again,
            lambda site, job: calls(journal(site, job)) > questions,
        ),
    )
