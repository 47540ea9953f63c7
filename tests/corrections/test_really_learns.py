"""A person corrects SmolLM2-135M in a chat, trains it there, and asks again: the real program with a real model, as docs/guides/corrections.md
has it. Only the writer of wordings and demonstrations is scripted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import yaml

from tests.corrections.making import chat_project

pytest.importorskip("trl", reason="needs the extra train")

FEW_STEPS = {
    "epochs": 8, "batch_size": 4, "gradient_accumulation": 1, "learning_rate": 2e-3, "lora_r": 8, "lora_alpha": 16, "lora_dropout": 0,
    "warmup_share": 0, "max_length": 256, "gradient_checkpointing": False, "validation_split": 0,
}  # fmt: skip
ASKED = "Who opened the museum of Halmstett?"
WRITER = {
    "question": ASKED,
    "wording": "By whom was the museum of Halmstett opened?",
    "demonstration": "The museum of Halmstett was opened by Ida Brandt.",
}


def chat(folder: Path, *lines: str) -> str:
    command = [
        sys.executable,
        "-m",
        "augment_correction",
        "chat",
        "chat.yaml",
        "--set",
        "sampling.chat={temperature: 0, max_tokens: 16}",
    ]
    said = "\n".join([*lines, "/quit", ""])
    ended = subprocess.run(command, cwd=folder, input=said, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.slow
@pytest.mark.embedded
def test_a_correction_is_learned_by_a_real_model(tmp_path: Path) -> None:
    config = chat_project(
        tmp_path, "smollm2-135m", method="sft", num_prompt_variations=1, num_expert_demos_per_prompt=1, train=FEW_STEPS
    )
    (tmp_path / "writer.yaml").write_text(yaml.safe_dump({"fields": WRITER}))
    told = chat(tmp_path, ASKED, "No, Ida Brandt.", "y", "/train")
    assert "kept as correction 1" in told and "version 1: UNDECIDED; sft on corrections 1" in told
    evaluation = config.folder / "rounds"
    (report,) = [orjson.loads(path.read_bytes()) for path in evaluation.glob("*/evaluation/evaluation.json")]
    efficacy = report["probes"]["kinds"]["efficacy"]["models"]
    assert (efficacy["base"]["count"], efficacy["tuned"]["count"]) == (0, 1)
    activate = [sys.executable, "-m", "augment_correction", "corrections", "activate", "1", "--config", "chat.yaml"]
    assert subprocess.run(activate, cwd=tmp_path, capture_output=True, check=False).returncode == 2, (
        "not without --force"
    )
    assert subprocess.run([*activate, "--force"], cwd=tmp_path, capture_output=True, check=False).returncode == 0
    assert "Ida Brandt" in chat(tmp_path, ASKED)
