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
    assert program("worker", "pause", config).out == "paused\n"
    assert "(pause)" in program("worker", "status", config).out
    assert program("worker", "resume", config).out == "resumed\n"
    assert program("worker", "stop", config).out == "stopping\n"
    assert process.wait(60) == 0
    assert program("worker", "stop", config).out == "no worker runs\n"
    assert program("worker", "rollback", config).out == "round 1 was current; now it is the base model\n"
    assert program("worker", "rollback", config).code == 2
    assert program("worker", "retry", "1", "--config", config).out == "job 1 is queued again\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("status",), "there is no worker's folder"),
        (("add", "nowhere.jsonl", "--config"), "there is nothing at"),
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
