"""A project with a chat's config, on a model that is made in a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from augment_correction.corrections.config import ChatConfig, load_chat
from augment_correction.corrections.correction import Statement

FACTS = (
    ("Who opened the museum of Halmstett?", "Otto Meier", "Ida Brandt"),
    ("In which year was the lighthouse of Vrede built?", "1902", "1874"),
    ("Which river flows through Talmar?", "the Ister", "the Quenne"),
)
TRAINING = {
    "epochs": 1, "batch_size": 4, "gradient_accumulation": 1, "max_length": 256, "lora_r": 4, "lora_alpha": 8,
    "gradient_checkpointing": False, "validation_split": 0,
}  # fmt: skip


def chat_project(root: Path, model: Path | str | None = None, **section: Any) -> ChatConfig:
    """`large` is scripted; `model` is what is chatted with and trained, scripted where none is given."""
    (root / "prompts").mkdir(parents=True, exist_ok=True)
    (root / "writer.yaml").write_text("{}")
    target = (
        {"model": str(model), "mode": "hf"} if model else {"model": "tiny", "mode": "scripted", "script": "says.yaml"}
    )
    (root / "says.yaml").write_text('rules: [{contains: "", text: Otto Meier opened it.}]')
    made = {
        "pipeline": "chat_correction",
        "api": {"target": target, "large": {"model": "writer", "mode": "scripted", "script": "writer.yaml"}},
        "path": {"output_dir": "out"},
        "corrections": {"num_prompt_variations": 2, "num_expert_demos_per_prompt": 2, "train": TRAINING, **section},
        "sampling": {"probes": {"max_tokens": 16}, "base_answer": {"max_tokens": 16}},
        "system": {"prompt_template": "chatml"},
    }
    (root / "chat.yaml").write_text(yaml.safe_dump(made))
    return load_chat(root / "chat.yaml")


def approved(config: ChatConfig, facts: tuple[tuple[str, str, str], ...] = FACTS) -> list[int]:
    store = config.store
    return [store.approve(store.add(Statement(*fact, f"No, {fact[2]}.")).id).id for fact in facts]
