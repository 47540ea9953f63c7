"""The truth about jobs, rounds and the worker, in one SQLite file. Every change is committed and on disk at its return.

Not `store.Database`: that one shares an fsync among the calls of an event loop and reads nothing back, while each change
here is a compare and set (of a job in the state it was read in), of which there are a few per hour.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError, UserError
from augment_correction.store.room import no_room
from augment_correction.store.write_ahead import write_ahead
from augment_correction.worker.folder import PRIORITIES

SCHEMA_VERSION = 2
READABLE = (0, 1, SCHEMA_VERSION)
"""0: a new file. 1 has a column and a table more (heartbeats), which nothing reads."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT UNIQUE,
    original TEXT NOT NULL,
    source TEXT NOT NULL,
    run TEXT,
    format TEXT,
    rows INTEGER,
    sha256 TEXT,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    phase TEXT CHECK (phase IN ('check', 'train', 'gate')),
    launched INTEGER NOT NULL DEFAULT 0,
    launches INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    stopping INTEGER NOT NULL DEFAULT 0,
    round INTEGER REFERENCES round (number),
    reason TEXT,
    added REAL NOT NULL,
    started REAL,
    ended REAL
);
CREATE INDEX IF NOT EXISTS job_turn ON job (state, priority, id);
CREATE TABLE IF NOT EXISTS round (
    number INTEGER PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES job (id),
    adapter TEXT NOT NULL,
    parent INTEGER REFERENCES round (number),
    sha256 TEXT,
    decision TEXT CHECK (decision IN ('accepted', 'rejected', 'failed')),
    reason TEXT,
    metrics TEXT,
    ended REAL,
    rolled_back REAL
);
"""


@dataclass(frozen=True, slots=True)
class Job:
    """`source`: where it came in, under the root, until it was moved from there. `run`: a run's folder elsewhere, where the entry only names it.
    `launched`: the phase's command was started (and may have ended); `launches` numbers all starts."""

    id: int
    name: str
    original: str
    source: str
    run: str | None
    format: str | None
    rows: int | None
    sha256: str | None
    priority: int
    state: str
    phase: str | None
    launched: int
    launches: int
    attempts: int
    stopping: int
    round: int | None
    reason: str | None
    added: float
    started: float | None
    ended: float | None

    @property
    def folder(self) -> str:
        """The one of the queue that it belongs into."""
        return {"queued": PRIORITIES[self.priority], "running": "processing"}.get(self.state, self.state)


@dataclass(frozen=True, slots=True)
class Round:
    """`adapter` is relative to the root; `parent` the round it went on from, None for the base model."""

    number: int
    job: int
    adapter: str
    parent: int | None
    sha256: str | None
    decision: str | None
    reason: str | None
    metrics: str | None
    ended: float | None
    rolled_back: float | None


class JobChanged(UserError):
    """Another process has changed the job since this one read it."""


class Jobs:
    """Raises: InputError where the file is of another version, or no database."""

    def __init__(self, path: Path) -> None:
        try:
            self._database = sqlite3.connect(path, isolation_level=None, timeout=30)
            write_ahead(self._database)
            self._database.execute("PRAGMA synchronous=FULL")
            [(version,)] = self._database.execute("PRAGMA user_version")
            if version not in READABLE:
                raise sqlite3.DatabaseError(f"it was written by another version (schema {version})")
            self._database.executescript(SCHEMA)
            self._database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        except sqlite3.Error as failure:
            remedy = "free some space on its disk" if no_room(failure) else "restore a complete copy of it"
            raise InputError(f"{path} cannot be used: {failure}", hint=remedy) from None

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """All of it or nothing."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:  # on a full disk SQLite may have ended it already
                self._database.execute("ROLLBACK")
            raise

    # ------------------------------------------------------------------------------------------------- jobs

    def _jobs(self, rest: str, *values: Any) -> list[Job]:
        names = ", ".join(field.name for field in fields(Job))
        return [Job(*row) for row in self._database.execute(f"SELECT {names} FROM job {rest}", values)]

    def all(self) -> list[Job]:
        return self._jobs("ORDER BY id")

    def get(self, id_: int) -> Job | None:
        return next(iter(self._jobs("WHERE id = ?", id_)), None)

    def named(self, name: str) -> Job | None:
        return next(iter(self._jobs("WHERE name = ?", name)), None)

    def next(self) -> Job | None:
        """The oldest of the highest priority."""
        return next(iter(self._jobs("WHERE state = 'queued' ORDER BY priority, id LIMIT 1")), None)

    def running(self) -> Job | None:
        return next(iter(self._jobs("WHERE state = 'running' ORDER BY id LIMIT 1")), None)

    def last_of(self, original: str) -> Job | None:
        return next(iter(self._jobs("WHERE original = ? ORDER BY id DESC LIMIT 1", original)), None)

    def coming(self, source: str) -> Job | None:
        """The one whose entry was to be moved from there, and was not."""
        return next(iter(self._jobs("WHERE source = ? ORDER BY id DESC LIMIT 1", source)), None)

    def same_data(self, sha256: str) -> Job | None:
        return next(iter(self._jobs("WHERE sha256 = ? AND rows IS NOT NULL ORDER BY id LIMIT 1", sha256)), None)

    def add(self, original: str, source: str, priority: int, **columns: Any) -> Job:
        """Named by its number, so that no two entries of the queue ever have one name."""
        values = {"original": original, "source": source, "priority": priority, "added": time.time(), **columns}
        with self.together():
            id_ = self._insert("job", values)
            self._database.execute("UPDATE job SET name = ? WHERE id = ?", (f"{id_:06}-{original}", id_))
        return self._jobs("WHERE id = ?", id_)[0]

    def change(self, job: Job, **columns: Any) -> Job:
        """The job as it is then.

        Raises: JobChanged where it is in another state than the one it was read in.
        """
        names = ", ".join(f"{name} = ?" for name in columns)
        sql = f"UPDATE job SET {names} WHERE id = ? AND state = ?"
        changed = self._database.execute(sql, (*columns.values(), job.id, job.state))
        if changed.rowcount != 1:
            raise JobChanged(f"job {job.id} was changed by another process")
        return self._jobs("WHERE id = ?", job.id)[0]

    # ----------------------------------------------------------------------------------------------- rounds

    def rounds(self) -> list[Round]:
        names = ", ".join(field.name for field in fields(Round))
        return [Round(*row) for row in self._database.execute(f"SELECT {names} FROM round ORDER BY number")]

    def round(self, number: int | None) -> Round | None:
        return next((each for each in self.rounds() if each.number == number), None)

    def add_round(self, **columns: Any) -> None:
        self._insert("round", columns)

    def change_round(self, number: int, **columns: Any) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        self._database.execute(f"UPDATE round SET {names} WHERE number = ?", (*columns.values(), number))

    def _insert(self, table: str, values: dict[str, Any]) -> int:
        marks = ", ".join("?" * len(values))
        sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
        return int(self._database.execute(sql, tuple(values.values())).lastrowid or 0)
