"""`experiment` as a person uses it: the real program; the student is a server that plays its part, or is not asked at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from augment_correction.cli.experiment import experiment as app
from augment_correction.errors import ConfigError
from augment_correction.experiment.config import load_experiment
from augment_correction.experiment.running import run_experiment
from tests.cli.program import program
from tests.experiment.project import project_of
from tests.servers import ModelServer, says


def test_the_plan_says_what_its_flags_come_to_and_asks_nobody(tmp_path: Path) -> None:
    config = project_of(tmp_path, tmp_path / "model")
    made = program(
        "experiment", "plan", str(config), "--iterations", "5", "--control", "random,items_only", "--seeds", "3"
    )
    assert made.code == 0, made.err
    assert "45 trainings (targeted, random, items_only; seeds 1, 2, 3; 5 rounds)" in made.out
    assert "alpha 0.05 over 5 rounds" in made.out and "is found in 80 % of such experiments" in made.out
    assert (tmp_path / "out" / "preregistration.json").is_file()
    changed = program(
        "experiment", "plan", str(config), "--iterations", "5", "--seeds", "3", "--set", "decision.alpha=0.1"
    )
    assert changed.code == 2 and "was sealed with other values" in changed.err
    assert "because no model has been asked here yet, delete" in changed.err


def test_a_key_that_is_missing_is_told_before_anybody_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    config = load_experiment(project_of(tmp_path, tmp_path / "model", generator={"model": "gpt-5-mini"}))
    with pytest.raises(ConfigError, match=r"generator model gpt-5-mini: no API key for api\.openai\.com"):
        run_experiment(config)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("flag", "value", "told"),
    [("--control", "rnadom", "'rnadom' is none of random, items_only, none"), ("--seeds", "0", "greater than or equal to 1"), ("--iterations", "0", "greater than or equal to 1")],
)  # fmt: skip
def test_a_flag_that_cannot_be_is_told_by_its_own_name(flag: str, value: str, told: str) -> None:
    made = CliRunner().invoke(app, ["plan", "configs/experiment.yaml", flag, value])
    assert made.exit_code == 2 and flag in made.output and told in made.output, made.output


def test_a_sweep_is_an_experiment_for_each_value_and_a_table(tmp_path: Path, server: ModelServer) -> None:
    server.usual = says("It was built in 1234.")
    student = {"model": "gpt-5", "base_url": server.url, "api_key": "sk-x"}
    config = project_of(tmp_path, tmp_path / "model", student=student, weak_by="wrong", decision={"figure": "accuracy"})
    made = program("experiment", "run", str(config), "--sweep", "error_driven.min_area=1,500")
    assert made.code == 0, made.err
    table = made.out[made.out.rindex("value ") :]
    assert "error_driven.min_area=1 " in table and "asked and not trained" in table
    assert "error_driven.min_area=500" in table and "no area of 500 or more items" in " ".join(table.split())
    assert "alpha was divided among 2 values" in made.out
    nothing = program("experiment", "run", str(config), "--set", "error_driven.min_area=500")
    assert nothing.code == 3 and "lower error_driven.min_area" in nothing.err


def test_before_there_is_a_result(tmp_path: Path) -> None:
    config = project_of(tmp_path, tmp_path / "model")
    report = program("experiment", "report", str(config))
    assert report.code == 2 and "no experiment has been started" in report.err
    assert program("experiment", "rollback", str(config)).code == 2
