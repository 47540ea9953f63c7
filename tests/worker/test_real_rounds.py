"""Two rounds by the shipped commands: real trainings of a tiny model, each gated by a real evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("trl", reason="needs the extra train")

from augment_correction.project import bundled
from augment_correction.worker.config import WorkerConfig, load_worker
from augment_correction.worker.jobs import Round
from tests.training.making import NAMES, tiny_llama
from tests.worker.world import QUICK, World

TRAIN = {
    "model": "model", "data": "replaced", "epochs": 2, "learning_rate": 3e-3, "batch_size": 4, "gradient_accumulation": 1,
    "max_length": 256, "lora_r": 4, "lora_alpha": 8, "validation_split": 0.2, "gradient_checkpointing": False,
}  # fmt: skip
EVALUATE = {
    "gate": "gate.jsonl",
    "models": {"base": {"model": "model", "mode": "hf"}, "tuned": {"model": "model", "mode": "hf"}},
    "path": {"output_dir": "replaced"},
    "pushbacks": ["terse"],
    "sampling": {"max_tokens": 4},
    "grading": {"by": "match"},
    "limits": {"alpha": None, "max_drop_stand_by": None},
}
"""Random weights answer nothing right: as right as before is enough."""


class RealWorld(World):
    """With the commands of `configs/worker.yaml`."""

    def write(self, **worker: Any) -> WorkerConfig:
        shipped = yaml.safe_load((bundled() / "configs/worker.yaml").read_text("utf-8"))
        for name, section, made in (("train", "train", TRAIN), ("evaluate", "gate", EVALUATE)):
            (self.root / f"{name}.yaml").write_text(yaml.safe_dump(made))
            shipped[section]["config"] = f"{name}.yaml"
        shipped["worker"] = {**QUICK, **worker}
        self.config = self.root / "worker.yaml"
        self.config.write_text(yaml.safe_dump(shipped))
        return load_worker(self.config)


def corrections(number: int) -> str:
    rows = []
    for hive in range(number * 100, number * 100 + 12):
        turns = (("user", f"Who keeps hive {hive}?"), ("assistant", "Nobody."), ("user", "Are you sure?"))
        said = [{"role": role, "content": text, "train": False} for role, text in turns]
        rows.append({"messages": [*said, {"role": "assistant", "content": f"{NAMES[hive % 12]} does.", "train": True}]})
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RealWorld:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made = RealWorld(tmp_path / "project")
    tiny_llama(made.root / "model")
    asked = [{"id": str(n), "question": f"What is the colour of door {n}?", "reference": "Blue"} for n in range(6)]
    (made.root / "gate.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    return made


def loss(world: RealWorld, made: Round) -> dict[str, Any]:
    summary = world.places / "adapters" / f"round_{made.number:04}" / "training_summary.json"
    return dict(json.loads(summary.read_text()))


@pytest.mark.slow
def test_the_second_round_goes_on_from_the_first(world: RealWorld) -> None:
    for number in (1, 2):
        world.drop(f"{number}.jsonl", corrections(number))
        world.work(patience=240)
    first, second = world.context.jobs.rounds()
    assert [first.decision, second.decision] == ["accepted", "accepted"], world.log()
    assert (second.parent, (world.places / "current").resolve()) == (1, world.places / second.adapter)
    one, two = loss(world, first), loss(world, second)
    assert one["decided"]["adapter"] is None and two["decided"]["adapter"].startswith("model+final@")
    assert two["eval_loss"]["0"] < one["eval_loss"]["0"] - 0.1, "it begins with what the first round learnt"
    gate = json.loads(second.metrics or "")
    assert gate["config"]["models"]["base"]["adapter"].endswith("round_0001/final")
    assert gate["config"]["models"]["tuned"]["adapter"].endswith("round_0002/final")
