"""The whole program on a real model of a few thousand random weights: measured, trained, measured again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

pytest.importorskip("trl", reason="needs the extra train")

from augment_correction.experiment.config import load_experiment
from augment_correction.experiment.places import Places
from augment_correction.experiment.running import run_experiment
from augment_correction.experiment.telling import Telling
from augment_correction.llm.session import database_of
from augment_correction.store import Journal, RunFolder
from tests.cli.program import program
from tests.experiment.project import project_of

pytestmark = [
    pytest.mark.usefixtures("one_torch_thread"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers", "ignore::FutureWarning:peft"),
]


COMMAND = [sys.executable, "-m", "augment_correction", "experiment", "run"]


def run_it(config: Path, **keys: Any) -> tuple[dict[str, Any], str]:
    loaded = load_experiment(config, [f"{key}={value}" for key, value in keys.items()])
    said: list[str] = []
    telling = Telling(said.append, said.append, loaded.weak_by, loaded.error_driven.perplexity_threshold)
    return run_experiment(loaded, telling).report, "\n".join(said)


def lines(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_an_experiment_from_its_questions_to_its_verdict(tmp_path: Path, tiny_model: Path) -> None:
    report, said = run_it(project_of(tmp_path, tiny_model))
    for line in (
        "Phase 1: Baseline Evaluation", "Test Perplexity:", "Phase 2: Identify Model Weaknesses", "Found 1 weak areas",
        "(perplexity > 2)", "Phase 3: Generate Targeted Training Data", "targeted examples", "Phase 4: Train on Error-Driven Data",
        "completed in", "Phase 5: Post-Training Evaluation", "Perplexity improved by", "Phase 6: Decide", "HYPOTHESIS ",
    ):  # fmt: skip
        assert line in said, line
    places = Places(tmp_path / "out")
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
    weak = report["rounds"][0]["weak_dev"]
    assert weak["targeted"]["nll"] < weak["base"]["nll"], "it learned to write such answers"
    assert (tmp_path / "experiments/log.md").read_text().count("## Experiment") == 1
    again, _ = run_it(tmp_path / "experiment.yaml")
    assert again == report
    assert (tmp_path / "experiments/log.md").read_text().count("## Experiment") == 1


def test_a_student_without_log_probabilities_can_be_judged_by_its_answers_alone(
    tmp_path: Path, tiny_model: Path
) -> None:
    config = project_of(
        tmp_path, tiny_model, student={"model": "gpt-5", "base_url": "http://127.0.0.1:9/v1", "api_key": "sk-x"}
    )
    planned = program("experiment", "plan", str(config), "--set", "weak_by=wrong", "--set", "decision.figure=accuracy")
    assert planned.code == 0, planned.err
    refused = program("experiment", "run", str(config), "--set", "path.output_dir=other")
    assert refused.code == 2 and "can be probed, and not trained" in refused.err


@pytest.mark.slow
def test_killed_in_every_phase_it_comes_to_the_same_and_pays_nothing_twice(tmp_path: Path, tiny_model: Path) -> None:
    whole = project_of(tmp_path / "whole", tiny_model)
    finish(whole)
    config = project_of(tmp_path / "killed", tiny_model)
    places = Places(tmp_path / "killed" / "out")
    for phase in range(1, 7):
        kill_in(phase, config, places)
    finish(config)
    expected = (tmp_path / "whole/out/experiment.json").read_bytes()
    assert places.result.read_bytes() == expected
    assert calls(places.root) == calls(tmp_path / "whole/out")


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
        if known.get("number") == phase:
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
