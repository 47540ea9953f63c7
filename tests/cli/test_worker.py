"""`worker` as a user calls it, on a real worker with a fake trainer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import program
from tests.worker.world import World, rows, until


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.clear()


def test_from_add_to_rollback(world: World) -> None:
    (world.root / "mine.jsonl").write_text(rows("a"))
    config = str(world.config)
    added = program("worker", "add", "mine.jsonl", "--priority", "high", "--config", config, cwd=world.root)
    assert added.code == 0, added.err
    assert added.out == f"{world.queue}/high/mine.jsonl: 1 rows of messages\n"
    process = world.start()
    until(lambda: (world.queue / "done").is_dir() and world.lies("done"), "the job is done")
    seen = json.loads(program("worker", "status", config, "--json").out)
    assert [each["pid"] for each in seen["workers"]] == [process.pid]
    assert (seen["jobs"][0]["decision"], seen["jobs"][0]["priority"]) == ("accepted", "high")
    assert seen["rounds"][0]["metrics"] == {"accuracy": 0.5} and seen["current"]["round"] == 1
    shown = program("worker", "status", config).out
    assert "mine.jsonl" in shown and "accepted" in shown and "current  round 1" in shown
    assert program("worker", "pause", config).out == f"paused: {world.queue.parent}\n"
    assert "(pause)" in program("worker", "status", config).out
    assert program("worker", "resume", config).out == f"resumed: {world.queue.parent}\n"
    assert program("worker", "stop", config).out == "stopping\n"
    assert process.wait(60) == 0
    assert program("worker", "stop", config).out == "no worker is running\n"
    assert program("worker", "rollback", config).out == "round 1 was current; now it is the base model\n"
    assert program("worker", "rollback", config).code == 2
    assert program("worker", "retry", "1", "--config", config).out == "job 1 is queued again\n"


def test_status_says_in_one_line_why_a_round_was_rejected(world: World) -> None:
    unsure = [{"holds": None, "text": f"{n} questions gained, and nobody knows [why]"} for n in range(9)]
    world.tell("report", json.dumps({"decisions": {"tuned": {"outcome": "undecided", "reasons": unsure}}}))
    world.tell("verdict", "3")
    world.drop("a.jsonl", rows("a"))
    world.work()
    *_, line = program("worker", "status", str(world.config)).out.splitlines()
    assert line.startswith("job 1, round 1 rejected: undecided: 0 questions gained, and nobody knows [why]; 1 ")
    assert line.endswith("8 questions gained, and nobody knows [why]"), "a pipe gets it whole"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("status",), "no worker has worked in"),
        (("add", "nowhere.jsonl", "--config"), "does not exist"),
        (("add", "bad.jsonl", "--config"), "1 of 1 rows cannot be used"),
    ],
)
def test_a_users_mistake_is_one_clear_line(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    config = tmp_path / "worker.yaml"
    config.write_text("worker: {root: w}\ntrain: {command: train}\ngate: {command: 'true'}\n")
    (tmp_path / "bad.jsonl").write_text("{}\n")
    made = program("worker", *arguments, str(config), cwd=tmp_path)
    assert made.code == 2 and says in made.err and "Traceback" not in made.err


def test_every_command_has_help_with_an_example() -> None:
    for command in ("run", "add", "status", "pause", "resume", "stop", "retry", "rollback"):
        made = program("worker", command, "--help")
        assert made.code == 0 and "Example: python -m augment_correction worker" in " ".join(made.out.split()), command


class TestBeforeTheFirstWorker:
    @pytest.fixture(autouse=True)
    def config(self, tmp_path: Path) -> str:
        made = "worker: {root: w}\ntrain: {command: train, config: nowhere.yaml}\ngate: {command: 'true'}\n"
        (tmp_path / "worker.yaml").write_text(made)
        return str(tmp_path / "worker.yaml")

    def test_it_can_be_paused_and_files_wait(self, tmp_path: Path, config: str) -> None:
        assert program("worker", "pause", config).out == f"paused: {tmp_path / 'w'}\n"
        (tmp_path / "a.jsonl").write_text(rows("a"))
        assert program("worker", "add", "a.jsonl", "--config", config, cwd=tmp_path).code == 0
        assert "1 files are waiting in its queue" in program("worker", "status", config).err

    def test_a_config_that_a_round_needs_is_missed_at_the_start(self, config: str) -> None:
        done = program("worker", "run", config)
        assert done.code == 2 and "train.config names" in done.err and "Traceback" not in done.err

    def test_of_several_files_all_are_added_or_none(self, tmp_path: Path, config: str) -> None:
        (tmp_path / "a.jsonl").write_text(rows("a"))
        (tmp_path / "bad.jsonl").write_text('{"messages": [{"role": "banana", "content": "x", "train": true}]}\n')
        done = program("worker", "add", "a.jsonl", "bad.jsonl", "--config", config, cwd=tmp_path)
        assert done.code == 2 and "bad.jsonl: 1 of 1 rows" in done.err and "has the role 'banana'" in done.err
        assert not (tmp_path / "w").exists()


def test_rows_that_came_in_already_are_refused_at_once(world: World) -> None:
    world.drop("a.jsonl", rows("a"))
    world.work()
    (world.root / "again.jsonl").write_text(rows("a"))
    done = program("worker", "add", "again.jsonl", "--config", str(world.config), cwd=world.root)
    assert done.code == 2 and "the same rows came in as job 1" in done.err and "worker retry 1" in done.err
