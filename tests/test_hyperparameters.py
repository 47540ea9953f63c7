"""A number of a training has one name, and is understood under those of other trainers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from augment_correction.config import RunConfig, TrainingConfig, load_config
from augment_correction.errors import ConfigError
from augment_correction.export import ChatTemplate, TrainingSet, axolotl_config, axolotl_yaml
from augment_correction.hyperparameters import SPELLINGS, Hyperparameters
from augment_correction.store import RunFolder
from augment_correction.training.config import TrainConfig, load_train_config

OURS = {"epochs": 3, "batch_size": 1, "gradient_accumulation": 16, "max_length": 512, "validation_split": 0.2}
AXOLOTLS = {
    "num_epochs": 3, "micro_batch_size": 1, "gradient_accumulation_steps": 16, "sequence_len": 512, "val_set_size": 0.2,
}  # fmt: skip
TRLS = {"num_train_epochs": 3, "per_device_train_batch_size": 1, "max_seq_length": 512}


def run_of(training: Mapping[str, Any]) -> RunConfig:
    made = {"pipeline": "correction", "api": {}, "path": {"input_dir": "in", "output_dir": "/out"}}
    return RunConfig.model_validate({**made, "training": {"output_dir": "/lora", **training}})


def axolotls(training: Mapping[str, Any]) -> bytes:
    rows = TrainingSet(RunFolder(Path("/out")), 900, "d", ChatTemplate("x", "{{ messages }}"))
    return axolotl_yaml(axolotl_config(run_of(training), rows), Path("/out/a.yaml"))


def written(path: Path, data: Mapping[str, Any]) -> str:
    path.write_text(yaml.safe_dump(dict(data), sort_keys=False))
    return str(path)


def test_all_who_train_share_them() -> None:
    names = set(Hyperparameters.model_fields)
    assert names == {*OURS, "learning_rate", "lora_r", "lora_alpha", "lora_dropout"} and set(SPELLINGS) <= names
    for kind in (TrainConfig, TrainingConfig):
        assert issubclass(kind, Hyperparameters) and names <= set(kind.model_fields)


@pytest.mark.parametrize(
    "spelt", [OURS, AXOLOTLS, {**OURS, **TRLS}, {**AXOLOTLS}], ids=["ours", "axolotl", "trl", "again"]
)
def test_one_number_under_any_name_is_the_same_training(tmp_path: Path, spelt: Mapping[str, Any]) -> None:
    spelt = {name: value for name, value in spelt.items() if not (spelt.keys() & TRLS.keys() and _ousted(name))}
    path = written(tmp_path / "train.yaml", {"model": "m", "data": "d.jsonl", **spelt})
    for made in (load_train_config(path), run_of(spelt).training, TrainingConfig.model_validate(spelt)):
        assert {name: getattr(made, name) for name in OURS} == OURS


def _ousted(name: str) -> bool:
    return any(each in TRLS for each in SPELLINGS.get(name, ()))


def test_axolotls_config_has_the_bytes_that_it_had() -> None:
    assert hashlib.sha256(axolotls({})).hexdigest()[:16] == "f82c750730ec84df"
    assert axolotls(OURS) == axolotls(AXOLOTLS) != axolotls({})


@pytest.mark.parametrize("kind", [TrainConfig, TrainingConfig])
def test_two_names_for_one_are_refused(kind: type[Hyperparameters]) -> None:
    with pytest.raises(ValidationError, match="epochs and num_epochs mean the same: write only epochs"):
        kind.model_validate({"model": "m", "data": ["d"], "epochs": 1, "num_epochs": 2})


def test_a_flag_stands_over_the_file_whatever_both_call_it(tmp_path: Path) -> None:
    path = written(tmp_path / "train.yaml", {"model": "m", "data": "d.jsonl", "num_epochs": 5, "batch_size": 2})
    assert load_train_config(path, {"epochs": 1}).epochs == 1
    made = load_train_config(path, {}, ["num_train_epochs=7", "micro_batch_size=6"])
    assert (made.epochs, made.batch_size) == (7, 6)


def test_a_mistake_is_told_at_the_line_where_it_stands(tmp_path: Path) -> None:
    path = written(tmp_path / "train.yaml", {"model": "m", "data": "d.jsonl", "num_epochs": -5})
    with pytest.raises(ConfigError, match=r"train\.yaml:3:\d+: 'epochs'"):
        load_train_config(path)
    run = {"pipeline": "correction", "api": {"small": {"model": "x"}, "large": {"model": "x"}}}
    run |= {"path": {"input_dir": "in", "output_dir": "out"}, "training": {"base_model": "m", "sequence_len": 1}}
    with pytest.raises(ConfigError, match=r"run\.yaml:\d+:\d+: 'training\.max_length'") as raised:
        load_config(written(tmp_path / "run.yaml", run))
    assert raised.value.line == (tmp_path / "run.yaml").read_text().splitlines().index("  sequence_len: 1") + 1
