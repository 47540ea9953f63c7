"""`axolotl train` with the monitor as its plugin."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PLUGIN = "augment_correction.monitor.axolotl_plugin.CorrectionMonitorPlugin"
STEPS = 6


@dataclass(frozen=True)
class Monitored:
    """What a watched training left."""

    steps: int
    answers: int
    rows: int
    wrong: list[str]


def write_monitored(folder: Path, config: dict[str, Any]) -> Path:
    """A config of `axolotl_lora.yaml`'s, for a few steps, with the plugin."""
    (folder / "monitor").mkdir()
    split = folder / "monitor" / "split.jsonl"
    rows = [{"question": f"{n}: who kept lighthouse {n * 7}?", "reference": "Brandt."} for n in range(24)]
    split.write_text("".join(json.dumps(row) + "\n" for row in rows))
    # What a model of random weights says, no words of a reference can call wrong.
    judge = folder / "monitor" / "judge.yaml"
    judge.write_text('rules: [{contains: "Answer:", text: \'{"reason": "It says nothing.", "verdict": "wrong"}\'}]')
    made = {
        **config,
        "plugins": [PLUGIN],
        "correction_monitor": {
            "split": str(split), "judge": {"model": "judge", "mode": "scripted", "script": str(judge)},
            "data_dir": str(folder / "monitor" / "data"), "eval_max_tokens": 12, "max_share": 1.0,
            "queue_dir": str(folder / "monitor" / "inbox"),
            "self_correction": {"min_examples": 3, "generation_interval": 2},
        },
        "max_steps": STEPS, "eval_steps": 2, "save_steps": STEPS, "output_dir": str(folder / "monitor" / "out"),
        "gradient_checkpointing": True,
    }  # fmt: skip
    made.pop("num_epochs", None)
    path = folder / "monitor" / "axolotl.yaml"
    path.write_text(yaml.safe_dump(made, sort_keys=False))
    return path


def read_monitored(folder: Path) -> Monitored:
    data = folder / "monitor" / "data"
    batches = list(data.glob("batches/*/failures.jsonl"))
    files = sorted(data.glob("self_correction_*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    states = sorted((folder / "monitor" / "out").glob("checkpoint-*/trainer_state.json"))
    history = json.loads(states[-1].read_text())["log_history"]
    marker = data / "axolotl_plugin.json"
    inbox = folder / "monitor" / "inbox"
    checks = {
        "the marker says that it was attached, and trained": marker.exists() and json.loads(marker.read_text())["trained"],
        "a file for each batch, with metadata": files and len(files) == len(batches) == len(list(data.glob("self_*.json"))),
        "each file is queued": {file.name for file in files} == {path.name for path in inbox.glob("*.jsonl")},
        "no masked turn but the user's and the mistake": all(row["messages"][-1]["train"] for row in rows),
        "scalars in the trainer's log": any("monitor/accuracy" in entry for entry in history),
        "no error": not (log := data / "monitor.log").exists() or "Traceback" not in log.read_text(),
    }  # fmt: skip
    answers = sum(len(path.read_text().splitlines()) for path in batches)
    return Monitored(STEPS, answers, len(rows), [name for name, holds in checks.items() if not holds])
