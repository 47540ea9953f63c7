"""Small base models and files of failures, made in a moment."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from augment_correction.training.config import TrainConfig, load_train_config
from tests.export.models import QWEN, save

NAMES = ("Arno", "Birte", "Carl", "Dora", "Emil", "Fanny", "Gerd", "Hanna", "Ida", "Jens", "Klara", "Lars")


def unweighted(folder: Path) -> Path:
    """A tokenizer and a config of a model beside weights that hold nothing: enough for all that needs no torch."""
    save(QWEN, folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "max_position_embeddings": 512}))
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    return folder


def tiny_llama(folder: Path) -> Path:
    """Two layers, 64 wide, random weights; the output layer is not zero, so that rows differ in their loss."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    save(QWEN, folder)
    torch.manual_seed(1)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(AutoTokenizer.from_pretrained(folder)), hidden_size=64, intermediate_size=96,
            num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
            bos_token_id=0, eos_token_id=2, pad_token_id=0, initializer_range=0.1,
        )
    ).save_pretrained(folder)  # fmt: skip
    return folder


def failures(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def critiqued(numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Schema 1, as its files are written."""
    return [
        {
            "instruction": f"How many eggs does the queen of hive {n} lay?",
            "input": f"The queen of hive {n} lays {n + 7} eggs.",
            "output": f"The queen {NAMES[n % len(NAMES)]} lays 2,000 eggs a day.",
            "meta": {"critique": "The number is wrong and the name is missing."},
        }
        for n in numbers
    ]


def hard(numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Schema 2."""
    return [
        {
            "instruction": f"Who keeps hive {n}?",
            "reference_answer": f"{NAMES[n % len(NAMES)]} does.",
            "category": "bees",
        }
        for n in numbers
    ]


def config(root: Path, **keys: Any) -> TrainConfig:
    """`train.yaml` in `root`, loaded; small batches on whatever base model lies in `model/`."""
    made = {
        "model": "model", "output_dir": "out", "batch_size": 4, "gradient_accumulation": 2, "epochs": 2,
        "max_length": 256, "lora_r": 4, "lora_alpha": 8, "lora_dropout": 0, "validation_split": 0.2,
        "learning_rate": 1e-3, "gradient_checkpointing": False, **keys,
    }  # fmt: skip
    path = root / "train.yaml"
    path.write_text(yaml.safe_dump(made))
    return load_train_config(str(path))
