"""What SQLite does not notice by itself: a log beside an empty file, pages that are not there."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from augment_correction.errors import InputError
from augment_correction.store import Database
from augment_correction.store.pages import missing_pages, put_back_first_page

SCHEMA = "CREATE TABLE IF NOT EXISTS rows (number INTEGER PRIMARY KEY, text TEXT NOT NULL)"


@pytest.fixture
def logged(tmp_path: Path) -> Path:
    """A database as a process leaves it that was killed: everything is in the log."""
    made = tmp_path / "made" / "db.sqlite"
    left = tmp_path / "left" / "db.sqlite"
    made.parent.mkdir()
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(SCHEMA)
        for number in range(30):
            connection.execute("INSERT INTO rows VALUES (?, ?)", (number, f"{number} " * 2000))
        shutil.copytree(made.parent, left.parent)
    return left


@pytest.fixture
def folded(logged: Path) -> Path:
    """The same after it was closed properly."""
    with closing(sqlite3.connect(logged)) as connection:
        connection.execute("SELECT COUNT(*) FROM rows").fetchone()
    assert not logged.with_name("db.sqlite-wal").exists()
    return logged


def rows(path: Path) -> int:
    database = Database(path, SCHEMA)
    try:
        return int(database.query("SELECT COUNT(*) FROM rows")[0][0])
    finally:
        database.close()


class TestAllThere:
    def test_in_the_log_or_in_the_file_nothing_is_missing(self, logged: Path) -> None:
        assert missing_pages(logged) == 0
        assert rows(logged) == 30
        assert missing_pages(logged) == 0

    def test_what_does_not_exist_or_is_no_database_is_not_judged(self, tmp_path: Path) -> None:
        path = tmp_path / "db.sqlite"
        assert missing_pages(path) == 0
        path.write_bytes(b"no database" * 100)
        put_back_first_page(path)
        assert missing_pages(path) == 0


class TestCutShort:
    @pytest.mark.parametrize("keep", [0, 1, 100, 4000])
    def test_the_file_is_made_again_from_its_log(self, logged: Path, keep: int) -> None:
        with logged.open("r+b") as file:
            file.truncate(keep)
        assert rows(logged) == 30

    @pytest.mark.parametrize("cut", [1, 2000, 4096, 40_000])
    def test_a_missing_end_is_told_and_nothing_is_touched(self, folded: Path, cut: int) -> None:
        data = folded.read_bytes()
        folded.write_bytes(data[:-cut])
        assert missing_pages(folded) == -(-cut // 4096)
        with pytest.raises(InputError, match="of its pages are missing") as raised:
            rows(folded)
        assert raised.value.hint is not None and raised.value.hint.startswith("restore a complete copy of it")
        assert folded.read_bytes() == data[:-cut]

    def test_a_log_without_its_end_has_lost_that_end_only(self, logged: Path) -> None:
        log = logged.with_name("db.sqlite-wal")
        with log.open("r+b") as file:
            file.truncate(log.stat().st_size - 10)
        assert rows(logged) == 29


def test_a_header_of_nonsense_costs_no_time(folded: Path) -> None:
    data = bytearray(folded.read_bytes())
    data[28:32] = b"\xff" * 4
    folded.write_bytes(data)
    assert missing_pages(folded) > 2**31
    data[16:18] = b"\0\0"
    folded.write_bytes(data)
    assert missing_pages(folded) == 0  # SQLite's to say
