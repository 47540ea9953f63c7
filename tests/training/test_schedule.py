from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from augment_correction.errors import ConfigError
from augment_correction.training.config import TrainConfig, load_train_config
from augment_correction.training.schedule import Schedule, schedule


def made(rows: int, *, evaluated: bool = True, **keys: Any) -> Schedule:
    return schedule(TrainConfig(model="m", data=("d",), **keys), rows, evaluated=evaluated)


def test_evaluations_follow_from_the_datas_size() -> None:
    plan = made(7_055)
    assert (plan.steps_per_epoch, plan.steps) == (221, 663)
    assert plan.eval_steps == plan.save_steps == 83 and not plan.notices


@pytest.mark.parametrize("rows", [1, 7, 31, 33, 100, 999, 7_055])
@pytest.mark.parametrize("epochs", [0.5, 1, 3])
@pytest.mark.parametrize("patience", [1, 3, 9])
def test_derived_numbers_always_fit(rows: int, epochs: float, patience: int) -> None:
    plan = made(rows, epochs=epochs, patience=patience, batch_size=2, gradient_accumulation=2)
    assert plan.eval_steps and 1 <= plan.eval_steps == plan.save_steps <= plan.steps
    assert math.ceil(plan.steps / plan.eval_steps) > patience or plan.notices


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"eval_steps": 500}, "patience 3 can never stop this training: with eval_steps 500 there are 2 evaluations"),
        (
            {"eval_steps": 700},
            "eval_steps 700 never comes: 7,055 rows / (batch_size 4 x gradient_accumulation 8) = 221",
        ),
        ({"save_steps": 1000}, "save_steps 1,000 never comes"),
        ({"eval_steps": 50, "save_steps": 75}, "save_steps 75 is not a multiple of eval_steps 50"),
    ],
)
def test_numbers_that_cannot_work_are_refused_with_the_arithmetic(keys: dict[str, int], told: str) -> None:
    with pytest.raises(ConfigError) as failure:
        made(7_055, **keys)
    assert told in failure.value.message and failure.value.hint


@pytest.mark.parametrize("save_steps", [1, 7, 60, 100, 249, 663])
def test_checkpoints_alone_give_the_evaluations_their_step(save_steps: int) -> None:
    plan = made(7_055, save_steps=save_steps)
    assert plan.save_steps == save_steps and plan.eval_steps
    assert save_steps % plan.eval_steps == 0 and plan.eval_steps <= 83


def test_without_held_out_rows_nothing_is_evaluated() -> None:
    plan = made(10, evaluated=False)
    assert plan.eval_steps is None and plan.save_steps == 1 and plan.notices


class TestConfig:
    def test_flags_lie_over_the_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "project" / "prompts").mkdir(parents=True)
        path = tmp_path / "project" / "train.yaml"
        path.write_text("model: base\ndata: runs/a\nlearning_rate: 2e-4\npatience: 2\n")
        monkeypatch.chdir(tmp_path)
        config = load_train_config(str(path), {"patience": 5, "output_dir": "here", "epochs": None}, ["lora_r=8"])
        assert (config.patience, config.lora_r, config.learning_rate, config.data) == (5, 8, 2e-4, ("runs/a",))
        assert config.output == tmp_path / "here", "a flag's path starts at the current folder"
        assert config.project.resolve(config.data[0]) == tmp_path / "project" / "runs" / "a"

    def test_flags_are_enough(self, tmp_path: Path) -> None:
        config = load_train_config(None, {"model": "m", "hard_failures_data": ["a.jsonl"]})
        assert config.hard_failures_data == (str(Path.cwd() / "a.jsonl"),)

    def test_a_wrong_key_is_named_with_its_line(self, tmp_path: Path) -> None:
        path = tmp_path / "train.yaml"
        path.write_text("model: base\ndata: [a]\npatienc: 2\n")
        with pytest.raises(ConfigError) as failure:
            load_train_config(str(path))
        assert failure.value.line == 3 and "patience" in (failure.value.hint or "")

    def test_a_wrong_flag_is_named(self) -> None:
        with pytest.raises(ConfigError, match="'patience'"):
            load_train_config(None, {"model": "m", "data": ["d"], "patience": 0})

    def test_no_data_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="there is no training data"):
            load_train_config(None, {"model": "m"})

    @pytest.mark.parametrize(("rate", "warned"), [(3e-7, True), (3e-6, True), (2e-4, False), (5e-2, True)])
    def test_an_unusual_learning_rate_is_said(self, rate: float, warned: bool) -> None:
        assert bool(TrainConfig(model="m", data=("d",), learning_rate=rate).warnings()) is warned
