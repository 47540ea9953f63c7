"""`axolotl_lora.yaml`: a LoRA run for Axolotl 0.19 on the rows that were made.

Axolotl ignores keys that it does not know and only warns of deprecated ones; `make check-axolotl` compares these with
its schema.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from augment_correction.config import RunConfig, TrainingConfig
from augment_correction.export.axolotl_chat import FILE as CHAT_FILE
from augment_correction.export.axolotl_chat import chat_keys, served_template
from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.segments import answer_end
from augment_correction.export.tokenizer import Tokenizer
from augment_correction.store.folder import RunFolder

PAD_CANDIDATES = ("<|finetune_right_pad_id|>", "<|pad|>", "<pad>", "<|PAD|>", "[PAD]", "<|endoftext|>", "<unk>")
EVALUATIONS = (8, 7, 6, 5, 4)
SCHEDULED = ("warmup_steps", "warmup_ratio", "eval_steps", "load_best_model_at_end", "early_stopping_patience")
"""Keys that some numbers of rows have and others have not."""
HEADER = """\
# For Axolotl 0.19 or newer{several}:
#   axolotl preprocess {path}
#   axolotl train {path}{processes}
# Every run writes this file again: copy it before you edit it.
"""


@dataclass(frozen=True)
class TrainingSet:
    """What is to be trained on. `digest` changes with the rows; `whole` asks for the chat_template spelling."""

    folder: RunFolder
    rows: int
    digest: str
    template: ChatTemplate
    tokenizer: Tokenizer | None = None
    whole: bool = False


def axolotl_config(config: RunConfig, data: TrainingSet, *, several_gpus: bool = False) -> dict[str, Any]:
    """The config's keys. With several GPUs (plain data parallel) their number is not known here: each takes its batch
    without accumulating, and evaluations are shares of the run instead of steps."""
    training = config.training
    # Axolotl's cache key does not look into the file: it would train on old rows after they were made anew.
    prepared = data.folder.root / "prepared" / data.digest
    accumulation = 1 if several_gpus else training.gradient_accumulation
    made: dict[str, Any] = {
        "base_model": base_model(config),
        "adapter": training.adapter,
        **({"load_in_4bit": True} if training.adapter == "qlora" else {}),
        **data_keys(data),
        **_special_tokens(data),
        "train_on_inputs": False,
        "dataset_prepared_path": str(prepared),
        "output_dir": str(config.project.resolve(training.output_dir)),
        "sequence_len": training.max_length,
        "excess_length_strategy": "raise",
        # Packing needs FlashAttention: with sdpa it lets one conversation see another.
        "sample_packing": False,
        "eval_sample_packing": False,
        "lora_r": training.lora_r,
        "lora_alpha": training.lora_alpha,
        "lora_dropout": training.lora_dropout,
        "lora_target_linear": True,
        "micro_batch_size": training.batch_size,
        "gradient_accumulation_steps": accumulation,
        "num_epochs": training.epochs,
        "learning_rate": training.learning_rate,
        "lr_scheduler": "cosine",
        "optimizer": "adamw_bnb_8bit" if training.adapter == "qlora" else "adamw_torch_fused",
        "weight_decay": 0.0,
        "bf16": "auto",
        "tf32": "auto",
        "attn_implementation": "sdpa",
        "gradient_checkpointing": True,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        **_schedule(training, data.rows, several_gpus),
        "seed": config.system.seed % 2**31,
    }
    if several_gpus:
        made["ddp_find_unused_parameters"] = False
    return made


def base_model(config: RunConfig) -> str:
    """A folder as an absolute path, since Axolotl starts relative ones at its own current folder."""
    local = config.project.resolve(config.training.base_model)
    return str(local) if local.is_dir() else config.training.base_model


def trained_on_other_rows(text: bytes, path: Path, training: TrainingConfig, rows: int, digest: str) -> bytes:
    """The config at `path` for a dataset that was written again: where its cache lies, and how many steps lie between two
    evaluations."""
    made = yaml.safe_load(text)
    several = not isinstance(made.get("save_steps"), int)
    schedule = _schedule(training, rows, several)
    made = {name: value for name, value in made.items() if name not in SCHEDULED or name in schedule} | schedule
    made["dataset_prepared_path"] = str(Path(str(made["dataset_prepared_path"])).with_name(digest))
    return axolotl_yaml(made, path, several_gpus=several)


def axolotl_yaml(made: dict[str, Any], path: Path, *, several_gpus: bool = False) -> bytes:
    header = HEADER.format(
        path=path,
        several=" and several GPUs of one machine" if several_gpus else "",
        processes=" --num-processes 2    # the number of GPUs" if several_gpus else "",
    )
    return (header + yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=120)).encode()


def data_keys(data: TrainingSet) -> dict[str, Any]:
    """The template goes along, so that the trained model is served with the one it was trained with."""
    served = {"chat_template": "jinja", "chat_template_jinja": served_template(data.template)}
    if data.whole:
        path = data.folder.root / "exports" / "axolotl_chat" / CHAT_FILE
        return {**chat_keys(data.template, data.tokenizer, path), **served}
    return {"datasets": [{"path": str(data.folder.dataset), "ds_type": "json", "type": "input_output"}], **served}


def _special_tokens(data: TrainingSet) -> dict[str, Any]:
    """What the base model's tokenizer lacks: a pad of its own (with the EOS as pad some collators mask the end of
    every row), and the template's end-of-turn as EOS, without which a server goes on after the answer. Only tokens
    that exist: new ones would need their embeddings trained."""
    tokenizer = data.tokenizer
    if tokenizer is None:
        return {}
    tokens = {}
    ending = answer_end(data.template).strip()
    if tokenizer.is_special(ending) and ending != tokenizer.eos_token:
        tokens["eos_token"] = ending
    if not tokenizer.pad_token or tokenizer.pad_token == tokens.get("eos_token", tokenizer.eos_token):
        taken = {ending, tokenizer.bos_token}
        pad = next((each for each in PAD_CANDIDATES if each not in taken and tokenizer.is_special(each)), None)
        if pad:
            tokens["pad_token"] = pad
    return {"special_tokens": tokens} if tokens else {}


def _schedule(training: TrainingConfig, rows: int, several_gpus: bool) -> dict[str, Any]:
    """Evaluations and saves that happen: as many as divide the run's steps, the last one at its end."""
    # As Axolotl draws it (datasets' train_test_split rounds the share up); fewer than two rows tell nothing.
    held_out = math.ceil(rows * training.validation_split) if rows * training.validation_split >= 2 else 0
    per_epoch = math.ceil(math.ceil((rows - held_out) / training.batch_size) / training.gradient_accumulation)
    steps = max(1, per_epoch * training.epochs)
    number = next((number for number in EVALUATIONS if steps % number == 0), 0)
    every: float = steps // number if number else max(1, steps // 5)
    warmup: dict[str, Any] = {"warmup_steps": min(20, max(1, steps // 10))}
    if several_gpus:
        every, warmup = 0.2, {"warmup_ratio": 0.1}
    made = {**warmup, "logging_steps": 1, "val_set_size": training.validation_split if held_out else 0}
    made |= {"save_steps": every, "save_total_limit": 3}
    if held_out:
        made |= {"eval_steps": every, "load_best_model_at_end": True, "early_stopping_patience": 3}
    return made
