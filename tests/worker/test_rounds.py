"""Rounds, decisions, the pointer, attempts: a worker in this process with a trainer and a gate that are fakes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from augment_correction.errors import InputError
from augment_correction.failures import Failure
from augment_correction.worker.context import WorkerContext
from augment_correction.worker.current import current, rollback
from augment_correction.worker.intake import retry
from augment_correction.worker.report import why
from augment_correction.worker.rounds import Rounds
from tests.worker.world import World, rows


def test_a_monitors_file_is_trained_on_and_its_adapter_becomes_current(world: World) -> None:
    stem = "self_correction_step500_20251121_143022"
    world.drop(f"{stem}.json", '{"step": 500, "num_examples": 2, "stats": {"total_evals": 20}}')
    world.drop(f"{stem}.jsonl", rows("4.", "It is 4."))
    world.work()
    job = world.job()
    assert (job.state, job.rows, job.format, job.attempts) == ("done", 2, "messages", 1)
    assert world.lies("done") == [f"000001-{stem}.jsonl"]
    assert list(world.inbox.iterdir()) == []
    assert json.loads((world.places / "jobs/000001" / f"{stem}.json").read_text())["step"] == 500
    assert (world.places / "current" / "adapter_config.json").is_file()
    made = world.context.jobs.rounds()[0]
    assert (made.decision, made.parent, made.sha256) == ("accepted", None, job.sha256)
    assert json.loads(made.metrics or "") == {"accuracy": 0.5}
    assert "Self-Correction: job 1" in world.log()
    assert "train began" in (world.places / "jobs/000001/train.log").read_text()


def test_each_accepted_round_is_the_base_of_the_next(world: World) -> None:
    for number in range(3):
        world.drop(f"{number}.jsonl", rows(str(number)))
        world.work()
    adapters = [start.get("--adapter") for start in world.starts()]
    assert adapters == [None, *(str(world.places / f"adapters/round_000{number}/final") for number in (1, 2))]
    assert [each.parent for each in world.context.jobs.rounds()] == [None, 1, 2]


def test_a_rejected_round_keeps_its_adapter_and_the_pointer(world: World) -> None:
    world.drop("a.jsonl", rows("a"))
    world.work()
    world.tell("verdict", "3")
    world.drop("b.jsonl", rows("b"))
    world.work()
    assert (world.job(2).state, world.context.jobs.rounds()[1].decision) == ("done", "rejected")
    assert (world.places / "adapters/round_0002/final/adapter_config.json").is_file()
    assert (world.places / "current").resolve() == world.places / "adapters/round_0001/final"


def evaluated(outcome: str, *reasons: tuple[bool | None, str]) -> str:
    """As much of `evaluation.json` as the worker reads."""
    told = [{"holds": holds, "text": text} for holds, text in reasons]
    gain = {"value": 0.125, "low": 0.03125, "high": 0.21875}
    against = {"tuned": {"all": {"difference": {"accuracy_t2": gain}}}}
    decisions = {"tuned": {"outcome": outcome, "reasons": told}}
    return json.dumps({"decisions": decisions, "gate": {"against_base": against}})


HOLDS = (True, "right second answers +15.6 points (+3.1 to +28.1); wanted 0 points or more")
UNSURE = (
    None,
    "8 questions became right and 3 became wrong at the second answer: p = 0.11 by chance; wanted below 0.025 at look 1",
)
SHORT = (None, "32 questions of 4 documents: by document the gain is at least -3.1 points; wanted above 0")
BROKEN = (False, "right first answers -20.0 points (-30.0 to -10.0); may fall by 2 points")


@pytest.mark.parametrize(
    ("code", "report", "decision", "reason"),
    [
        (3, evaluated("undecided", HOLDS, UNSURE, SHORT), "rejected", f"undecided: {UNSURE[1]}; {SHORT[1]}"),
        (3, evaluated("reject", HOLDS, BROKEN, UNSURE), "rejected", BROKEN[1]),
        (0, evaluated("accept", HOLDS), "accepted", "right second answers +12.5 points (+3.1 to +21.9)"),
        (0, '{"decisions": {"tuned": {"outcome": "accept"}}}', "accepted", "the acceptance test accepted it"),
        (3, evaluated("accept", HOLDS), "rejected", "the acceptance test rejected it"),
        (0, evaluated("undecided", UNSURE), "accepted", "the acceptance test accepted it"),
        (3, '{"decisions": [1]}', "rejected", "the acceptance test rejected it"),
        (3, '{"decisions": {}}', "rejected", "the acceptance test rejected it"),
        (3, "[]", "rejected", "the acceptance test rejected it"),
        (3, "no JSON", "rejected", "the acceptance test rejected it"),
    ],
)
def test_why_is_what_the_report_says(world: World, code: int, report: str, decision: str, reason: str) -> None:
    world.tell("verdict", str(code))
    world.tell("report", report)
    world.drop("a.jsonl", rows("a"))
    world.work()
    made = world.context.jobs.rounds()[0]
    assert (made.decision, made.reason, world.job().reason) == (decision, reason, reason)
    assert f"round 1 {decision}: {reason}; current is" in world.log()


@pytest.mark.parametrize(
    ("code", "state", "decision"), [(0, "done", "accepted"), (3, "done", "rejected"), (2, "failed", "failed")]
)
def test_corrections_of_chats_are_a_job_that_moves_nothing_of_the_workers(
    world: World, code: int, state: str, decision: str
) -> None:
    said = [Failure("Who opened it?", "Ida Brandt", "Otto Meier", "wrong", origin="user", item=str(n)) for n in (1, 2)]
    world.tell("verdict", str(code))
    world.tell("report", evaluated("accept" if code == 0 else "reject", (False, "efficacy: 1 of 2")))
    world.drop(
        "corrections.jsonl", "".join(each.line().decode() for each in (said[0], replace(said[1], question="Where?")))
    )
    world.work()
    job, (made,) = world.job(), world.context.jobs.rounds()
    assert (job.format, job.rows, job.state, made.decision) == ("corrections", 2, state, decision)
    assert [each["--data"].endswith("corrections.jsonl") for each in world.starts("corrections")] == [True]
    assert not world.starts("train") and not world.starts("gate") and not (world.places / "current").exists()
    if code == 3:
        assert made.reason == "efficacy: 1 of 2"


def test_corrections_fail_with_their_reason_where_the_config_has_no_command_for_them_any_more(world: World) -> None:
    said = Failure("Who opened it?", "Ida Brandt", "Otto Meier", "wrong", origin="user", item="1")
    (world.places / ".pause").touch()
    world.drop("corrections.jsonl", said.line().decode())
    world.work(lambda: world.lies("normal"))
    config = yaml.safe_load(world.config.read_text())
    world.config.write_text(yaml.safe_dump({**config, "corrections": {"command": ""}}))
    (world.places / ".pause").unlink()
    world.work()
    job = world.job()
    assert job.state == "failed" and "no longer has a command for corrections of chats" in (job.reason or "")
    (reason,) = [name for name in world.lies("failed") if name.endswith(".reason.txt")]
    assert "set corrections.command" in (world.queue / "failed" / reason).read_text()


def test_of_several_tuned_models_each_is_named(world: World) -> None:
    report = json.loads(evaluated("undecided", UNSURE))
    report["decisions"]["other"] = {"outcome": "reject", "reasons": [{"holds": False, "text": BROKEN[1]}]}
    assert why(report, accepted=False) == f"tuned: undecided: {UNSURE[1]}; other: {BROKEN[1]}"
    assert why(report, accepted=True) is None


def test_a_training_that_found_nothing_better_is_a_rejected_round_without_a_gate(world: World) -> None:
    world.tell("exit_codes", "3")
    world.drop("a.jsonl", rows("a"))
    world.work()
    assert world.context.jobs.rounds()[0].decision == "rejected"
    assert world.starts("gate") == []
    assert not (world.places / "current").exists()


def test_rollback_goes_to_the_parent_and_then_to_the_base(world: World) -> None:
    for name in ("a", "b"):
        world.drop(f"{name}.jsonl", rows(name))
        world.work()
    rollback(world.context)
    now = current(world.context)
    assert now is not None and now.number == 1
    rollback(world.context)
    assert current(world.context) is None and not (world.places / "current").is_symlink()
    assert (world.places / "adapters/round_0002/final").is_dir()
    with pytest.raises(InputError, match="nothing to roll back"):
        rollback(world.context)


def test_what_was_rolled_back_does_not_come_back_with_a_child(world: World) -> None:
    world.drop("a.jsonl", rows("a"))
    world.work()
    world.tell("hold")
    world.drop("b.jsonl", rows("b"))
    world.work(until_=(world.control / "ready").exists)
    rollback(world.context)
    world.untell("hold")
    world.work()
    assert world.context.jobs.rounds()[1].decision == "rejected"
    assert "no longer current" in (world.job(2).reason or "")
    assert current(world.context) is None


def test_priorities_come_before_age_and_age_decides_within(world: World) -> None:
    for folder, name in (("queue/low", "l"), ("inbox", "n1"), ("queue/normal", "n2"), ("queue/high", "h")):
        world.drop(f"{name}.jsonl", rows(name), folder)
    world.work()
    order = [Path(start["--data"]).name.partition("-")[2] for start in world.starts()]
    assert order[0] == "h.jsonl" and order[-1] == "l.jsonl" and set(order[1:3]) == {"n1.jsonl", "n2.jsonl"}


def test_a_queued_file_moved_by_hand_has_the_priority_of_its_new_place(world: World) -> None:
    (world.places / ".pause").touch()
    for name in ("a", "b"):
        world.drop(f"{name}.jsonl", rows(name))
        world.work(until_=lambda name=name: any(each.endswith(f"{name}.jsonl") for each in world.lies("normal")))
    (world.queue / "normal" / "000002-b.jsonl").rename(world.queue / "high" / "000002-b.jsonl")
    (world.places / ".pause").unlink()
    world.work()
    assert [Path(start["--data"]).name for start in world.starts()] == ["000002-b.jsonl", "000001-a.jsonl"]


class TestFailures:
    def test_a_training_that_fails_is_tried_again_from_its_checkpoints(self, world: World) -> None:
        world.tell("exit_codes", "1\n1\n0")
        world.drop("a.jsonl", rows("a"))
        world.work()
        assert world.job().state == "done"
        assert [start.get("--resume") for start in world.starts()] == [None, "yes", "yes"]
        assert len({start["--output_dir"] for start in world.starts()}) == 1

    def test_after_the_last_attempt_the_file_is_in_failed_with_the_logs_end(self, world: World) -> None:
        world.tell("exit_codes", "1\n1\n1")
        world.drop("a.jsonl", rows("a"))
        world.work()
        assert len(world.starts()) == 3
        assert world.lies("failed") == ["000001-a.jsonl", "000001-a.jsonl.reason.txt"]
        reason = (world.queue / "failed" / "000001-a.jsonl.reason.txt").read_text()
        assert "attempt 3 of 3" in reason and "the fake ends with 1" in reason and "worker retry 1" in reason

    @pytest.mark.parametrize("code", [2, 4, 127])
    def test_a_users_mistake_is_not_tried_again(self, world: World, code: int) -> None:
        world.tell("exit_codes", str(code))
        world.drop("a.jsonl", rows("a"))
        world.work()
        assert world.job().state == "failed" and len(world.starts()) == 1

    def test_retry_goes_on_in_the_same_round(self, world: World) -> None:
        world.tell("exit_codes", "2")
        world.drop("a.jsonl", rows("a"))
        world.work()
        assert retry(world.context, world.job()) == "job 1 is queued again"
        assert world.lies("failed") == []
        world.work()
        assert (world.job().state, world.job().round) == ("done", 1)
        assert world.starts()[1]["--resume"] == "yes"

    def test_retry_of_a_failed_gate_trains_nothing_again(self, world: World) -> None:
        world.tell("verdict", "2")
        world.drop("a.jsonl", rows("a"))
        world.work()
        assert "the acceptance test ended with exit code 2" in (world.job().reason or "")
        world.untell("verdict")
        retry(world.context, world.job())
        world.work()
        assert world.context.jobs.rounds()[0].decision == "accepted"
        assert (len(world.starts("train")), len(world.starts("gate"))) == (1, 2)

    def test_a_fresh_retry_and_one_of_a_decided_job_are_new_rounds(self, world: World) -> None:
        world.tell("exit_codes", "2")
        world.drop("a.jsonl", rows("a"))
        world.work()
        retry(world.context, world.job(), fresh=True)
        world.work()
        retry(world.context, world.job())
        world.work()
        assert [(each.number, each.decision) for each in world.context.jobs.rounds()] == [
            (1, "failed"), (2, "accepted"), (3, "accepted"),
        ]  # fmt: skip

    def test_a_failed_file_moved_back_by_hand_is_tried_again(self, world: World) -> None:
        world.tell("exit_codes", "2")
        world.drop("a.jsonl", rows("a"))
        world.work()
        (world.queue / "failed" / "000001-a.jsonl").rename(world.queue / "high" / "000001-a.jsonl")
        world.work(until_=lambda: world.job().state == "done")

    def test_an_adapter_that_is_not_there_is_no_success(self, world: World) -> None:
        text = world.config.read_text().replace("resume:", "adapter: '{out}/elsewhere'\n  resume:")
        world.config.write_text(text)
        world.drop("a.jsonl", rows("a"))
        world.work()
        assert "wrote no adapter" in (world.job().reason or "")

    def test_rows_that_changed_after_they_came_in_are_not_trained_on(self, world: World) -> None:
        (world.places / ".pause").touch()
        world.drop("a.jsonl", rows("a"))
        world.work(until_=lambda: world.lies("normal"))
        (world.queue / "normal" / "000001-a.jsonl").write_text(rows("something else"))
        (world.places / ".pause").unlink()
        world.work()
        assert "has changed since it came in" in (world.job().reason or "") and world.starts() == []

    def test_a_check_that_fails_costs_no_training(self, world: World) -> None:
        text = world.config.read_text() + "check:\n  rows: \"{python} -c 'import sys; sys.exit(7)' {data}\"\n"
        world.config.write_text(text)
        world.drop("a.jsonl", rows("a"))
        world.work()
        assert "the check ended with exit code 7" in (world.job().reason or "") and world.starts() == []


def test_a_job_waits_for_room_on_the_disk(world: World) -> None:
    world.write(min_free_gb=50)
    free = [10.0]
    world.drop("a.jsonl", rows("a"))
    world.work(until_=lambda: "10.0 GB are free" in world.log(), free=lambda _: free[0])
    assert (world.job().state, world.lies("normal"), world.starts()) == ("queued", ["000001-a.jsonl"], [])
    free[0] = 60.0
    world.work(free=lambda _: free[0])
    assert world.job().state == "done"


@pytest.mark.parametrize("keep", [True, False])
def test_checkpoints_are_kept_unless_told_otherwise(world: World, keep: bool) -> None:
    world.write(keep_checkpoints=keep)
    folder = world.places / "adapters/round_0001/checkpoint-1"
    world.drop("a.jsonl", rows("a"))
    world.tell("hold")
    world.work(until_=lambda: (world.control / "ready").exists())
    folder.mkdir()
    world.untell("hold")
    world.work()
    assert folder.exists() is keep
    assert (world.places / "current" / "adapter_config.json").is_file()


@pytest.mark.parametrize("code", ["130", None])
def test_a_training_that_was_stopped_is_no_failed_attempt(world: World, code: str | None) -> None:
    context = WorkerContext(world.write())
    begun = {"state": "running", "phase": "train", "launched": 1, "launches": 1, "attempts": 1, "stopping": 1}
    job = context.jobs.add("a.jsonl", "", 1, **begun)
    rounds = Rounds(context)
    launch = rounds.launch(job)
    launch.folder.mkdir(parents=True)
    if code:
        launch.exit_file.write_text(code)
    rounds.advance(job, stopping=True)
    left = world.job()
    assert (left.state, left.launched, left.stopping, left.attempts) == ("running", 0, 0, 0)
    assert "was stopped; the next worker resumes it" in world.log() and "tried again" not in world.log()
