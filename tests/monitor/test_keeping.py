"""Whatever moment it is killed at: no answer is lost, and none gives rows twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from augment_correction.config import RunConfig
from augment_correction.errors import InputError
from augment_correction.failures import Failure, FailureResult, distinct, make, read_failures
from augment_correction.monitor import making
from augment_correction.monitor.keeping import Batch, MonitorStore
from augment_correction.monitor.making import choose, finish
from augment_correction.monitor.report import made_lines
from augment_correction.store.json_files import write_json
from tests.monitor.making import Stage, rows, split

PROGRAM = """
import sys
from pathlib import Path
from tests.monitor.making import Stage
stage = Stage(Path(sys.argv[1]), {"self_correction": {"generation_interval": 500, "min_examples": 6}})
observer = stage.observer()
first = int(sys.argv[2])
for step in range(first, first + 5000, 10):
    stage.evaluate(observer, step, 2)
    print(step, flush=True)
"""


def failure(number: int, verdict: str = "wrong") -> Failure:
    return Failure(f"Question {number}?", "Yes.", f"No {number}.", verdict, ("TOO_BRIEF",))  # type: ignore[arg-type]


def test_killed_again_and_again_it_loses_nothing_and_makes_nothing_twice(tmp_path: Path) -> None:
    split(tmp_path / "split.jsonl", 400)
    told = 0
    for start, seconds in ((10, 0.8), (5010, 0.3), (10010, 0.8)):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path), str(start)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        told += 1 + len(process.stdout.read().splitlines())
        process.wait()
        process.stdout.close()
    keep = MonitorStore(tmp_path / "data")
    stage = Stage(tmp_path)
    deadline = time.monotonic() + 60
    while True:  # a file may still be made by a process of the killed training
        observer = stage.observer()
        if not observer.end():
            break
        assert time.monotonic() < deadline
    assert not keep.open_batches()
    kept = list(keep.decided())
    assert told * 4 <= len(kept) <= (told + 3) * 4, "each evaluation that was told of is there"
    files = sorted(keep.root.glob("self_correction_*.jsonl"))
    assert len(files) == len(keep.batches()) == len(list(keep.root.glob("self_correction_*.json"))) > 1
    for batch in keep.batches():
        wrong = {each.id for each in read_failures(batch.failures) if each.verdict == "wrong"}
        assert sum(row["kind"] == "plain" for row in rows(batch.rows)) <= len(wrong)
    assert len({batch.failures.read_bytes() for batch in keep.batches()}) == len(keep.batches())


def test_a_line_without_its_end_is_taken_off(tmp_path: Path) -> None:
    keep = MonitorStore(tmp_path)
    with keep.held():
        keep.add([failure(1), failure(2)])
    with keep.buffer.open("ab") as file:
        file.write(failure(3).line()[:-20])
    with keep.held():
        keep.add([failure(4)])
    assert [each.question for each in read_failures(keep.buffer)] == ["Question 1?", "Question 2?", "Question 4?"]


def test_a_batch_that_was_decided_is_made_once_by_whoever_comes(tmp_path: Path) -> None:
    keep = MonitorStore(tmp_path)
    keep.root.mkdir(exist_ok=True)
    keep.add([failure(1), failure(1), failure(2, "right"), failure(3, "right")])
    plan = {"step": 5, "timestamp": "20250101_000000", "stand_by_share": 0.4, "seed": 1, "stats": {}, "queue": None}
    batch = keep.close_buffer("self_correction_step5_20250101_000000", plan)
    assert keep.open_batches() == [batch] and keep.examples() == 0
    [made] = finish(keep)
    before = batch.rows.read_bytes()
    assert made["num_examples"] == 5 and made["queued"] is None
    assert list(finish(keep)) == []
    batch.metadata.unlink()
    list(finish(keep))
    assert batch.rows.read_bytes() == before


def decided(keep: MonitorStore, number: int, failures: Iterable[Failure], **plan: object) -> Batch:
    keep.root.mkdir(exist_ok=True)
    keep.add(failures)
    stamp = f"2025010{number}_000000"
    known = {"step": number, "timestamp": stamp, "stand_by_share": 0, "seed": 1, "stats": {}, "queue": None}
    return keep.close_buffer(f"self_correction_step{number}_{stamp}", {**known, **plan})


def test_a_batch_that_cannot_be_made_does_not_keep_the_others(tmp_path: Path) -> None:
    keep = MonitorStore(tmp_path / "data")
    first, second, third = (
        decided(keep, number, [failure(number), failure(9)], queue=str(tmp_path / "queue")) for number in (1, 2, 3)
    )
    plan, whole = first.plan.read_bytes(), second.failures.read_bytes()
    write_json(first.plan, {"timestamp": "20250101_000000"})  # a bug, for all it knows
    second.failures.write_bytes(b"no answer\n" + whole)
    with pytest.raises(KeyError, match="stand_by_share"):
        list(finish(keep))
    assert [each.stem for each in keep.open_batches()] == [first.stem, second.stem] and len(rows(third.rows)) == 6
    first.plan.write_bytes(plan)
    with pytest.raises(InputError, match=r"failures.jsonl:1"):
        list(finish(keep))
    assert len(rows(first.rows)) == 3, "what the later file has is not in this one, too"
    second.failures.write_bytes(whole)
    assert [each["num_examples"] for each in finish(keep)] == [3]
    assert len(list((tmp_path / "queue").glob("*.jsonl"))) == 3


def test_several_that_cannot_be_made_are_all_named(tmp_path: Path) -> None:
    batches = [decided(MonitorStore(tmp_path), number, [failure(number)]) for number in (1, 2)]
    for batch in batches:
        batch.failures.write_bytes(b"no answer")
    with pytest.raises(InputError, match="2 files could not be written") as told:
        list(finish(MonitorStore(tmp_path)))
    assert all(batch.stem in str(told.value) for batch in batches)


def test_a_batch_of_which_no_row_can_be_made_is_closed(tmp_path: Path) -> None:
    keep, queue = MonitorStore(tmp_path / "data"), tmp_path / "queue"
    decided(keep, 1, [failure(1)], queue=str(queue))
    same = decided(keep, 2, [failure(1), failure(2, "right")], queue=str(queue))
    right = decided(keep, 3, [failure(3, "right")], queue=str(queue))
    last = decided(keep, 4, [failure(4)], queue=str(queue))
    made = list(finish(keep))
    assert [each["num_examples"] for each in made] == [3, 0, 0, 3]
    assert [each.get("why") for each in made[1:3]] == [
        "all its wrong answers are already in other files", "it holds no wrong answer"
    ]  # fmt: skip
    assert made[1]["queued"] is None and not same.rows.exists() and not right.rows.exists()
    assert made_lines(made[1]).startswith("Self-Correction: no row of ")
    assert made[3]["stats"]["files_generated"] == 2 and len(list(queue.glob("*.jsonl"))) == 2
    assert not keep.open_batches() and list(finish(keep)) == [] and last.rows.exists()


def test_an_interrupted_batch_stays_open_and_is_made_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = MonitorStore(tmp_path)
    batch = decided(keep, 1, [failure(1), failure(2)])
    with monkeypatch.context() as patched:

        def interrupted(failures: Sequence[Failure], config: RunConfig) -> list[FailureResult]:
            make(failures[:1], config)
            raise KeyboardInterrupt

        patched.setattr(making, "make", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(finish(keep))
    assert keep.open_batches() == [batch] and not batch.rows.exists()
    assert [each["num_examples"] for each in finish(keep)] == [6]


def test_a_folder_without_a_decision_is_no_batch(tmp_path: Path) -> None:
    """Killed between the plan and the rename."""
    keep = MonitorStore(tmp_path)
    (tmp_path / "batches" / "self_correction_step5_x").mkdir(parents=True)
    (tmp_path / "batches" / "self_correction_step5_x" / "batch.json").write_text("{}")
    assert keep.batches() == []


def test_right_answers_make_up_their_share(tmp_path: Path) -> None:
    every = [failure(number) for number in range(8)] + [failure(number, "right") for number in range(50, 80)]
    assert len(choose(every, 0, 1)) == 8
    third = choose(every, 1 / 3, 1)
    assert len(third) == 8 + 6 and third == choose(every[::-1][::-1], 1 / 3, 1)
    assert [each.question for each in distinct([failure(1), failure(2), failure(1)])] == ["Question 1?", "Question 2?"]


def test_a_line_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "buffer.jsonl"
    path.write_bytes(failure(1).line() + b'{"question": "x"}\n')
    with pytest.raises(InputError, match=r"buffer.jsonl:2 is not a graded answer"):
        list(read_failures(path))
