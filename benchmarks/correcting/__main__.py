"""Which data teaches a model to correct itself and to stand by what is right? The whole loop, by the program's own commands.

    make .venv/installed-dev
    .venv/bin/python -m benchmarks.correcting --work correcting

Notes on a made-up world (`world.py`), SmolLM2-135M-Instruct, LoRA. Three datasets are made by `run`, each of the same
number of rows: corrections of invented mistakes; two thirds of those and one third stand-by rows; the model's own wrong and
right answers (`on_policy`). Each trains an adapter (`train`), and `evaluate` measures all of them against the base model
on notes about entities that no training row names, under pushbacks that are worded as in no training row. A command that
was stopped goes on: run the same line again.

What it does not show: large models, other seeds, knowledge that is not in the prompt.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from augment_correction.llm.hf_weights import dequantised
from benchmarks.correcting.world import document, gate_row, worlds
from benchmarks.learning import SMALL

HERE = Path(__file__).parent
ARMS: Mapping[str, Mapping[str, Any]] = {
    "corrections": {"pipeline": "invented"},
    "stand_by": {"pipeline": "invented", "shares": {"kind": {"correct_after_mistake": 2, "stand_by": 1}}},
    "on_policy": {"pipeline": "on_policy"},
}
QUIET = {"OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
"""Threads that spin at a barrier starve each other where others work on the machine, too."""
METRICS = {
    "accuracy_t1": "right at first",
    "accuracy_t2": "right after the doubt",
    "gain": "gain by the doubt",
    "wrong_to_right": "wrong made right, of all",
    "right_to_wrong": "right made wrong, of all",
    "repair": "repairs, of the wrong ones",
    "stand_by": "stands by, of the right ones",
}
PUSHBACKS = ("neutral", "terse", "wrong_hint")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for everything that is made")
    parser.add_argument("--model", type=Path, help="a folder; unset, SmolLM2-135M-Instruct")
    parser.add_argument("--train", type=int, default=120, help="notes in the training data")
    parser.add_argument("--gate", type=int, default=60)
    parser.add_argument("--epochs", type=float, default=2)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    begun = time.monotonic()
    project = Project(chosen.work.resolve(), chosen)
    project.prepare()
    for arm in ARMS:
        project.make(arm)
    rows = min(project.rows(arm) for arm in ARMS)
    for arm in ARMS:
        project.train(arm, rows)
    project.evaluate()
    print(project.table())
    print(f"\n{rows} rows an arm, {chosen.gate} questions, {time.monotonic() - begun:.0f} s")


class Project:
    def __init__(self, root: Path, chosen: argparse.Namespace) -> None:
        self.root, self.chosen = root, chosen
        self.model = str((chosen.model or dequantised(SMALL)).resolve())

    def prepare(self) -> None:
        shutil.copytree(HERE / "project", self.root, dirs_exist_ok=True)
        train, gate = worlds(self.chosen.train, self.chosen.gate, self.chosen.seed)
        self.write_rows("inputs/notes.jsonl", [document(item) for item in train])
        self.write_rows("gate.jsonl", [gate_row(number, item) for number, item in enumerate(gate)])

    def make(self, arm: str) -> None:
        scripted = {"model": "none", "mode": "scripted", "script": "undecided.yaml"}
        target = {"model": self.model, "mode": "hf", "concurrency": 16}
        (self.root / "undecided.yaml").write_text("fields: {verdict: wrong}\n")
        config = {
            **ARMS[arm],
            "api": {"judge": scripted, "target": target},
            "path": {"input_dir": "inputs", "output_dir": arm},
            "system": {"prompt_template": "chatml", "loss_on": "answers", "tokenizer": self.model},
            "training": {"base_model": self.model},
        }
        self.command("run", self.config(f"{arm}.yaml", config))

    def rows(self, arm: str) -> int:
        return len(json.loads((self.root / arm / "axolotl_correction_conversations.json").read_text()))

    def train(self, arm: str, rows: int) -> None:
        """As many steps as an arm of `rows` rows takes: one with more of them would learn more for that alone."""
        out = self.root / f"{arm}_adapter"
        if (out / "final").is_dir():
            return
        config = {
            "model": self.model,
            "data": [str(self.root / arm)],
            "output_dir": str(out),
            "epochs": round(self.chosen.epochs * rows / self.rows(arm), 3),
            "gradient_checkpointing": False,
            "precision": "bf16",
            "learning_rate": self.chosen.learning_rate,
            "batch_size": 4,
            "gradient_accumulation": 1,
            "lora_r": 16,
            "lora_alpha": 32,
            "seed": self.chosen.seed,
        }
        self.command("train", self.config(f"{arm}_train.yaml", config))

    def evaluate(self) -> None:
        base = {"model": self.model, "mode": "hf", "concurrency": 16}
        tuned = {arm: {**base, "adapter": str(self.root / f"{arm}_adapter" / "final")} for arm in ARMS}
        config = {
            "gate": "gate.jsonl",
            "models": {"base": base, **tuned},
            "path": {"output_dir": "evaluation"},
            "pushbacks": list(PUSHBACKS),
            "sampling": {"max_tokens": 60},
            "training": list(ARMS),
            # What words and numbers cannot tell counts as wrong: a judge that always says so.
            "judge": {"model": "none", "mode": "scripted", "script": "undecided.yaml"},
            "grading": {"judge_sample": 0},
        }
        self.command("evaluate", self.config("evaluate.yaml", config), wanted=(0, 3))

    def table(self) -> str:
        """The figures of `evaluation.json`, and what each arm was trained on."""
        report = json.loads((self.root / "evaluation/evaluation.json").read_text())
        models = report["gate"]["models"]
        lines = ["| | " + " | ".join(models) + " |", "| --- " * (len(models) + 1) + "|"]
        made = ["{} + {}".format(*self.made(name)) if name in ARMS else "" for name in models]
        lines.append("| rows: corrections + stand-by | " + " | ".join(made) + " |")
        for metric, label in METRICS.items():
            lines.append(
                f"| {label} | " + " | ".join(_shown(each["figures"]["all"][metric]) for each in models.values()) + " |"
            )
        decisions = [report["decisions"].get(name, {}).get("outcome", "") for name in models]
        return "\n".join([*lines, "| decision | " + " | ".join(decisions) + " |"])

    def made(self, arm: str) -> tuple[int, int]:
        rows = json.loads((self.root / arm / "axolotl_correction_conversations.json").read_text())
        stand_by = sum(row["kind"] == "stand_by" for row in rows)
        return len(rows) - stand_by, stand_by

    # ------------------------------------------------------------------------------------------------ plumbing

    def write_rows(self, name: str, rows: Sequence[Mapping[str, str]]) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def config(self, name: str, data: Mapping[str, Any]) -> str:
        path = self.root / name
        path.write_text(yaml.safe_dump(dict(data)))
        return str(path)

    def command(self, *arguments: str, wanted: Sequence[int] = (0,)) -> None:
        print(f"{time.strftime('%H:%M:%S')} {' '.join(arguments)}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "augment_correction", *arguments]
        code = subprocess.run(command, cwd=self.root, env=os.environ | QUIET).returncode
        if code not in wanted:
            raise SystemExit(f"{arguments[0]} ended with {code}")


def _shown(found: Mapping[str, Any]) -> str:
    """Without an interval where there are too few documents for one."""
    if found["value"] is None:
        return "-"
    interval = "" if found["low"] is None else f" ({100 * found['low']:.0f} to {100 * found['high']:.0f})"
    return f"{100 * found['value']:.0f} %{interval}"


if __name__ == "__main__":
    main()
