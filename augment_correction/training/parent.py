"""The adapter that a training goes on from, read without torch: its own shape counts, and it stands on certain weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from augment_correction.errors import ConfigError, InputError
from augment_correction.llm.hf_weights import weights_id
from augment_correction.training.config import TrainConfig

SHAPE = {"lora_r": "r", "lora_alpha": "lora_alpha"}
"""Keys of a training, and what PEFT calls them."""
UNKNOWN_BASE = "the adapter does not record its base model, so that the program cannot check whether it fits"


def shaped(config: TrainConfig, adapter: Path) -> TrainConfig:
    """With the adapter's rank and alpha.

    Raises: InputError where it is no LoRA adapter, ConfigError where the config asks for another rank or alpha.
    """
    known = _described(adapter)
    for key, name in SHAPE.items():
        asked = getattr(config, key)
        if key in config.model_fields_set and asked != known[name]:
            raise ConfigError(
                f"{key} is {asked}, and the adapter at {adapter} has {known[name]}",
                hint=f"the shape of an adapter cannot change: leave {key} out, set it to {known[name]}, or train without adapter",
            )
    return config.model_copy(update={key: known[name] for key, name in SHAPE.items()})


def refuse_other_base(adapter: Path, base: str | Path, remedy: str) -> bool:
    """Whether the adapter says which weights it was trained on; those of other trainers do not.

    Raises: InputError where these are others than the base's.
    """
    file = adapter / "training.json"
    if not file.is_file():
        return False
    trained, found = str(json.loads(file.read_text("utf-8"))["base_model"]), weights_id(base)
    if trained.rpartition("@")[2] != found.rpartition("@")[2]:
        raise InputError(f"the adapter was trained on {trained}, and {base} is {found}", hint=remedy)
    return True


def _described(adapter: Path) -> dict[str, Any]:
    file = adapter / "adapter_config.json"
    if not file.is_file():
        raise InputError(
            f"{adapter} is not a PEFT adapter: it has no adapter_config.json",
            hint="name the folder final/ of a training",
        )
    known: dict[str, Any] = json.loads(file.read_text("utf-8"))
    if known.get("peft_type") != "LORA":
        raise InputError(f"{adapter} is a {known.get('peft_type')} adapter, and this trains LoRA")
    return known
