from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from augment_correction.errors import InputError
from augment_correction.records import Completion, Message, Request
from augment_correction.store import Database, Journal, Outcome, Results
from augment_correction.store.journal import SCHEMA
from augment_correction.store.journals import SharedJournal, freeze, take_in
from augment_correction.store.outcomes import OUTCOMES, Status
from augment_correction.store.results import SCHEMA as RESULTS_SCHEMA
from augment_correction.usage import Usage


def asked(number: int) -> Request:
    return Request((Message("system", "Answer."), Message("user", f"Question {number}")), "m")


async def write(path: Path, *numbers: int, shared: bool = True, failures: int = 0) -> None:
    path.parent.mkdir(exist_ok=True)
    database = Database(path, SCHEMA, shared=shared)
    journal = Journal(database)
    for number in numbers:
        await journal.add(
            asked(number), Completion(f"Reply {number}", None, "stop", Usage(7, 3)), role="small", stage="s"
        )
    for _ in range(failures):
        journal.note_failure(asked(0), role="small", stage="s", status=500, message="no")
    await database.flush()
    database.close()


async def ended(path: Path, schema: str, passages: dict[str, list[Status]]) -> None:
    path.parent.mkdir(exist_ok=True)
    database = Database(path, schema)
    results = Results(database, "plan")
    for passage, statuses in passages.items():
        results.add_outcomes([Outcome(passage, part, status, None, None, {}) for part, status in enumerate(statuses)])
    await database.flush()
    database.close()


@pytest.fixture
async def main(tmp_path: Path) -> Path:
    path = tmp_path / "journal.sqlite"
    await write(path, 1, shared=False)
    return path


def keys(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT key FROM calls")}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class TestTakingIn:
    async def test_everything_moves_and_the_folder_goes(self, main: Path) -> None:
        folder = main.parent / "journals"
        await write(folder / "a.sqlite", 1, 2)
        await write(folder / "b.sqlite", 2, 3, failures=2)
        assert take_in(main, folder) == 2
        assert keys(main) == {asked(number).key for number in (1, 2, 3)}
        assert not folder.exists()
        database = Database(main, SCHEMA)
        stored = Journal(database).read(asked(3).key)
        assert stored is not None and stored.messages[1].content == "Question 3"
        assert [totals.failures for totals in Journal(database).totals()] == [2]
        database.close()

    async def test_a_kill_before_the_file_is_gone_counts_nothing_twice(self, main: Path) -> None:
        folder = main.parent / "journals"
        for _ in range(2):
            await write(folder / "b.sqlite", 2, failures=2)
            take_in(main, folder)
        with closing(sqlite3.connect(main)) as connection:
            assert connection.execute("SELECT COUNT(*) FROM failures").fetchone() == (2,)

    async def test_outcomes_move_and_a_failure_gives_way(self, tmp_path: Path) -> None:
        """Whichever of two actors that had the same batch comes first; a passage is taken whole and once."""
        main, folder = tmp_path / "journal.sqlite", tmp_path / "journals"
        await ended(main, SCHEMA + RESULTS_SCHEMA, {"before": ["kept"]})
        await ended(folder / "a.sqlite", SCHEMA + OUTCOMES, {"x": ["kept", "failed"], "y": ["kept", "kept"]})
        await ended(folder / "b.sqlite", SCHEMA + OUTCOMES, {"x": ["kept", "kept", "rejected"], "y": ["failed"]})
        await ended(folder / "c.sqlite", SCHEMA + OUTCOMES, {"x": ["failed"], "z": ["failed"]})
        assert take_in(main, folder) == 3
        with closing(sqlite3.connect(main)) as connection:
            rows = connection.execute("SELECT chunk_id, group_concat(status, ' ') FROM outcomes GROUP BY 1").fetchall()
        assert dict(rows) == {"before": "kept", "x": "kept kept rejected", "y": "kept kept", "z": "failed"}

    async def test_an_actor_killed_before_it_had_tables(self, main: Path) -> None:
        folder = main.parent / "journals"
        folder.mkdir()
        (folder / "a.sqlite").touch()
        assert take_in(main, folder) == 1

    async def test_a_damaged_journal_is_named_and_kept(self, main: Path) -> None:
        folder = main.parent / "journals"
        folder.mkdir()
        (folder / "a.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
        with pytest.raises(InputError, match=r"a\.sqlite"):
            take_in(main, folder)
        assert (folder / "a.sqlite").exists()

    async def test_an_unfinished_transaction_is_rolled_back(self, main: Path) -> None:
        """What a kill in the middle of a commit leaves: a changed file and the old pages beside it."""
        folder = main.parent / "journals"
        path = folder / "a.sqlite"
        await write(path, 2)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA cache_size=1")
            connection.execute("PRAGMA cache_spill=1")
            connection.execute("BEGIN IMMEDIATE")
            for number in range(200):
                connection.execute("INSERT INTO texts VALUES (?, ?)", (f"half-{number}", "x" * 2000))
            copied = [(each.name, each.read_bytes()) for each in folder.iterdir()]
            connection.execute("ROLLBACK")
        for name, data in copied:
            (folder / name).write_bytes(data)
        take_in(main, folder)
        assert keys(main) == {asked(1).key, asked(2).key}
        with closing(sqlite3.connect(main)) as connection:
            assert connection.execute("SELECT COUNT(*) FROM texts WHERE hash LIKE 'half-%'").fetchone() == (0,)


class TestAnswering:
    async def test_from_the_frozen_copy_the_dead_and_its_own(self, main: Path) -> None:
        folder = main.parent / "journals"
        await write(folder / "dead.sqlite", 2)
        frozen = freeze(main, folder)
        assert frozen is not None
        database = Database(folder / "mine.sqlite", SCHEMA, shared=True)
        journal = SharedJournal(database, frozen)
        found = journal.find(asked(1).key)
        assert found is not None and (found.text, found.cached) == ("Reply 1", True)
        assert journal.find(asked(2).key) is None
        journal.read_also([folder / "dead.sqlite", folder / "never-begun.sqlite"])
        assert journal.find(asked(2).key) == Completion("Reply 2", None, "stop", Usage(7, 3), cached=True)
        await journal.add(asked(3), Completion("Reply 3", None, "stop", Usage(1, 1)), role="small", stage="s")
        assert journal.find(asked(3).key) is not None
        assert journal.find(asked(4).key) is None
        journal.close()
        database.close()

    async def test_nothing_paid_nothing_frozen(self, tmp_path: Path) -> None:
        await write(tmp_path / "journal.sqlite", shared=False)
        (tmp_path / "journals").mkdir()
        assert freeze(tmp_path / "journal.sqlite", tmp_path / "journals") is None
        assert list((tmp_path / "journals").iterdir()) == []

    async def test_no_shared_memory_beside_a_shared_journal(self, tmp_path: Path) -> None:
        database = Database(tmp_path / "a.sqlite", SCHEMA, shared=True)
        await database.flush()
        assert "a.sqlite-shm" not in names(tmp_path)
        database.close()
