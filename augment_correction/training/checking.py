"""Everything that can be found out about a training's config without loading a model."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from tempfile import TemporaryDirectory

from augment_correction.errors import AugmentCorrectionError, installing
from augment_correction.runner.finding import Finding, note, writable, wrong
from augment_correction.training.config import TrainConfig, load_train_config
from augment_correction.training.gathering import gather, retention
from augment_correction.training.preparing import prepare
from augment_correction.training.report import prepared_lines

NEEDED = ("torch", "trl", "peft", "transformers")


def check_training(path: str, overrides: Sequence[str] = (), *, data: bool = True) -> list[Finding]:
    """`data`: the rows that it names are read and counted as by `train --dry-run`; a worker puts others in their place."""
    try:
        config = load_train_config(path, None, overrides)
    except AugmentCorrectionError as failure:
        return list(wrong(failure))
    findings = [Finding(True, f"config {path}"), writable("output folder", config.output, "set output_dir")]
    if data:
        findings += _prepared(config)
    if missing := missing_packages():
        findings.append(Finding(False, f"not installed: {', '.join(missing)}", installing("train,hf")))
    return findings


def missing_packages() -> list[str]:
    """Those that a training needs and that are not installed."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def _prepared(config: TrainConfig) -> Iterator[Finding]:
    try:
        with TemporaryDirectory() as nowhere:
            prepared = prepare(config.model_copy(update={"output_dir": nowhere}))
    except AugmentCorrectionError as failure:
        yield from wrong(failure)
        yield from _data_as_well(config, failure)
        return
    for line in prepared_lines(prepared):
        text = line.strip()
        yield note(text.removeprefix("note: ")) if text.startswith("note: ") else Finding(True, text)


def _data_as_well(config: TrainConfig, told: AugmentCorrectionError) -> Iterator[Finding]:
    """What is wrong with the rows where something else, such as a model that is not there, kept them from being read."""
    try:
        with TemporaryDirectory() as nowhere:
            there = config.model_copy(update={"output_dir": nowhere})
            gather(there, retention(there))
    except AugmentCorrectionError as failure:
        if failure.message != told.message:
            yield from wrong(failure)
