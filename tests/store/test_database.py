"""One writer, batched commits: what is reported as stored is on disk, and a failure is never silent."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from augment_correction.errors import InputError
from augment_correction.store import Database

SCHEMA = "CREATE TABLE IF NOT EXISTS words (word TEXT PRIMARY KEY, number INTEGER);"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "journal.sqlite", SCHEMA)
    yield opened
    opened.close()


def insert(word: str, number: object = 1) -> tuple[str, tuple[object, ...]]:
    return "INSERT INTO words VALUES (?,?)", (word, number)


async def test_what_was_written_durably_can_be_read_at_once(database: Database) -> None:
    await database.write_durably(insert("one"))
    assert database.query("SELECT word FROM words") == [("one",)]


def words_for_another_process(path: Path) -> list[str]:
    """Which closes the file again."""
    program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(*[w for w, in c.execute('SELECT word FROM words')]); c.close()"
    return subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    ).stdout.split()


async def test_a_second_opening_in_the_process_keeps_the_locks_against_other_processes(database: Database) -> None:
    """`run --watch` opens the journal twice; `review` of another process then took the log away from under the run."""
    await database.write_durably(insert("one"))
    second = Database(database.path, SCHEMA)
    assert words_for_another_process(database.path) == ["one"]
    assert database.path.with_name("journal.sqlite-wal").exists()
    await database.write_durably(insert("two"))
    second.close()
    assert words_for_another_process(database.path) == ["one", "two"]
    await database.write_durably(insert("three"))


async def test_many_writers_share_their_commits(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = 0
    commit = database._commit

    def counted(connection: sqlite3.Connection, batch: list[object]) -> None:
        nonlocal commits
        commits += 1
        commit(connection, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "_commit", counted)
    await asyncio.gather(*(database.write_durably(insert(str(number))) for number in range(300)))
    assert database.query("SELECT COUNT(*) FROM words") == [(300,)]
    assert commits < 100


async def test_the_statements_of_one_write_are_stored_together_or_not_at_all(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await database.write_durably(insert("once"), insert("twice"), insert("once"))
    assert database.query("SELECT * FROM words") == []


async def test_writes_keep_their_order_and_flush_waits_for_them(database: Database) -> None:
    for number in range(50):
        database.write(("INSERT OR REPLACE INTO words VALUES ('last', ?)", (number,)))
    await database.flush()
    assert database.query("SELECT number FROM words") == [(49,)]


def test_closing_writes_what_was_handed_over(tmp_path: Path) -> None:
    opened = Database(tmp_path / "journal.sqlite", SCHEMA)
    for number in range(100):
        opened.write(insert(str(number)))
    opened.close()
    again = Database(tmp_path / "journal.sqlite", SCHEMA)
    assert again.query("SELECT COUNT(*) FROM words") == [(100,)]
    again.close()


def test_it_is_on_disk_even_if_the_process_is_killed_the_moment_it_hears_so(tmp_path: Path) -> None:
    program = f"""
import asyncio, os, signal
from pathlib import Path
from augment_correction.store import Database
async def main():
    database = Database(Path({str(tmp_path / "journal.sqlite")!r}), {SCHEMA!r})
    for number in range(20):
        await database.write_durably(("INSERT INTO words VALUES (?,?)", (str(number), number)))
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == -9
    again = Database(tmp_path / "journal.sqlite", SCHEMA)
    assert again.query("SELECT COUNT(*) FROM words") == [(20,)]
    again.close()


@pytest.mark.parametrize("value", [2**70, {"a": 1}, "\ud800"])
async def test_a_value_that_sqlite_does_not_take_is_told_and_does_not_hang(database: Database, value: object) -> None:
    with pytest.raises((OverflowError, sqlite3.Error, UnicodeEncodeError)):
        await asyncio.wait_for(database.write_durably(insert("x", value)), 10)


async def test_after_a_failure_nothing_more_is_stored(database: Database) -> None:
    database.write(insert("x"), insert("x"))
    for _ in range(2):
        with pytest.raises(sqlite3.IntegrityError):
            await database.write_durably(insert("y"))
    with pytest.raises(sqlite3.IntegrityError):
        await database.flush()
    assert database.query("SELECT * FROM words") == []


async def test_a_full_disk_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = Database._connect

    def small(self: Database) -> sqlite3.Connection:
        connection = connect(self)
        connection.execute("PRAGMA max_page_count = 5")
        return connection

    monkeypatch.setattr(Database, "_connect", small)
    database = Database(tmp_path / "journal.sqlite", SCHEMA)
    with pytest.raises(InputError, match="cannot be written: database or disk is full") as raised:
        await database.write_durably(insert("x" * 100_000))
    assert raised.value.hint is not None and "free some space" in raised.value.hint
    database.close()


async def test_a_stream_of_rows_sees_what_is_committed_and_nothing_later(database: Database) -> None:
    await database.write_durably(*(insert(str(number)) for number in range(10)))
    rows = database.stream("SELECT word FROM words")
    next(rows)
    await database.write_durably(insert("later"))
    assert len(list(rows)) == 9
    assert len(list(database.stream("SELECT word FROM words"))) == 11


def test_a_stream_left_early_holds_nothing(database: Database) -> None:
    rows = database.stream("SELECT 1 UNION SELECT 2")
    assert next(rows) == (1,)
    rows.close()


@pytest.mark.parametrize(
    "content", [b"not a database at all, and long enough for a header" * 50, b"SQLite format 3\0" + b"x" * 500]
)
def test_a_file_that_is_no_database_is_the_users_to_move(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"journal\.sqlite cannot be used") as raised:
        Database(path, SCHEMA)
    assert raised.value.hint is not None and "move it away" in raised.value.hint
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unable to open"):
        Database(tmp_path / "missing" / "journal.sqlite", SCHEMA)


def test_one_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Database(path, SCHEMA).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=7")
    connection.close()
    with pytest.raises(InputError, match=r"written by another version \(schema 7\)"):
        Database(path, SCHEMA)


def test_opening_one_that_is_up_to_date_changes_no_byte(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Database(path, SCHEMA).close()
    before = path.read_bytes()
    Database(path, SCHEMA).close()
    assert path.read_bytes() == before


async def test_a_write_that_nobody_waits_for_any_more_does_not_hold_up_the_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are told of together: one that was cancelled is passed over."""
    commit, both = database._commit, asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(connection: sqlite3.Connection, batch: list[object]) -> None:
        commit(connection, batch)  # type: ignore[arg-type]
        asyncio.run_coroutine_threadsafe(both.wait(), loop).result(10)

    monkeypatch.setattr(database, "_commit", slow)
    writes = [asyncio.create_task(database.write_durably(insert(str(number)))) for number in range(6)]
    await asyncio.sleep(0.05)
    for given_up in writes[:5]:
        given_up.cancel()
    await asyncio.sleep(0)
    both.set()
    ends = await asyncio.wait_for(asyncio.gather(*writes, return_exceptions=True), 10)
    assert ends[5] is None
    assert database.query("SELECT COUNT(*) FROM words") == [(6,)]


@pytest.mark.parametrize(("looks", "opens"), [([0], True), ([5, 0], True), ([5, 5, 0], True), ([5, 5, 5, 0], False)])
def test_missing_pages_are_looked_for_three_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: list[int], opens: bool
) -> None:
    """A run that is under way may have moved them between two looks."""
    left = list(looks)
    monkeypatch.setattr("augment_correction.store.database.missing_pages", lambda _: left.pop(0))
    monkeypatch.setattr("augment_correction.store.database.time.sleep", lambda _: None)
    if opens:
        Database(tmp_path / "journal.sqlite", SCHEMA).close()
        assert left == []
    else:
        with pytest.raises(InputError, match="5 of its pages are missing"):
            Database(tmp_path / "journal.sqlite", SCHEMA)
        assert left == [0]


def test_a_file_that_is_no_database_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_text("no database at all\n" * 500)
    with pytest.raises(InputError, match="file is not a database"):
        Database(tmp_path / "journal.sqlite", SCHEMA)


async def test_after_a_failure_nothing_of_it_is_left_and_nobody_is_locked_out(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await database.write_durably(insert("once"), insert("once"))
    other = sqlite3.connect(database.path, timeout=0, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert other.execute("SELECT COUNT(*) FROM words").fetchone() == (0,)
    other.close()


def test_what_a_thread_without_a_loop_writes_is_there_at_the_return_all_or_nothing(database: Database) -> None:
    sql = "INSERT INTO words VALUES (?,?)"
    database.write_at_once((sql, [("one", 1), ("two", 2)]), (sql, [("three", 3)]))
    assert database.query("SELECT COUNT(*) FROM words") == [(3,)]
    with pytest.raises(InputError, match="UNIQUE constraint failed"):
        database.write_at_once((sql, [("four", 4)]), (sql, [("one", 1)]))
    assert database.query("SELECT COUNT(*) FROM words") == [(3,)]


def test_rows_one_by_one_fail_as_a_query_does(database: Database) -> None:
    assert list(database.stream("SELECT 1")) == [(1,)]
    with pytest.raises(sqlite3.ProgrammingError):  # a mistake of ours, and no fault of the file
        list(database.stream("SELECT ?"))
    with pytest.raises(InputError, match="no such table"):
        list(database.stream("SELECT * FROM nowhere"))


def test_the_version_of_the_tables_is_what_it_was(database: Database) -> None:
    """Another one refuses the journals of every earlier program."""
    assert database.query("PRAGMA user_version") == [(1,)]


def test_a_file_that_turns_out_damaged_is_said_by_a_look_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Damaged:
        def execute(self, *_: object) -> object:
            raise sqlite3.DatabaseError("database disk image is malformed")

    with monkeypatch.context() as patched:
        patched.setattr(database, "_reader", Damaged())
        with pytest.raises(InputError, match="cannot be used: database disk image is malformed") as raised:
            database.query("SELECT word FROM words")
    assert "copy of it" in str(raised.value.hint)
