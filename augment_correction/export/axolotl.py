"""Axolotl's spellings: the rows of `type: input_output`, and the LoRA config that trains on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from augment_correction.config import RunConfig
from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.segments import segments
from augment_correction.records import Conversation


def segments_row(conversation: Conversation, template: ChatTemplate) -> dict[str, Any]:
    """`{"segments": [{"label", "text"}, ...], "id"}`; Axolotl ignores the id, people and reports find rows by it."""
    parts = [{"label": segment.label, "text": segment.text} for segment in segments(conversation, template)]
    return {"segments": parts, "id": conversation.id}


def axolotl_config(config: RunConfig, dataset: Path, prepared: Path, rows: int) -> dict[str, Any]:
    """A config for Axolotl 0.19. `prepared` must change with the dataset's content: Axolotl's own cache key does not
    look into the file, and trains on old rows after it was made anew."""
    training = config.training
    batch = training.micro_batch_size * training.gradient_accumulation_steps
    held_out = int(rows * training.val_set_size)
    steps = max(1, (rows - held_out) * training.num_epochs // batch)
    made: dict[str, Any] = {
        "base_model": training.base_model,
        "adapter": training.adapter,
        "datasets": [{"path": str(dataset), "ds_type": "json", "type": "input_output"}],
        "train_on_inputs": False,
        "dataset_prepared_path": str(prepared),
        "output_dir": str(config.project.resolve(training.output_dir)),
        "sequence_len": training.sequence_len,
        "excess_length_strategy": "raise",
        "sample_packing": False,
        "eval_sample_packing": False,
        "lora_r": training.lora_r,
        "lora_alpha": training.lora_alpha,
        "lora_dropout": training.lora_dropout,
        "lora_target_linear": True,
        "micro_batch_size": training.micro_batch_size,
        "gradient_accumulation_steps": training.gradient_accumulation_steps,
        "num_epochs": training.num_epochs,
        "learning_rate": training.learning_rate,
        "lr_scheduler": "cosine",
        "warmup_steps": min(20, max(1, steps // 10)),
        "optimizer": "adamw_torch_fused",
        "weight_decay": 0.0,
        "bf16": "auto",
        "tf32": "auto",
        "attn_implementation": "sdpa",
        "gradient_checkpointing": True,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        "logging_steps": 1,
        "val_set_size": training.val_set_size if held_out else 0,
        "save_steps": max(1, steps // 4),
        "save_total_limit": 3,
        "seed": config.system.seed % 2**31,
    }
    if training.adapter == "qlora":
        made["load_in_4bit"] = True
    if held_out:
        made["eval_steps"] = made["save_steps"]
        made["load_best_model_at_end"] = True
        made["early_stopping_patience"] = 3
    return made
