"""One SQLite file per run, in WAL mode. One thread writes; whatever is waiting goes into one transaction, so that the
cost of an fsync is shared by all calls that finish at the same time."""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError
from augment_correction.store.pages import missing_pages, put_back_first_page
from augment_correction.store.write_ahead import write_ahead

Statement = tuple[str, Sequence[Any]]
SCHEMA_VERSION = 1
_NO_PLACE_TO_WRITE = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
)
"""What is wrong is the disk or the folder: the file itself is as good as ever."""
_opening = threading.Lock()
_open_here: Counter[tuple[str, int, int]] = Counter()
"""The files that this process has open. Their bytes must not be looked at past SQLite: a process loses all its locks on a file when it
closes that file once (https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_), and
the next other process to read the file takes the log away from under the writer. It cost a run with its page its journal."""


def _file_at(path: Path) -> tuple[str, int, int]:
    """The file and not only its name: another may have been put there."""
    try:
        status = path.stat()
    except OSError:
        return "", 0, 0
    return os.path.realpath(path), status.st_dev, status.st_ino


def _is_at_rest(path: Path) -> bool:
    """Whether it lies in a folder in which nobody may write, and has no log beside it: a finished run on a share or in a snapshot. WAL
    wants to make two files there even to read."""
    return path.is_file() and not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()


class _Write:
    __slots__ = ("future", "statements")

    def __init__(self, statements: list[Statement], future: asyncio.Future[None] | None) -> None:
        self.statements = statements
        self.future = future


class Database:
    """Reads happen in the calling thread (a primary-key look-up takes 10 µs); writes are handed to the writer.

    `shared`: the file lies where other machines will read it. WAL keeps its index in memory that all processes map,
    which machines do not share; a rollback journal needs locks only, at the price of a second fsync per commit, and a
    read may wait for a commit."""

    def __init__(self, path: Path, schema: str, *, shared: bool = False) -> None:
        self.path = path
        self._shared = shared
        try:
            with _opening:
                if not shared and not _open_here[_file_at(path)]:
                    self._mend()
                self._reader = self._connect()
                self._file = _file_at(path)
                _open_here[self._file] += 1
        except sqlite3.Error as failure:
            raise self._unusable(failure) from None
        try:
            self._prepare(schema)
            writer = self._connect()
        except sqlite3.Error as failure:
            self._close_reader()
            raise self._unusable(failure) from None
        self._writes: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(writer,), name="journal", daemon=True)
        self._thread.start()

    def _mend(self) -> None:
        """Raises: sqlite3.DatabaseError where a part of the file is gone that SQLite would not miss."""
        put_back_first_page(self.path)
        for _ in range(3):  # a run that is under way may have moved pages between our two looks
            missing = missing_pages(self.path)
            if not missing:
                return
            time.sleep(0.1)
        raise sqlite3.DatabaseError(f"{missing} of its pages are missing (after a power cut, or in a copy cut short)")

    def _unusable(self, failure: Exception) -> InputError:
        if getattr(failure, "sqlite_errorcode", 0) & 0xFF in _NO_PLACE_TO_WRITE:
            return InputError(
                f"{self.path} cannot be written: {failure}",
                hint="free some space on the disk or make the folder writable, and run the same command again to resume",
            )
        return InputError(
            f"{self.path} cannot be used: {failure}",
            hint="restore a complete copy of it, or move it away to start again without the paid calls that it contains",
        )

    def _connect(self) -> sqlite3.Connection:
        if _is_at_rest(self.path):
            address = f"{self.path.absolute().as_uri()}?immutable=1"
            return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
        try:
            if self._shared:
                connection.execute("PRAGMA journal_mode=TRUNCATE")
            else:
                write_ahead(connection)
            # FULL makes a commit survive a power cut, not only kill -9; the fsync is shared by the batch.
            connection.execute("PRAGMA synchronous=FULL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _prepare(self, schema: str) -> None:
        [(version,)] = self._reader.execute("PRAGMA user_version")
        if version not in (0, SCHEMA_VERSION):
            raise sqlite3.DatabaseError(f"it was written by another version (schema {version})")
        self._reader.executescript(schema)
        if version != SCHEMA_VERSION:
            self._reader.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Raises: InputError where the file is damaged."""
        try:
            return self._reader.execute(sql, values).fetchall()
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as failure:
            raise self._unusable(failure) from None

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows one by one over a connection of its own, so that a table of any size fits."""
        try:
            connection = self._connect()
            try:
                yield from connection.execute(sql, values)
            finally:
                connection.close()
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as failure:
            raise self._unusable(failure) from None

    def write(self, *statements: Statement) -> None:
        """Hand over and go on. A failure shows at the next `write_durably` or `flush`."""
        self._writes.put(_Write(list(statements), None))

    def write_at_once(self, *statements: tuple[str, Iterable[Sequence[Any]]]) -> None:
        """Each statement for all its rows, all of it in one transaction that is on disk at the return: for a thread
        that has no event loop to wait in. What was handed over before must have been flushed.

        Raises: InputError where it cannot be written.
        """
        try:
            with closing(self._connect()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                for sql, rows in statements:
                    connection.executemany(sql, rows)
                connection.execute("COMMIT")
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as failure:
            raise self._unusable(failure) from None

    async def write_durably(self, *statements: Statement) -> None:
        """Return when the statements are on disk.

        Raises: InputError where they cannot be written (disk full, folder gone).
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writes.put(_Write(list(statements), future))
        await future

    async def flush(self) -> None:
        """Return when everything handed over so far is on disk."""
        await self.write_durably()

    def close(self) -> None:
        self._writes.put(None)
        self._thread.join()
        self._close_reader()

    def _close_reader(self) -> None:
        with _opening:
            self._reader.close()
            _open_here[self._file] -= 1

    # ------------------------------------------------------------------------------------- the writer's thread

    def _run(self, connection: sqlite3.Connection) -> None:
        try:
            closing = False
            while not closing:
                batch, closing = self._waiting()
                if batch:
                    self._commit(connection, batch)
                    self._tell(batch)
        finally:
            connection.close()

    def _waiting(self) -> tuple[list[_Write], bool]:
        """The next write and all that wait behind it; True with the last of them."""
        batch: list[_Write] = []
        item = self._writes.get()
        while item is not None:
            batch.append(item)
            try:
                item = self._writes.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, connection: sqlite3.Connection, batch: Iterable[_Write]) -> None:
        # What could not be stored must not be used, now or later: everything after a failure fails too.
        if self._failure is not None:
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            for write in batch:
                for sql, values in write.statements:
                    connection.execute(sql, values)
            connection.execute("COMMIT")
        except Exception as failure:  # whatever it is: who waits for this write must hear of it, or waits for ever
            not_ours = type(failure) in (sqlite3.DatabaseError, sqlite3.OperationalError)
            self._failure = self._unusable(failure) if not_ours else failure
        if self._failure is not None and connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")

    def _tell(self, batch: list[_Write]) -> None:
        futures = [write.future for write in batch if write.future is not None]
        if not futures:
            return
        failure = self._failure

        def resolve() -> None:
            for future in futures:
                if future.done():
                    continue
                if failure is None:
                    future.set_result(None)
                else:
                    future.set_exception(failure)

        loop = futures[0].get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(resolve)
