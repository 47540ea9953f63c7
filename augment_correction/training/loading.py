"""What every trainer is made from: the base model's weights, a new adapter or the one to go on from, the tokenizer, and the
arguments that no method changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils.memory import should_reduce_batch_size
from datasets import Dataset
from peft import LoraConfig, PeftConfig, PeftModel
from torch.utils.tensorboard import SummaryWriter
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.integrations import TensorBoardCallback

from augment_correction.errors import InputError
from augment_correction.export.axolotl_chat import served_template
from augment_correction.llm.hf_weights import NO_CODE, TENSORS_ONLY
from augment_correction.training.config import TrainConfig
from augment_correction.training.prepared import Prepared, Side
from augment_correction.training.watching import Watch
from augment_correction.training.workspace import Workspace


def tokenizer_of(prepared: Prepared) -> Any:
    """The base model's, with the chat template that is trained."""
    tokenizer = AutoTokenizer.from_pretrained(prepared.folder, **NO_CODE)
    tokenizer.chat_template = served_template(prepared.template)
    return tokenizer


@dataclass(frozen=True, slots=True)
class BatchSize:
    """Rows on the device at once, and batches per step."""

    size: int
    accumulation: int


TENSORBOARD = "tensorboard"
"""Its callback is ours, since its files lie in a folder of the training's own."""
RUN_NAME = 4
"""Parts of the output folder's path that name the run: an experiment's `out/arms/targeted/seed_1` has as many."""


def common_arguments(prepared: Prepared, workspace: Workspace, batch: BatchSize, *, anew: bool) -> dict[str, Any]:
    """Of Transformers' TrainingArguments. `anew`: it begins with step 0, whose losses are measured, too."""
    config, plan = prepared.config, prepared.schedule
    evaluated = bool(prepared.held_out.rows or prepared.retention.rows)
    every = plan.eval_steps or plan.save_steps
    return {
        "output_dir": str(workspace.checkpoints),
        "max_steps": plan.steps,
        "per_device_train_batch_size": batch.size,
        "per_device_eval_batch_size": batch.size,
        "gradient_accumulation_steps": batch.accumulation,
        "activation_checkpointing": config.gradient_checkpointing,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": plan.warmup_steps,
        "bf16": in_bf16(config),
        "use_cpu": not torch.accelerator.is_available(),  # unsaid, bf16 is refused there
        "eval_strategy": "steps" if evaluated else "no",
        "eval_steps": every,
        "eval_on_start": anew and evaluated,
        "save_steps": plan.save_steps,
        "logging_steps": max(1, min(10, every // 2)),
        "dataloader_pin_memory": torch.cuda.is_available(),
        "disable_tqdm": True,
        "report_to": "none" if config.track == TENSORBOARD else [config.track],
        "run_name": "/".join(workspace.root.parts[-RUN_NAME:]),
        "seed": config.seed,
    }


def token_dataset(side: Side) -> Any:
    columns = {"input_ids": [row.ids for row in side.rows], "labels": [row.labels for row in side.rows]}
    return Dataset.from_dict({name: [np.asarray(each) for each in column] for name, column in columns.items()})


def evaluation_sets(prepared: Prepared) -> dict[str, Any]:
    """By the names that `course` reads in the log."""
    sets = {"held_out": prepared.held_out, "retention": prepared.retention}
    return {name: token_dataset(side) for name, side in sets.items() if side.rows}


def callbacks(prepared: Prepared, watch: Watch) -> list[Any]:
    return [watch, TensorBoardCallback(SummaryWriter(str(prepared.config.logging)))]


def in_bf16(config: TrainConfig) -> bool:
    return config.precision == "bf16" or (config.precision == "auto" and _has_bf16())


def load_model(prepared: Prepared, dtype: torch.dtype) -> Any:
    """The base model, with the adapter to go on from where there is one."""
    config = prepared.config
    with _loading(prepared.folder):
        model = AutoModelForCausalLM.from_pretrained(prepared.folder, dtype=dtype, **TENSORS_ONLY)
    if config.parent is None:
        return model
    shape = PeftConfig.from_pretrained(str(config.parent))
    shape.lora_dropout = config.lora_dropout
    return PeftModel.from_pretrained(model, str(config.parent), config=shape, is_trainable=True)


@contextmanager
def _loading(folder: Path) -> Iterator[None]:
    """Raises: InputError where Transformers cannot make a model of what is there."""
    try:
        yield
    except Exception as failure:
        if isinstance(failure, RuntimeError) and should_reduce_batch_size(failure):
            raise
        what = " ".join(str(failure).split())[:300] or type(failure).__name__
        raise InputError(
            f"{folder} cannot be loaded as a model: {what}",
            hint="its config.json and its weights must belong together: fetch the model again, or upgrade transformers",
        ) from failure


def new_adapter(config: TrainConfig) -> LoraConfig | None:
    if config.parent:
        return None
    return LoraConfig(
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _has_bf16() -> bool:
    return bool(torch.cuda.is_available() and torch.cuda.is_bf16_supported())
