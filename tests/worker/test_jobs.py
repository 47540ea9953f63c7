"""The database of the worker: all of it or nothing, and a job is changed in the state it was read in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from augment_correction.errors import InputError
from augment_correction.worker.jobs import SCHEMA, Job, JobChanged, Jobs


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    made = Jobs(tmp_path / "worker.sqlite")
    yield made
    made.close()


@pytest.fixture
def others(tmp_path: Path, jobs: Jobs) -> Iterator[Jobs]:
    """As another process sees it."""
    made = Jobs(tmp_path / "worker.sqlite")
    yield made
    made.close()


def added(jobs: Jobs, name: str = "a.jsonl", priority: int = 1, state: str = "queued", **more: object) -> Job:
    return jobs.add(name, f"inbox/{name}", priority, state=state, **more)


class TestTogether:
    def test_all_of_it_is_seen_by_others_at_the_end(self, jobs: Jobs, others: Jobs) -> None:
        job = added(jobs).id
        with jobs.together():
            for number in (1, 2):
                jobs.add_round(number=number, job=job, adapter="a")
            assert others.rounds() == []
        assert [each.number for each in others.rounds()] == [1, 2]

    def test_or_nothing_of_it(self, jobs: Jobs, others: Jobs) -> None:
        job = added(jobs).id
        with pytest.raises(KeyError), jobs.together():
            jobs.add_round(number=1, job=job, adapter="a")
            raise KeyError
        assert jobs.rounds() == others.rounds() == []
        others.add_round(number=2, job=job, adapter="b")  # nothing is locked
        assert [each.number for each in jobs.rounds()] == [2]

    def test_where_sqlite_ended_it_the_cause_is_what_is_raised(self, jobs: Jobs) -> None:
        """As it does on a full disk."""
        with pytest.raises(KeyError), jobs.together():
            jobs._database.execute("ROLLBACK")
            raise KeyError


class TestChanges:
    def test_a_job_is_changed_only_in_the_state_it_was_read_in(self, jobs: Jobs, others: Jobs) -> None:
        queued = added(jobs)
        running = jobs.change(queued, state="running")
        assert running.state == "running" and others.get(running.id) == running
        with pytest.raises(JobChanged, match=f"job {running.id} was changed"):
            others.change(queued, state="running")
        assert jobs.get(running.id) == running

    def test_a_change_is_of_one_job(self, jobs: Jobs) -> None:
        first, second = added(jobs, "a.jsonl"), added(jobs, "b.jsonl")
        jobs.change(second, state="failed")
        assert jobs.get(first.id) == first


class TestLooking:
    def test_the_highest_priority_comes_first_and_the_oldest_within(self, jobs: Jobs) -> None:
        names = [("late low", 2), ("first", 1), ("second", 1), ("high", 0)]
        for name, priority in names:
            added(jobs, name, priority)
        order = []
        while (job := jobs.next()) is not None:
            order.append(job.original)
            jobs.change(job, state="done")
        assert order == ["high", "first", "second", "late low"]
        assert jobs.running() is None

    def test_the_running_one_is_the_oldest_of_them(self, jobs: Jobs) -> None:
        for name in "abc":
            added(jobs, name, state="queued" if name == "a" else "running")
        assert (jobs.running() or added(jobs)).original == "b"

    def test_rows_are_known_again_only_where_there_are_rows(self, jobs: Jobs) -> None:
        """A refused file has the hash of what it held and no rows: mended elsewhere, it must not count as seen."""
        added(jobs, "refused", state="failed", sha256="x")
        assert jobs.same_data("x") is None
        first = added(jobs, "first", sha256="x", rows=2)
        added(jobs, "second", sha256="x", rows=2)
        assert jobs.same_data("x") == first and jobs.same_data("y") is None

    def test_of_one_name_the_last_and_each_has_a_name_of_its_own(self, jobs: Jobs) -> None:
        first, last = added(jobs), added(jobs)
        assert (first.name, last.name) == ("000001-a.jsonl", "000002-a.jsonl")
        assert jobs.last_of("a.jsonl") == jobs.coming("inbox/a.jsonl") == jobs.named(last.name) == last
        assert jobs.last_of("b.jsonl") is jobs.coming("a.jsonl") is jobs.named("a.jsonl") is jobs.get(9) is None
        assert jobs.all() == [first, last]

    @pytest.mark.parametrize(
        ("state", "folder"), [("queued", "normal"), ("running", "processing"), ("done", "done"), ("failed", "failed")]
    )
    def test_its_folder(self, jobs: Jobs, state: str, folder: str) -> None:
        assert added(jobs, state=state).folder == folder


def test_rounds_are_changed_one_by_one(jobs: Jobs) -> None:
    job = added(jobs)
    for number in (2, 1):
        jobs.add_round(number=number, job=job.id, adapter=f"adapters/{number}")
    jobs.change_round(2, decision="accepted", parent=1)
    assert [(each.number, each.decision, each.parent) for each in jobs.rounds()] == [
        (1, None, None),
        (2, "accepted", 1),
    ]
    found = jobs.round(2)
    assert found is not None and found.adapter == "adapters/2" and jobs.round(None) is jobs.round(3) is None


def test_a_file_of_another_version_or_none_of_ours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "worker.sqlite"
    Jobs(path).close()
    Jobs(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version=7")
    database.close()
    with pytest.raises(InputError, match=r"another version \(schema 7\)"):
        Jobs(path)
    path.write_bytes(b"no database" * 100)
    with pytest.raises(InputError, match="cannot be used") as raised:
        Jobs(path)
    assert raised.value.hint == "restore a complete copy of it"


def test_a_file_with_heartbeats_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "worker.sqlite"
    with sqlite3.connect(path) as database:
        database.executescript(SCHEMA.replace("    added REAL", "    owner TEXT,\n    added REAL"))
        database.execute("CREATE TABLE worker (owner TEXT PRIMARY KEY, beat INTEGER NOT NULL DEFAULT 0)")
        database.execute(
            "INSERT INTO job (name, original, source, priority, state, owner, added) VALUES ('n', 'o', 's', 1, 'running', 'me', 1)"
        )
        database.execute("PRAGMA user_version=1")
    database.close()
    jobs = Jobs(path)
    job = jobs.running()
    assert job is not None and jobs.change(job, state="done").state == "done"
    assert added(jobs).id == 2
    jobs.close()
