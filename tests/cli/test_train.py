"""`train` and `merge` as a user calls them; nothing here needs torch."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from augment_correction.project import bundled
from augment_correction.training.config import TrainConfig, load_train_config
from tests.cli.program import program
from tests.training.making import critiqued, failures, hard, unweighted


@pytest.fixture
def root(tmp_path: Path) -> Path:
    unweighted(tmp_path / "model")
    failures(tmp_path / "critiques.jsonl", [*critiqued(range(60)), {"instruction": "Q"}])
    failures(tmp_path / "hard.jsonl", hard(range(30)))
    return tmp_path


SEEDS = (
    *("--model_name", "model", "--self_critique_data", "critiques.jsonl", "--hard_failures_data", "hard.jsonl"),
    *("--output_dir", "out", "--logging_dir", "logs", "--max_epochs", "3", "--validation_split", "0.05"),
    *(
        "--per_device_train_batch_size",
        "4",
        "--gradient_accumulation_steps",
        "2",
        "--lora_r",
        "64",
        "--lora_alpha",
        "16",
    ),
    *("--learning_rate", "3e-6"),
)


def test_a_dry_run_by_flags_alone_counts_and_writes_nothing(root: Path) -> None:
    done = program("train", *SEEDS, "--dry-run", cwd=root)
    assert done.code == 0, done.err
    assert "61 rows read, 60 kept" in done.out and "critiques.jsonl:61:1: it has no bad output" in done.out
    assert "tokens trained" in done.out and not (root / "out").exists()


def test_steps_that_never_come_are_refused_with_the_arithmetic(root: Path) -> None:
    done = program(
        "train", *SEEDS, "--patience", "3", "--eval_steps", "500", "--save_steps", "1000", "--dry-run", cwd=root
    )
    assert done.code == 2 and "Traceback" not in done.err
    assert "eval_steps 500 never comes: 86 rows / (batch_size 4 x gradient_accumulation 2)" in done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere.yaml",), "config not found"),
        (("--model", "model"), "no training data"),
        (("--model", "nowhere", "--data", "hard.jsonl"), "no model at"),
        (("--model", "model", "--data", "hard.jsonl", "--set", "patienc=3"), "unknown key 'patienc'"),
        (("--model", "model", "--data", "hard.jsonl", "--on_oom", "halve", "--lora_r", "0"), "'lora_r'"),
    ],
)
def test_mistakes_are_exit_2_and_one_line(root: Path, arguments: tuple[str, ...], told: str) -> None:
    done = program("train", *arguments, "--dry-run", cwd=root)
    assert done.code == 2 and told in done.err and "Traceback" not in done.err


def test_with_axolotl_the_monitor_is_a_plugin(root: Path) -> None:
    done = program("train", *SEEDS, "--with", "axolotl", "--monitor", "monitor.yaml", cwd=root)
    assert done.code == 2 and "the monitor cannot be set here with Axolotl" in done.err and "Traceback" not in done.err


def test_axolotl_gets_rows_config_and_the_held_out_rows(root: Path) -> None:
    stand_in = root / "axolotl"
    stand_in.write_text(
        f"#!{sys.executable}\nimport sys\nprint('axolotl was called with', *sys.argv[1:])\nsys.exit(7)\n"
    )
    stand_in.chmod(0o755)
    failures(root / "keep.jsonl", hard([90, 91]))
    more = ("--epochs", "2.5", "--retention", "keep.jsonl", "--with", "axolotl")
    done = program("train", *SEEDS, *more, cwd=root, AUGMENT_CORRECTION_AXOLOTL=str(stand_in))
    assert done.code == 7, done.err
    assert "note: Axolotl does not measure the retention rows" in done.out
    path = root / "out" / "axolotl" / "axolotl_lora.yaml"
    assert f"axolotl was called with train {path}" in done.out
    keys = yaml.safe_load(path.read_text())
    [train], [dev] = keys["datasets"], keys["test_datasets"]
    questions = [
        {row["segments"][0]["text"].split("<|im_end|>")[0] for row in json.loads(Path(each["path"]).read_text())}
        for each in (train, dev)
    ]
    assert questions[0] and questions[1] and not questions[0] & questions[1]
    assert keys["val_set_size"] == 0 and keys["early_stopping_patience"] == 3 and keys["learning_rate"] == 3e-6
    assert keys["num_epochs"] == 2.5 and keys["sequence_len"] == 512
    assert len((root / "out" / "trained.jsonl").read_text().splitlines()) == 90


def test_without_axolotl_it_says_how_to_get_it(root: Path) -> None:
    done = program("train", *SEEDS, "--with", "axolotl", cwd=root, AUGMENT_CORRECTION_AXOLOTL="no-such-axolotl")
    assert done.code == 2 and "the command no-such-axolotl was not found" in done.err and "pip install" in done.err


def test_the_shipped_config_is_one() -> None:
    config = load_train_config(str(bundled() / "configs" / "train.yaml"))
    assert config.patience == TrainConfig.model_fields["patience"].default


def test_every_key_can_be_reached(root: Path) -> None:
    shown = program("train", "--help").out
    by_flag = {name for name in TrainConfig.model_fields if f"--{name.replace(chr(95), chr(45))}" in shown}
    assert by_flag >= {"model", "data", "epochs", "patience", "eval_steps", "lora_r", "retention", "on_oom"}
