"""The same training handed to Axolotl: the rows in its own spelling, its config, and the `axolotl` command."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from augment_correction.config import PathConfig, RunConfig
from augment_correction.errors import InputError
from augment_correction.export import TrainingSet, axolotl_config, axolotl_yaml, verify_dataset, write_segments
from augment_correction.hyperparameters import Hyperparameters
from augment_correction.store import RunFolder
from augment_correction.store.folder import atomic_write
from augment_correction.training.prepared import Prepared, Side
from augment_correction.training.summary import write_trained
from augment_correction.training.workspace import Workspace

VARIABLE = "AUGMENT_CORRECTION_AXOLOTL"


def axolotl() -> str:
    """The command.

    Raises: InputError with how to get it.
    """
    wanted = os.environ.get(VARIABLE) or "axolotl"
    found = shutil.which(wanted)
    if found is None:
        raise InputError(
            f"the command {wanted} was not found on the PATH",
            hint='python3 -m venv ~/axolotl && ~/axolotl/bin/pip install "axolotl==0.19.0", then '
            f"export {VARIABLE}=~/axolotl/bin/axolotl (docs/guides/axolotl.md)",
        )
    return found


def hand_over(prepared: Prepared) -> Path:
    """Write the rows, the held-out rows and the config; returns the config's path.

    Raises: InputError where the tokenizer cannot take the rows in segments.
    """
    write_trained(prepared, Workspace(prepared.config.output))
    folder = RunFolder(prepared.config.output / "axolotl")
    with folder.held():
        digest = _write(prepared, prepared.train, folder.dataset)
        keys = axolotl_config(
            _as_run(prepared),
            TrainingSet(folder, len(prepared.train.rows), digest, prepared.template, prepared.tokenizer),
        )
        keys |= _evaluation(prepared, folder.root / "held_out.json")
        keys |= {"warmup_steps": prepared.schedule.warmup_steps, "num_epochs": prepared.config.epochs}
        if prepared.config.parent:
            keys["lora_model_dir"] = str(prepared.config.parent)
        if prepared.config.resume:
            keys["auto_resume_from_checkpoints"] = True
        with atomic_write(folder.axolotl_config) as file:
            file.write(axolotl_yaml(keys, folder.axolotl_config))
    return folder.axolotl_config


def not_taken(prepared: Prepared) -> Iterator[str]:
    """What the config asks for and Axolotl does not do."""
    yield "Axolotl stops early by patience alone: min_delta and convergence are ignored"
    if prepared.retention.rows:
        yield "Axolotl does not measure the retention rows: evaluate the adapter, with a retention set (docs/guides/evaluate.md)"


def run_axolotl(command: str, config: Path) -> int:
    """Its exit code; what it prints goes where ours does. It starts `accelerate` from its own folder."""
    path = os.pathsep.join([str(Path(command).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "AXOLOTL_DO_NOT_TRACK": "1"}
    return subprocess.run([command, "train", str(config)], env=environment, check=False).returncode


def _evaluation(prepared: Prepared, path: Path) -> dict[str, Any]:
    """Our own held-out rows: Axolotl would draw rows, and have a question on both sides."""
    plan = prepared.schedule
    made: dict[str, Any] = {"val_set_size": 0, "save_steps": plan.save_steps}
    if plan.eval_steps is None:
        return made
    _write(prepared, prepared.held_out, path)
    return made | {
        "test_datasets": [{"path": str(path), "ds_type": "json", "type": "input_output", "split": "train"}],
        "eval_steps": plan.eval_steps,
        "load_best_model_at_end": True,
        "early_stopping_patience": prepared.config.patience,
    }


def _write(prepared: Prepared, side: Side, path: Path) -> str:
    digest = write_segments(path, side.conversations, prepared.template, prepared.tokenizer)
    length = prepared.config.max_length
    proof = verify_dataset(path, side.conversations, prepared.template, prepared.tokenizer, length)
    if proof.wrong:
        first = proof.problems[0]
        raise InputError(
            f"Axolotl would not train the intended tokens of {sum(proof.failing.values()):,} rows: row {first.row}, "
            f"{first.proof}: {first.detail}",
            hint="train without --with axolotl: the built-in trainer tokenizes each row as a whole",
        )
    return digest


def _as_run(prepared: Prepared) -> RunConfig:
    """What the generator of Axolotl's config reads, with this training's numbers."""
    config = prepared.config
    place = config.project.resolve(config.model)
    training = {
        "base_model": str(place) if place.is_dir() else config.model,
        "output_dir": str(config.output / "axolotl" / "lora"),
        **{name: getattr(config, name) for name in Hyperparameters.model_fields},
        "epochs": 1,  # as a whole number; those of the training may be none
        "validation_split": 0,
    }
    folders = PathConfig(input_dir="", output_dir=str(config.output))
    made = {"pipeline": "", "api": {}, "path": folders, "system": {"seed": config.seed}, "training": training}
    return RunConfig.model_validate(made)
