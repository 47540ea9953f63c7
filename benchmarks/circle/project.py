"""The files of the circle: a project with the shipped commands of the worker, and questions of the made-up world."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from augment_correction.project import bundled
from augment_correction.worker.config import WorkerConfig, load_worker
from benchmarks.correcting import __main__ as correcting
from benchmarks.correcting.world import document, gate_row, worlds

FILES = Path(correcting.__file__).parent / "project"
JUDGE = {"model": "none", "mode": "scripted", "script": "undecided.yaml"}
"""What the words of the reference do not show to be right counts as wrong."""


@dataclass(frozen=True)
class Scale:
    """`notes` are trained in the first round, `asked` are the monitor's, `samples` of them at each evaluation."""

    notes: int
    asked: int
    gate: int
    samples: int
    batch: int = 8
    epochs: int = 2
    learning_rate: float = 3e-4
    tokens: int = 60
    precision: str = "auto"
    limits: Mapping[str, Any] = field(default_factory=dict)

    @property
    def interval(self) -> int:
        """In steps, of the monitor's files: the first training makes one after three quarters of its way."""
        return 3 * self.epochs * self.notes // (4 * self.batch)


REAL = Scale(notes=208, asked=160, gate=60, samples=8, precision="bf16")
TINY = Scale(
    notes=24,
    asked=64,
    gate=6,
    samples=3,
    batch=4,
    learning_rate=3e-3,
    tokens=8,
    limits={"alpha": None, "max_drop_stand_by": None},
)
"""Random weights answer nothing right: no fall is enough."""


def stage(root: Path, scale: Scale, model: Path, seed: int) -> WorkerConfig:
    """Everything but the rows of the first round, which `run` makes."""
    shutil.copytree(FILES, root, dirs_exist_ok=True)
    known, unseen = worlds(scale.notes + scale.asked, scale.gate, seed)
    rows(root / "inputs/notes.jsonl", map(document, known[: scale.notes]))
    asked = map(document, known[scale.notes :])
    rows(root / "monitor.jsonl", ({"question": each["asked"], "reference": each["answer"]} for each in asked))
    rows(root / "gate.jsonl", (gate_row(number, item) for number, item in enumerate(unseen)))
    (root / "undecided.yaml").write_text("fields: {verdict: wrong}\n")
    made = {
        "run": _run(model),
        "train": _train(scale, model, seed),
        "monitor": _monitor(scale),
        "evaluate": _evaluate(scale, model),
        "worker": _worker(),
    }
    for name, config in made.items():
        (root / f"{name}.yaml").write_text(yaml.safe_dump(config))
    return load_worker(root / "worker.yaml")


def rows(path: Path, made: Iterable[Mapping[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(dict(row)) + "\n" for row in made))


def _run(model: Path) -> dict[str, Any]:
    return {
        "pipeline": "invented",
        "shares": {"kind": {"correct_after_mistake": 2, "stand_by": 1}},
        "api": {},
        "path": {"input_dir": "inputs", "output_dir": "first"},
        "system": {"prompt_template": "tokenizer", "loss_on": "answers", "tokenizer": str(model)},
        "training": {"base_model": str(model)},
    }


def _train(scale: Scale, model: Path, seed: int) -> dict[str, Any]:
    return {
        "model": str(model),
        "data": "first",
        "monitor": "monitor.yaml",
        "epochs": scale.epochs,
        "validation_split": 0.1,
        "gradient_checkpointing": False,
        "precision": scale.precision,
        "learning_rate": scale.learning_rate,
        "batch_size": scale.batch,
        "gradient_accumulation": 1,
        "lora_r": 16,
        "lora_alpha": 32,
        "seed": seed,
    }


def _monitor(scale: Scale) -> dict[str, Any]:
    return {
        "split": "monitor.jsonl",
        "training_data": "first",
        "gate": "gate.jsonl",
        "data_dir": "monitor",
        "queue_dir": "worker/inbox",
        "num_eval_samples": scale.samples,
        "eval_max_tokens": scale.tokens,
        "max_share": 1,
        "judge": JUDGE,
        "self_correction": {"generation_interval": scale.interval, "min_examples": 3},
    }


def _evaluate(scale: Scale, model: Path) -> dict[str, Any]:
    answering = {"model": str(model), "mode": "hf", "concurrency": 16}
    return {
        "gate": "gate.jsonl",
        "models": {"base": answering, "tuned": dict(answering)},
        "judge": JUDGE,
        "path": {"output_dir": "evaluation"},
        "pushbacks": ["neutral"],
        "sampling": {"max_tokens": scale.tokens},
        "grading": {"judge_sample": 0},
        "limits": dict(scale.limits),
    }


def _worker() -> dict[str, Any]:
    shipped: dict[str, Any] = yaml.safe_load((bundled() / "configs/worker.yaml").read_text("utf-8"))
    shipped["worker"] = {
        "root": "worker",
        "settle_seconds": 0.5,
        "poll_seconds": 0.1,
        "retry_seconds": 0,
        "min_free_gb": 0,
    }
    shipped["train"]["config"], shipped["gate"]["config"] = "train.yaml", "evaluate.yaml"
    return shipped
