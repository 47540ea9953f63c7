"""The whole program on a real model of a few thousand random weights: measured, trained, measured again."""

from __future__ import annotations

import importlib.util
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

pytest.importorskip("trl", reason="needs the extra train")

from augment_correction.experiment.config import load_experiment
from augment_correction.experiment.doctor import examine
from augment_correction.experiment.phase_report import PhaseReport
from augment_correction.experiment.places import Places
from augment_correction.experiment.running import run_experiment
from augment_correction.llm.session import database_of
from augment_correction.store import Journal, RunFolder
from tests.cli.program import program
from tests.experiment.project import project_of
from tests.servers import ModelServer, says

pytestmark = [
    pytest.mark.usefixtures("one_torch_thread"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers", "ignore::FutureWarning:peft"),
]


COMMAND = [sys.executable, "-m", "augment_correction", "experiment", "run"]


def run_it(config: Path, **keys: Any) -> tuple[dict[str, Any], str]:
    loaded = load_experiment(config, [f"{key}={value}" for key, value in keys.items()])
    said: list[str] = []
    telling = PhaseReport(said.append, said.append, loaded.weak_by, loaded.error_driven.perplexity_threshold)
    return run_experiment(loaded, telling).report, "\n".join(said)


def lines(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


TRACKER = "mlflow" if importlib.util.find_spec("mlflow") else "tensorboard"


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, one_torch_thread: None
) -> tuple[Path, dict[str, Any], str]:
    """An experiment that nothing disturbs: its folder, its report, and what it said. Its trainings are told to a real tracker: MLflow
    where it is installed, and TensorBoard's files are there in any case."""
    root = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{root / 'mlflow.sqlite'}")
        return root, *run_it(project_of(root, tiny_model, track=TRACKER))


@pytest.mark.slow
def test_an_experiment_from_its_questions_to_its_verdict(whole: tuple[Path, dict[str, Any], str]) -> None:
    root, report, said = whole
    for line in (
        "Phase 1: Baseline Evaluation", "Test Perplexity:", "Phase 2: Identify Model Weaknesses", "Found 1 weak area:",
        "(perplexity > 2)", "Phase 3: Generate Targeted Training Data", "targeted examples", "Phase 4: Train on Error-Driven Data",
        "completed in", "Phase 5: Post-Training Evaluation", "Perplexity improved by", "Phase 6: Decide", "HYPOTHESIS ",
    ):  # fmt: skip
        assert line in said, line
    places = Places(root / "out")
    arms = report["rounds"][0]["arms"]
    assert abs(arms["targeted"]["tokens"] - arms["random"]["tokens"]) <= 0.01 * arms["random"]["tokens"]
    assert arms["targeted"]["steps"] == arms["random"]["steps"] and arms["targeted"]["trained"] == [True]
    counted = {}
    for arm in ("targeted", "random"):
        summary = orjson.loads((places.training(arm, 1, 1) / "training_summary.json").read_bytes())
        counted[arm] = summary["data"]["trained_tokens"]
        assert counted[arm] == arms[arm]["tokens"], "the training counts the same tokens"
    held = {row["question"] for name in ("dev", "final") for row in lines(places.set(name))}
    for trained in places.root.glob("arms/*/seed_*/round_*/trained.jsonl"):
        assert not held & {turn["content"] for row in lines(trained) for turn in row["messages"]}
    trainings = {f"arms/{arm}/seed_1/round_1" for arm in ("targeted", "random")}
    assert all(list((places.root / each).rglob("events.out.tfevents.*")) for each in trainings)
    if TRACKER == "mlflow":
        with closing(sqlite3.connect(root / "mlflow.sqlite")) as told:
            assert {name for (name,) in told.execute("SELECT name FROM runs")} == trainings
            assert told.execute("SELECT count(*) FROM metrics WHERE key = 'loss'").fetchone()[0]
    weak = report["rounds"][0]["weak_dev"]
    assert weak["targeted"]["nll"] < weak["base"]["nll"], "it learned to write such answers"
    assert (root / "experiments/log.md").read_text().count("## Experiment") == 1
    again, _ = run_it(root / "experiment.yaml")
    assert again == report
    assert (root / "experiments/log.md").read_text().count("## Experiment") == 1


def test_the_doctor_trains_two_steps_and_names_what_is_wrong(tmp_path: Path, tiny_model: Path) -> None:
    config = project_of(tmp_path, tiny_model)
    findings = examine(str(config))
    assert all(each.ok for each in findings), [each.what for each in findings if not each.ok]
    told = " ".join(each.what for each in findings)
    assert "package trl" in told and "GB of memory" in told and "a training of 2 steps on a tiny model" in told
    (tmp_path / "questions.jsonl").unlink()
    [wrong] = [each for each in examine(str(config)) if not each.ok]
    assert "questions.jsonl" in wrong.what and wrong.remedy


def test_a_student_without_log_probabilities_can_be_judged_by_its_answers_alone(
    tmp_path: Path, server: ModelServer
) -> None:
    server.usual = says("It was built in 1234.")
    student = {"model": "gpt-5", "base_url": server.url, "api_key": "sk-x"}
    config = project_of(tmp_path, tmp_path / "model", student=student)
    by_answers = ("--set", "weak_by=wrong", "--set", "decision.figure=accuracy", "--set", "error_driven.min_area=1")
    made = program("experiment", "run", str(config), *by_answers)
    assert made.code == 0, made.err
    assert "can be asked but not trained" in made.out and "Test Perplexity" not in made.out
    weak = lines(tmp_path / "out" / "weak_areas.jsonl")
    assert weak and {each["verdict"] for each in weak} == {"wrong"}
    asked = server.count()
    assert program("experiment", "run", str(config), *by_answers).code == 0
    assert server.count() == asked, "nothing is paid twice"
    hosted = {"model": "gpt-5", "base_url": "https://api.openai.com/v1", "api_key": "sk-x"}
    config = project_of(tmp_path / "hosted", tmp_path / "model", student=hosted, weak_by="excess")
    refused = program("experiment", "run", str(config))
    assert refused.code == 2 and "gpt-5 (mode api, api.openai.com) tells no log-probabilities" in refused.err
    assert "use weak_by: wrong" in refused.err


def test_the_cap_stops_it_before_more_is_spent_and_more_money_goes_on(tmp_path: Path, server: ModelServer) -> None:
    server.usual = says("It was built in 1234.")
    student = {"model": "gpt-5", "base_url": server.url, "api_key": "sk-x", "concurrency": 1}
    config = project_of(
        tmp_path, tmp_path / "model", student=student, weak_by="wrong", decision={"figure": "accuracy"},
        cost={"per_million": {"student": {"input": 1000, "output": 1000}}, "max_usd": 0.2},
        error_driven={"min_area": 1}, sampling={"max_tokens": 20},
    )  # fmt: skip
    stopped = program("experiment", "run", str(config))
    asked = server.count()
    assert stopped.code == 4 and 0 < asked < 36, stopped.err
    assert program("experiment", "run", str(config), "--set", "cost.max_usd=100").code == 0
    assert server.count() == 36, "probe and pool, each question once"


@pytest.mark.slow
def test_killed_in_every_phase_it_comes_to_the_same_and_pays_nothing_twice(
    tmp_path: Path, tiny_model: Path, whole: tuple[Path, dict[str, Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.sqlite'}")
    config, undisturbed = project_of(tmp_path, tiny_model, track=TRACKER), Places(whole[0] / "out")
    places = Places(tmp_path / "out")
    for phase in range(1, 7):
        kill_in(phase, config, places)
    finish(config)
    same(orjson.loads(places.result.read_bytes()), orjson.loads(undisturbed.result.read_bytes()))
    assert calls(places.root) == calls(undisturbed.root)


def same(made: Any, expected: Any, where: str = "") -> None:
    """But for the last digits of a loss, which depend on what is scored in one batch with it."""
    if isinstance(expected, dict):
        assert made.keys() == expected.keys(), where
        for name, value in expected.items():
            same(made[name], value, f"{where}/{name}")
    elif isinstance(expected, list):
        assert len(made) == len(expected), where
        for at, value in enumerate(expected):
            same(made[at], value, f"{where}/{at}")
    elif isinstance(expected, float):
        assert made == pytest.approx(expected, rel=1e-3, abs=1e-3), where
    elif not (isinstance(expected, str) and "nats" in expected):
        assert made == expected, where


def finish(config: Path) -> None:
    """With one seed there is no other end than 3."""
    ended = subprocess.run([*COMMAND, str(config)], capture_output=True, text=True, timeout=900, check=False)
    assert ended.returncode == 3, ended.stderr


def kill_in(phase: int, config: Path, places: Places) -> None:
    """Started, and killed once that phase has begun (or it has ended)."""
    running = subprocess.Popen(
        [*COMMAND, str(config)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 300
    while running.poll() is None and time.monotonic() < end:
        known = orjson.loads(places.progress.read_bytes()) if places.progress.is_file() else {}
        if known.get("number", 0) >= phase:
            time.sleep(0.3)
            break
        time.sleep(0.02)
    if running.poll() is None:
        os.kill(running.pid, signal.SIGKILL)
    running.wait()


def calls(root: Path) -> dict[str, int]:
    """How many paid calls of each stage the journals hold."""
    made: dict[str, int] = {}
    for folder in (root, *sorted((root / "generated").iterdir())):
        with database_of(RunFolder(folder)) as database:
            for each in Journal(database).totals():
                made[f"{folder.name} {each.role} {each.stage}"] = each.requests
    return made
