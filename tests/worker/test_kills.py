"""Kills at bad moments, two workers, stop, pause: the real program, real signals."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from augment_correction.launching.process_id import ProcessId
from augment_correction.worker.status import worker_of
from tests.worker.world import World, rows, until


@pytest.fixture
def training(world: World) -> World:
    """A worker in the middle of its second round."""
    world.drop("a.jsonl", rows("a"))
    world.work()
    world.untell("ready")
    world.tell("hold")
    world.start()
    world.drop("b.jsonl", rows("b"))
    world.held_training()
    return world


def ended(world: World, id_: int = 2) -> None:
    def over() -> bool:
        job = world.context.jobs.get(id_)
        return job is not None and job.state in ("done", "failed")

    until(over, f"job {id_} ended: {world.log()}")


def test_a_killed_workers_training_goes_on_and_is_awaited_by_the_next(training: World) -> None:
    training.started[0].kill()
    training.started[0].wait()
    training.start()
    until(lambda: "its process still runs and is awaited" in training.log(), "the next worker found it")
    training.untell("hold")
    ended(training)
    assert (training.job(2).state, training.job(2).attempts, len(training.starts())) == ("done", 1, 2)
    assert training.context.jobs.rounds()[1].parent == 1


def test_a_training_that_ended_while_nobody_watched_is_not_trained_again(training: World) -> None:
    training.started[0].kill()
    training.started[0].wait()
    training.untell("hold")
    until((training.places / "jobs/000002/train_1.exit").exists, "it ended")
    training.start()
    ended(training)
    assert (training.context.jobs.rounds()[1].decision, len(training.starts())) == ("accepted", 2)


def test_worker_and_training_killed_together_resume_in_the_same_round(training: World) -> None:
    training.started[0].kill()
    training.started[0].wait()
    os.killpg(os.getpgid(training.starts()[-1]["pid"]), signal.SIGKILL)
    training.untell("hold")
    training.start()
    ended(training)
    last = training.starts()[-1]
    assert (training.job(2).state, training.job(2).round, training.job(2).attempts) == ("done", 2, 1)
    assert (last["--resume"], Path(last["--adapter"]).parent.name) == ("yes", "round_0001")
    assert "nothing runs" in training.log() and "was killed, attempt 1 of 3" in training.log()


@pytest.mark.parametrize("who", ["trainer", "supervisor", "both"])
def test_a_killed_training_is_begun_again_by_the_same_worker(training: World, who: str) -> None:
    trainer = training.starts()[-1]["pid"]
    supervisor = os.getpgid(trainer)
    if who == "both":
        os.killpg(supervisor, signal.SIGKILL)
    else:
        os.kill(trainer if who == "trainer" else supervisor, signal.SIGKILL)
    if who == "supervisor":
        assert len(training.starts()) == 2, "the training holds the slot itself"
    training.untell("hold")
    ended(training)
    assert (training.job(2).state, len(training.starts())) == ("done", 3)


def test_a_second_worker_is_refused(training: World) -> None:
    second = training.start()
    assert second.wait(60) == 2
    assert "another worker is running on" in (training.root / "stderr").read_text()


def test_stop_lets_the_training_write_its_checkpoint_and_the_next_goes_on(training: World) -> None:
    (training.places / ".stop").touch()
    assert training.started[0].wait(60) == 0
    assert (training.places / "adapters/round_0002/checkpoint-1/state").exists()
    assert (training.job(2).state, training.job(2).attempts) == ("running", 0)
    assert training.lies("processing") == ["000002-b.jsonl"]
    training.untell("hold")
    training.drop("c.jsonl", rows("c"), "queue/high")
    training.start()
    ended(training, 3)
    assert training.starts()[2]["--resume"] == "yes"
    assert [each.parent for each in training.context.jobs.rounds()] == [None, 1, 2], "what began first ends first"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_stop(training: World, number: signal.Signals) -> None:
    training.started[0].send_signal(number)
    assert training.started[0].wait(60) == 0
    assert (training.places / "adapters/round_0002/checkpoint-1/state").exists()


def test_a_second_signal_leaves_the_training_alone(training: World) -> None:
    training.tell("deaf")
    training.started[0].send_signal(signal.SIGINT)
    until(lambda: "was sent SIGINT" in training.log(), "it asked the training to stop")
    training.started[0].send_signal(signal.SIGINT)
    assert training.started[0].wait(60) == 130
    training.untell("hold")
    training.start()
    ended(training)
    assert len(training.starts()) == 2


def test_a_training_that_does_not_listen_is_killed_after_the_grace(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("augment_correction.worker.working.KILL_SECONDS", 0.1)
    world.write(grace_seconds=0.1)
    world.tell("hold")
    world.tell("deaf")
    world.drop("a.jsonl", rows("a"))
    world.work(until_=(world.control / "ready").exists)
    worker_stops(world)
    assert all(f"was sent {name}" in world.log() for name in ("SIGINT", "SIGTERM", "SIGKILL"))
    assert (world.job().state, world.job().attempts) == ("running", 0)


def worker_stops(world: World) -> None:
    from augment_correction.worker.config import load_worker
    from augment_correction.worker.working import Worker

    worker = Worker(load_worker(world.config))
    with worker.at_work():
        (world.places / ".stop").touch()
        until(lambda: not worker.step(), "the worker has stopped")


def test_paused_it_takes_in_and_begins_nothing(world: World) -> None:
    world.work(until_=lambda: True)
    (world.places / ".pause").touch()
    world.start()
    world.drop("a.jsonl", rows("a"))
    until(lambda: world.lies("normal"), "it was taken in")
    until(lambda: "paused" in world.log(), "it said so")
    assert world.starts() == []
    (world.places / ".pause").unlink()
    ended(world, 1)


def test_a_process_of_the_same_id_is_never_signalled(training: World) -> None:
    launch = training.places / "jobs/000002/train_1.process"
    supervisor = ProcessId.read(launch)
    assert supervisor is not None and supervisor.alive
    ProcessId(supervisor.pid, "another boot:1", supervisor.host).write(launch)
    (training.places / ".stop").touch()
    until(lambda: "stopping" in training.log(), "it stops")
    assert "was sent" not in training.log()
    training.untell("hold")
    assert training.started[0].wait(60) == 0


def test_a_killed_workers_job_is_the_next_ones_and_status_names_who_runs(training: World) -> None:
    assert (found := worker_of(training.context)) is not None and found.pid == training.started[0].pid
    training.started[0].kill()
    training.started[0].wait()
    assert worker_of(training.context) is None
    training.start()
    until(lambda: "taken over in phase train from a worker that is gone" in training.log(), "it said so")
    assert (found := worker_of(training.context)) is not None and found.pid == training.started[1].pid
    training.untell("hold")
    ended(training)
    assert training.job(2).state == "done"


@pytest.mark.parametrize("state", ["queued", "failed"])
def test_a_kill_between_the_row_and_the_rename_is_mended(world: World, state: str) -> None:
    world.work(until_=lambda: True)
    world.drop("a.jsonl", rows("a"))
    facts = {"state": state, "rows": 1, "format": "messages", "reason": "no", "sha256": "of other rows"}
    world.context.jobs.add("a.jsonl", "inbox/a.jsonl", 1, **facts)
    world.work()
    assert list(world.inbox.iterdir()) == [] and len(world.context.jobs.all()) == 1
    assert world.lies("failed") == ["000001-a.jsonl", "000001-a.jsonl.reason.txt"]


def test_a_kill_between_the_link_and_the_row_is_mended(training: World) -> None:
    training.untell("hold")
    ended(training)
    until(lambda: training.lies("done") == ["000001-a.jsonl", "000002-b.jsonl"], "the file was moved")
    training.started[0].kill()
    training.started[0].wait()
    context = training.context
    context.jobs.change(training.job(2), state="running", phase="gate", launched=1)
    context.jobs.change_round(2, decision=None)
    training.work()
    assert [each.decision for each in training.context.jobs.rounds()] == ["accepted", "accepted"]
    assert training.lies("done") == ["000001-a.jsonl", "000002-b.jsonl"]
