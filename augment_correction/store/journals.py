"""Journals of many machines: each actor of a cluster writes one of its own, with the calls that it paid for and the outcomes
of its passages, and the main journal takes them in.

SQLite on a shared filesystem must never have two writers, so a file is written by one process in its whole life; an
actor that is started again begins another. Keys are content hashes: taking a journal in twice changes nothing.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.folders import to_disk
from augment_correction.records import Completion, Request
from augment_correction.store.database import Database
from augment_correction.store.journal import COLUMNS, Journal, completion_of

_TAKEN_IN = "CREATE TABLE IF NOT EXISTS taken_in (name TEXT PRIMARY KEY) WITHOUT ROWID"


def take_in(main: Path, folder: Path) -> int:
    """Move every actor's journal in `folder` into `main`; returns how many there were. A kill at any instant leaves
    each of them either in its file or in `main`, and a later call finishes what was begun.

    Raises: InputError where one is damaged.
    """
    paths = sorted(folder.glob("*.sqlite"))
    for path in paths:
        try:
            with closing(sqlite3.connect(main, isolation_level=None, timeout=30)) as connection:
                _take_in(connection, path)
        except sqlite3.Error as failure:
            raise InputError(
                f"{path} cannot be merged into the journal: {failure}",
                hint="move it away to resume without the calls that it contains",
            ) from None
        path.unlink()
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return len(paths)


def _take_in(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(_TAKEN_IN)
    connection.execute("ATTACH ? AS actor", (str(path),))
    tables = {row[0] for row in connection.execute("SELECT name FROM actor.sqlite_master WHERE type = 'table'")}
    if not {"texts", "calls", "failures"} <= tables:
        return  # killed before it had written anything
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT OR IGNORE INTO texts SELECT * FROM actor.texts")
    connection.execute("INSERT OR IGNORE INTO calls SELECT * FROM actor.calls")
    # Failures have no key: without this a kill between here and the file's end would count them twice.
    if connection.execute("INSERT OR IGNORE INTO taken_in VALUES (?)", (path.name,)).rowcount:
        connection.execute("INSERT INTO failures SELECT * FROM actor.failures")
    if "outcomes" in tables:
        _take_outcomes(connection)
    connection.execute("COMMIT")


def _take_outcomes(connection: sqlite3.Connection) -> None:
    """Of passages that have none yet, or that failed: a batch of a dead actor may have been followed to its end twice, and the
    second time a server that had failed may have answered. A passage is taken whole."""
    theirs = "chunk_id IN (SELECT chunk_id FROM actor.outcomes WHERE status != 'failed')"
    connection.execute(
        "DELETE FROM main.outcomes WHERE chunk_id IN (SELECT chunk_id FROM main.outcomes WHERE status = 'failed')"
        f" AND {theirs}"
    )
    connection.execute(
        "CREATE TEMP TABLE new AS SELECT chunk_id FROM actor.outcomes EXCEPT SELECT chunk_id FROM main.outcomes"
    )
    connection.execute("INSERT INTO main.outcomes SELECT * FROM actor.outcomes WHERE chunk_id IN (SELECT * FROM new)")


def freeze(main: Path, folder: Path) -> Path | None:
    """A copy of all replies of `main` that no machine will write to again, so that any may read it without locks;
    None where nothing is paid yet. Costs one sequential pass over the replies (not the prompts)."""
    frozen, part = folder / "known.frozen", folder / "known.part"
    for path in (frozen, part):
        path.unlink(missing_ok=True)
    with closing(sqlite3.connect(part, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("ATTACH ? AS main_journal", (str(main),))
        if not connection.execute("SELECT 1 FROM main_journal.calls LIMIT 1").fetchone():
            part.unlink()
            return None
        connection.execute(
            "CREATE TABLE calls (key TEXT PRIMARY KEY, text, reasoning, finish_reason, input, output, cached_input,"
            " reasoning_tokens, estimated) WITHOUT ROWID"
        )
        connection.execute(f"INSERT INTO calls SELECT key, {COLUMNS} FROM main_journal.calls ORDER BY key")
    to_disk(part)
    part.replace(frozen)
    return frozen


class SharedJournal(Journal):
    """An actor's own journal in `database`; answers also from the frozen copy and from journals of dead actors."""

    def __init__(self, database: Database, frozen: Path | None) -> None:
        super().__init__(database)
        self._mine: set[str] = set()
        self._others: dict[Path, sqlite3.Connection] = {}
        if frozen is not None:
            self._others[frozen] = sqlite3.connect(f"{frozen.as_uri()}?mode=ro&immutable=1", uri=True)

    def read_also(self, paths: Iterable[Path]) -> None:
        """Journals of actors that began passages which this one has now. Opened for writing, since the last transaction
        of a process that was killed may have to be rolled back; nothing is written."""
        for path in paths:
            if path not in self._others and path.exists():
                self._others[path] = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=30)

    def find(self, key: str) -> Completion | None:
        # A read of one's own file waits for the commit that is under way: only what is known to be there is read.
        if key in self._mine:
            return super().find(key)
        for connection in self._others.values():
            with suppress(sqlite3.DatabaseError):  # what cannot be read is asked again; `take_in` will name the damage
                row = connection.execute(f"SELECT {COLUMNS} FROM calls WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    return completion_of(row)
        return None

    async def add(self, request: Request, completion: Completion, *, role: str, stage: str) -> None:
        await super().add(request, completion, role=role, stage=stage)
        self._mine.add(request.key)

    def close(self) -> None:
        """What it reads of others; the database is its owner's to close."""
        for connection in self._others.values():
            connection.close()
        self._others.clear()
