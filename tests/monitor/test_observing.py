"""A training as the monitor sees it: what becomes a file, when, and what it may cost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import pytest

from augment_correction.errors import ConfigError, InputError
from augment_correction.failures import read_failures
from augment_correction.monitor import observing
from augment_correction.monitor.config import MonitorConfig, SelfCorrection
from augment_correction.monitor.keeping import MonitorStore
from augment_correction.monitor.observing import Observer
from augment_correction.monitor.sorting import RawReply
from augment_correction.rows import Item
from tests.disks import fill, small_disk
from tests.monitor.making import Stage, rows, split, write_lines

NO_STAND_BY = {"self_correction": {"stand_by_share": 0}}
WEEKDAYS = ((50, 2), (100, 1), (150, 2), *((step, 0) for step in range(200, 501, 50)))
"""(step, wrong answers) of the worked example."""


def test_the_worked_example_ends_in_one_file_of_fifteen(tmp_path: Path) -> None:
    stage = Stage(tmp_path, NO_STAND_BY)
    observer = stage.observer()
    examples = []
    for step, wrong in WEEKDAYS:
        stage.evaluate(observer, step, wrong)
        examples.append(MonitorStore(stage.data).examples() if step < 500 else None)
    assert examples[:4] == [6, 9, 15, 15]
    assert observer.end() == []
    assert sorted(path.name for path in stage.data.glob("self_correction_*")) == [
        "self_correction_step500_20251121_143022.json",
        "self_correction_step500_20251121_143022.jsonl",
    ]
    made = rows(stage.data / "self_correction_step500_20251121_143022.jsonl")
    assert len(made) == 15
    metadata = json.loads((stage.data / "self_correction_step500_20251121_143022.json").read_text())
    queued = tmp_path / "queue" / "normal" / "self_correction_step500_20251121_143022.jsonl"
    assert metadata == {
        "step": 500,
        "timestamp": "20251121_143022",
        "num_examples": 15,
        "breakdown": {
            "initial_attempts": 0, "self_evaluations": 5, "corrections": 5, "standard_qa": 5, "stand_by": 0
        },
        "stats": {
            "total_evals": 40, "correct_first_try": 35, "needed_correction": 5, "files_generated": 1,
            "examples_generated": 15,
        },
        "queued": str(queued),
    }  # fmt: skip
    assert rows(queued) == made and json.loads(queued.with_suffix(".json").read_text()) == metadata
    assert stage.said[-1] == (
        f"Self-Correction: Generated 15 examples -> {stage.data}/self_correction_step500_20251121_143022.jsonl\n"
        f"   Queued for training: {queued}"
    )
    assert not (stage.data / "buffer.jsonl").exists()


def test_no_row_trains_a_wrong_answer(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"self_correction": {"generation_interval": 100, "min_examples": 12}})
    observer = stage.observer()
    stage.evaluate(observer, 50, 3)
    stage.evaluate(observer, 60, 1)
    stage.evaluate(observer, 100, 0)
    assert observer.end() == []
    made = rows(next(stage.data.glob("*.jsonl")))
    assert {row["origin"] for row in made} == {"target_model"} and len({row["id"] for row in made}) == len(made)
    wrong = [each for row in made for each in row["messages"] if each["content"] == "Hugo Pommer."]
    assert len(wrong) == 8 and not any(each["train"] for each in wrong)
    assert all(not each["train"] for row in made for each in row["messages"] if each["role"] == "user")
    assert all(row["messages"][-1]["train"] for row in made)
    kinds = [row["kind"] for row in made]
    # A third of the rows, as near as two rows for each right answer come.
    assert kinds.count("stand_by") == kinds.count("self_evaluation_right") == 3 and len(kinds) == 12 + 6


def test_what_is_said_and_logged(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    observer = stage.observer()
    stage.evaluate(observer, 500, 1)
    observer.end()
    assert stage.said[0].startswith("monitor: neither training_data nor gate is set")
    lines = stage.said[1].splitlines()
    assert lines[0] == "LIVE INFERENCE - Step 500 / 10000 (5.0%)"
    assert lines[3].startswith("   Expected: ") and lines[4] == "   Predicted: Hugo Pommer."
    assert lines[5].startswith("   -> MISMATCH: PRIMARY_ANSWER_MISSING") and lines[9] == "   -> MATCH"
    assert stage.logged[0]["monitor/accuracy"] == 0.75
    assert stage.logged[0]["monitor/PRIMARY_ANSWER_MISSING"] == 1


class TestTheEnd:
    def trained(self, root: Path, first: int, wrong: int, **due: object) -> Stage:
        stage = Stage(root, {"self_correction": {"stand_by_share": 0, **due}})
        observer = stage.observer()
        for step in (50, 100, 150, 200):
            stage.evaluate(observer, first + step, wrong)
        assert observer.end(first + 200) == []
        return stage

    def test_a_short_training_makes_a_file_of_what_is_enough(self, tmp_path: Path) -> None:
        split(tmp_path / "split.jsonl", 400)
        for number in range(3):
            self.trained(tmp_path, 1000 * number, 2)
        files = sorted(tmp_path.glob("data/self_correction_*.jsonl"))
        assert [len(rows(file)) for file in files] == [24, 24, 24]

    def test_too_little_waits_and_is_told(self, tmp_path: Path) -> None:
        stage = self.trained(tmp_path, 0, 1, min_examples=20)
        assert not list(stage.data.glob("self_correction_*"))
        assert "12 examples wait in the buffer" in stage.said[-1] and "finish --all" in stage.said[-1]
        self.trained(tmp_path, 1000, 1, min_examples=20)
        [file] = stage.data.glob("self_correction_*.jsonl")
        assert len(rows(file)) == 24

    def test_off_makes_none(self, tmp_path: Path) -> None:
        assert not list(self.trained(tmp_path, 0, 4, enabled=False).data.glob("self_correction_*"))

    @pytest.mark.parametrize(
        ("evaluated", "first", "last", "told"),
        [
            (50, 0, 200, "the last evaluation comes at step 200 of 200"),
            (400, 0, 700, "the last evaluation comes at step 400 of 700"),
            (50, 510, 900, "from step 510 on"),
            (50, 0, 500, None),
            (None, 0, 663, None),
            (50, 490, 900, None),
        ],
    )
    def test_an_interval_that_never_comes_is_told_at_the_start(
        self, evaluated: int | None, first: int, last: int, told: str | None
    ) -> None:
        line = MonitorConfig(split="x").never_due(evaluated, first, last)
        assert line is None if told is None else line is not None and told in line and "is 500 steps" in line

    @pytest.mark.parametrize(
        ("own", "interval", "evaluated", "last", "at"),
        [(None, 500, 40, 500, None), (40, 500, 40, 500, 480), (50, 500, 40, 500, None), (None, 600, 40, 550, 550)],
    )
    def test_a_trainer_that_evaluates_at_its_end(
        self, own: int | None, interval: int, evaluated: int, last: int, at: int | None
    ) -> None:
        due = SelfCorrection(generation_interval=interval)
        line = MonitorConfig(split="x", eval_steps=own, self_correction=due).never_due(evaluated, 0, last, at_end=True)
        assert line is None if at is None else line is not None and f"comes at step {at} of {last}" in line


def test_no_answer_gives_rows_twice_and_a_pool_that_is_used_up_is_told_once(tmp_path: Path) -> None:
    split(tmp_path / "split.jsonl", 12)
    stage = Stage(tmp_path, {"self_correction": {"generation_interval": 100, "min_examples": 6}})
    observer = stage.observer()
    for step in range(150, 1000, 50):
        stage.evaluate(observer, step, 2)
    assert observer.end(1000) == []
    assert sum("all 12 questions have been asked; they come again" in each for each in stage.said) == 1
    files = sorted(stage.data.glob("self_correction_*.jsonl"))
    made = [row["id"] for file in files for row in rows(file)]
    assert len(files) > 1 and len(set(made)) == len(made), "no row twice, and no file whose rows a file has already"


class TestWhatIsAsked:
    def asked(self, stage: Stage, evaluations: int) -> list[list[str]]:
        found: list[list[str]] = []
        observer = stage.observer()
        for number in range(1, evaluations + 1):
            stage.now += 600

            def generate(items: Sequence[Item], seconds: float) -> list[RawReply | None]:
                found.append([item.id for item in items])
                return [RawReply(item.reference) for item in items]

            observer.observe(50 * number, 10_000, generate)
        observer.end()
        return found

    def test_nothing_twice_until_all_were_asked_then_in_another_order(self, tmp_path: Path) -> None:
        split(tmp_path / "split.jsonl", 12)
        found = self.asked(Stage(tmp_path), 6)
        first, second = (list(chain(*found[start : start + 3])) for start in (0, 3))
        assert len(set(first)) == 12 and set(first) == set(second) and first != second

    def test_a_later_training_goes_on_with_the_others(self, tmp_path: Path) -> None:
        split(tmp_path / "split.jsonl", 12)
        found = self.asked(Stage(tmp_path), 2) + self.asked(Stage(tmp_path), 1)
        assert len(set(chain(*found))) == 12

    def test_what_nobody_can_grade_is_counted_and_left_out(self, tmp_path: Path) -> None:
        stage = Stage(tmp_path)
        observer = stage.observer()
        stage.now = 600.0

        def generate(items: Sequence[Item], seconds: float) -> list[RawReply | None]:
            return [
                RawReply(f"It is not {items[0].reference}"),
                RawReply(""),
                None,
                RawReply(items[3].reference, "length"),
            ]

        seen = observer.observe(50, 100, generate)
        observer.end()
        assert [each.verdict for each in seen] == ["undecided"] * 3
        assert len(list(read_failures(stage.data / "undecided.jsonl"))) == 3
        assert not (stage.data / "buffer.jsonl").exists() and "monitor/accuracy" not in stage.logged[0]

    def test_a_judge_decides_where_one_is_named(self, tmp_path: Path) -> None:
        script = tmp_path / "judge.yaml"
        reply = '{"reason": "It says so.", "verdict": "wrong"}'
        script.write_text(json.dumps({"rules": [{"contains": "Answer: It is not", "text": reply}]}))
        stage = Stage(tmp_path, {"judge": {"model": "judge", "mode": "scripted", "script": str(script)}})
        observer = stage.observer()
        stage.now = 600.0
        seen = observer.observe(50, 100, lambda items, _: [RawReply(f"It is not {item.reference}") for item in items])
        observer.end()
        assert {(each.verdict, each.why) for each in seen} == {("wrong", "judge: It says so.")}

    def test_a_judge_that_is_away_costs_what_words_cannot_tell_and_nothing_else(self, tmp_path: Path) -> None:
        due = {"generation_interval": 100, "min_examples": 3, "stand_by_share": 0}
        judge = {"model": "judge", "mode": "scripted", "script": str(tmp_path / "nowhere.yaml")}
        stage = Stage(tmp_path, {"judge": judge, "self_correction": due})
        observer = stage.observer()
        asked: list[str] = []

        def generate(items: Sequence[Item], seconds: float) -> list[RawReply | None]:
            asked.extend(item.id for item in items)
            said = ["Hugo Pommer.", items[1].reference, f"It is not {items[2].reference}", f"Not {items[3].reference}"]
            return [RawReply(text) for text in said]

        for step in (50, 100):
            stage.now = 600.0 * step
            seen = observer.observe(step, 1000, generate)
            assert [each.verdict for each in seen] == ["wrong", "right", "undecided", "undecided"]
            assert seen[2].why.startswith("the judge failed: ") and "nowhere.yaml" in seen[2].why
            assert isinstance(observer.unjudged, ConfigError) and observer.in_vain == 0
        assert observer.end() == [] and len(set(asked)) == 8, "nothing is asked twice"
        [file] = stage.data.glob("self_correction_step100_*.jsonl")
        assert len(rows(file)) == 6 and len(list(read_failures(stage.data / "undecided.jsonl"))) == 4

    def test_evaluations_that_it_leaves_without_a_verdict_are_counted_in_a_row(self, tmp_path: Path) -> None:
        judge = {"model": "judge", "mode": "scripted", "script": str(tmp_path / "nowhere.yaml")}
        stage = Stage(tmp_path, {"judge": judge})
        observer, counts = stage.observer(), []
        for number, negated in enumerate((True, True, False, True), 1):
            stage.now += 600.0
            said = "It is not {}" if negated else "{}"
            reply = said.format
            observer.observe(
                50 * number, 1000, lambda items, _, reply=reply: [RawReply(reply(each.reference)) for each in items]
            )
            counts.append((observer.in_vain, observer.unjudged is not None))
        observer.end()
        assert counts == [(1, True), (2, True), (0, False), (1, True)]

    def test_several_evaluation_sets_at_one_step_are_one_evaluation(self, tmp_path: Path) -> None:
        stage = Stage(tmp_path)
        observer = stage.observer()
        stage.evaluate(observer, 50, 2)
        stage.evaluate(observer, 50, 2)
        observer.end()
        assert len(list(read_failures(stage.data / "buffer.jsonl"))) == 4

    def test_off_keeps_nothing(self, tmp_path: Path) -> None:
        stage = Stage(tmp_path, {"self_correction": {"enabled": False}})
        observer = stage.observer()
        stage.evaluate(observer, 500, 4)
        observer.end()
        assert stage.said and not (stage.data / "buffer.jsonl").exists()


class TestWhatItMayCost:
    def test_the_share_is_kept_over_the_run(self, tmp_path: Path) -> None:
        """An answer takes 30 s, a step 1 s: there is time for one in ten minutes."""
        stage = Stage(tmp_path)
        observer = stage.observer()
        shares, asked = [], 0
        for step in range(50, 5001, 50):
            stage.now += 50

            def generate(items: Sequence[Item], seconds: float) -> list[RawReply | None]:
                nonlocal asked
                within = min(seconds, 30.0 * len(items))
                stage.now += within
                done = int(within // 30)
                asked += done
                return [RawReply(item.reference) if at < done else None for at, item in enumerate(items)]

            observer.observe(step, 5000, generate)
            shares.append(stage.logged[-1]["monitor/seconds_share"])
        observer.end()
        assert max(shares) <= 0.05 + 1e-9
        assert 3 <= asked <= 8, "what could be afforded: 5 % of 5,250 s are 8 answers"

    def test_a_timeout_alone_does_not_starve_it(self, tmp_path: Path) -> None:
        stage = Stage(tmp_path, {"eval_timeout_seconds": 10.0})
        observer = stage.observer()
        tries = []
        for step in range(50, 501, 50):
            stage.now += 10_000

            def generate(items: Sequence[Item], seconds: float) -> list[RawReply | None]:
                tries.append(len(items))
                stage.now += seconds
                return [None] * len(items)

            observer.observe(step, 5000, generate)
        observer.end()
        assert tries == [4] + [1] * 9


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("name", "row"),
        [
            ("training data", {"messages": [{"role": "user", "content": "QUESTION"}, {"role": "assistant", "content": "x"}]}),
            ("training data", {"prompt": "question", "response": "x"}),
            ("gate", {"question": "QUESTION ", "reference": "x"}),
        ],
    )  # fmt: skip
    def test_questions_that_are_trained_or_in_the_gate(self, tmp_path: Path, name: str, row: dict[str, object]) -> None:
        split(tmp_path / "split.jsonl")
        question = rows(tmp_path / "split.jsonl")[7]["question"]
        text = json.dumps(row).replace("QUESTION", question.upper()).replace('"question",', f'"{question}",')
        other = {"question": "What is something else entirely?", "reference": "Nothing."}
        path = write_lines(tmp_path / "other.jsonl", [other, json.loads(text)])
        key, named = ("gate", "held-out set") if name == "gate" else ("training_data", name)
        with pytest.raises(InputError, match=rf"also occur in the {named}, in 1 rows[^\n]*\n  .*other.jsonl:2: asks"):
            Stage(tmp_path, {key: str(path)}).observer()

    def test_its_own_files_are_trained_and_that_is_no_reason_to_stop(self, tmp_path: Path) -> None:
        stage = Stage(tmp_path, {"self_correction": {"generation_interval": 10}})
        observer = stage.observer()
        stage.evaluate(observer, 50, 4)
        assert observer.end() == []
        [file] = stage.data.glob("self_correction_*.jsonl")
        Stage(tmp_path, {"training_data": str(file)}).observer().end()
        with pytest.raises(InputError, match="also occur in the held-out set"):
            Stage(tmp_path, {"gate": str(file)}).observer()
        with pytest.raises(InputError, match="also occur in the training data"):
            Stage(tmp_path, {"training_data": str(file), "data_dir": str(tmp_path / "other")}).observer()

    def test_two_monitors_in_one_folder(self, tmp_path: Path) -> None:
        observer = Stage(tmp_path).observer()
        with pytest.raises(InputError, match="another run is writing"):
            Stage(tmp_path).observer()
        observer.end()
        Stage(tmp_path).observer().end()

    @pytest.mark.parametrize(
        ("own", "trainer", "last", "told"),
        [
            (None, 500, 120, "evaluates every 500 steps, and the training has 120"),
            (50, 20, 80, "every 20 steps, the monitor is for every 50: they meet every 100, and the training has 80"),
        ],
    )
    def test_steps_that_never_come(self, own: int | None, trainer: int, last: int, told: str) -> None:
        config = MonitorConfig(split="x", eval_steps=own)
        with pytest.raises(ConfigError, match=told):
            config.check_steps(trainer, last)
        config.check_steps(trainer, 1000)

    def test_the_last_step_counts_where_the_trainer_evaluates_there(self) -> None:
        MonitorConfig(split="x").check_steps(50, 30, at_end=True)
        MonitorConfig(split="x", eval_steps=10).check_steps(50, 30, at_end=True)
        with pytest.raises(ConfigError, match="every 50 steps and at the last one, the monitor is for every 20"):
            MonitorConfig(split="x", eval_steps=20).check_steps(50, 30, at_end=True)


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({}, (10, 500)),
        ({"preset": "conservative"}, (20, 1000)),
        ({"preset": "balanced"}, (10, 500)),
        ({"preset": "aggressive"}, (5, 200)),
        ({"preset": "aggressive", "self_correction": {"min_examples": 7}}, (7, 200)),
    ],
)
def test_presets(keys: dict[str, object], found: tuple[int, int]) -> None:
    made = MonitorConfig.model_validate({"split": "x", **keys}).self_correction
    assert (made.min_examples, made.generation_interval) == found


def test_a_training_too_short_for_one_question_is_told(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"max_share": 0.001})
    observer = stage.observer()
    stage.now = 0.0
    observer.observe(1, 10, stage.answers(0))
    observer.end(10)
    assert "no question was asked" in stage.said[-1] and "max_share 0.001" in stage.said[-1]


def test_a_runs_folder_as_a_gate_is_its_gate_and_not_what_it_trains(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"gate": str(tmp_path / "run")})
    asked = rows(tmp_path / "split.jsonl")[0]["question"]
    write_lines(tmp_path / "run" / "gate.jsonl", [{"id": "g", "question": asked, "passage": "p", "group": "d"}])
    with pytest.raises(InputError, match="also occur in the held-out set"):
        stage.observer()


class TestFullDisk:
    """The training goes on; no answer is lost."""

    @pytest.fixture
    def stage(self, tmp_path: Path) -> Iterator[Stage]:
        with small_disk(tmp_path / "data") as mounted:
            if not mounted:
                pytest.skip("no tmpfs may be mounted here")
            yield Stage(tmp_path, NO_STAND_BY)

    def evaluate(self, stage: Stage, observer: Observer, step: int) -> None:
        """Answers longer than a page of memory: the last page of a file has room on a full tmpfs, too."""
        stage.now = max(stage.now, 600.0 * step)
        observer.observe(step, 10_000, lambda items, _: [RawReply("So it is. " * 1000 + "Hugo Pommer.") for _ in items])

    def test_answers_wait_in_memory_until_there_is_room(self, stage: Stage) -> None:
        observer = stage.observer()
        self.evaluate(stage, observer, 50)
        buffer = stage.data / "buffer.jsonl"
        before = buffer.read_bytes()
        ballast = fill(stage.data)
        for step in (100, 150, 500):
            self.evaluate(stage, observer, step)
        assert buffer.read_bytes() == before, "no half line is left"
        assert sum("answers are kept in memory until there is free space" in each for each in stage.said) == 3
        ballast.unlink()
        self.evaluate(stage, observer, 550)
        assert observer.end() == []
        made = read_failures(next(stage.data.glob("batches/*/failures.jsonl")))
        assert len(list(made)) == 5 * len(before.splitlines())

    def test_the_end_of_a_training_waits_for_room(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        observer = stage.observer()
        ballast = fill(stage.data)
        self.evaluate(stage, observer, 50)
        monkeypatch.setattr(observing.time, "sleep", lambda seconds: ballast.unlink())
        assert observer.end(60) == []
        assert len(list(observer._keep.decided())) == 4

    def test_what_is_lost_in_the_end_is_said(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        observer = stage.observer()
        fill(stage.data)
        self.evaluate(stage, observer, 50)
        monkeypatch.setattr(observing.time, "sleep", lambda seconds: setattr(stage, "now", stage.now + 100))
        with pytest.raises(InputError, match="4 answers were lost"):
            observer.end(60)
