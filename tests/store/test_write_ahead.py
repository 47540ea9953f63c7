"""Who opens a new file at the same moment as others gets it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from augment_correction.store.write_ahead import write_ahead


def test_all_who_open_new_files_at_once_get_them(tmp_path: Path) -> None:
    """Without the wait 20 of 1,200 were refused."""
    failures: list[sqlite3.Error] = []

    def start(path: Path, together: threading.Barrier) -> None:
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            together.wait()
            try:
                write_ahead(connection)
            except sqlite3.Error as failure:
                failures.append(failure)

    for number in range(100):
        together = threading.Barrier(4)
        threads = [
            threading.Thread(target=start, args=(tmp_path / f"{number}.sqlite", together))
            for _ in range(together.parties)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_a_file_that_stays_held_is_told_after_the_wait(tmp_path: Path) -> None:
    path = tmp_path / "held.sqlite"
    with closing(sqlite3.connect(path)) as holder, closing(sqlite3.connect(path, timeout=0.01)) as other:
        holder.execute("CREATE TABLE words (word)")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            write_ahead(other, wait=0.1)


def test_what_is_no_database_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "no.sqlite"
    path.write_bytes(b"this is no database at all" * 100)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.DatabaseError, match="not a database"):
        write_ahead(connection)
