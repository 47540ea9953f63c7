"""The numbers of a training, under one name each: in `train`, its flags and a run's `training` section alike. The names that
Axolotl, TRL and Transformers have for them are understood, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from augment_correction.sampling import Declaration

SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "epochs": ("num_epochs", "num_train_epochs", "max_epochs"),
    "batch_size": ("micro_batch_size", "per_device_train_batch_size"),
    "gradient_accumulation": ("gradient_accumulation_steps",),
    "max_length": ("sequence_len", "max_seq_length"),
    "validation_split": ("val_set_size",),
}
"""By the name here, what others call it."""


def own_names(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same keys, each under the name that it has here.

    Raises: ValueError where one number is given under two names.
    """
    made = dict(data)
    for name, others in SPELLINGS.items():
        given = [each for each in (name, *others) if each in made]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} mean the same: write only {name}")
        if given:
            made[name] = made.pop(given[0])
    return made


class Hyperparameters(Declaration):
    """What decides how a model is trained, whoever trains it."""

    epochs: float = Field(3, gt=0)
    """The largest number of epochs; early stopping may end the training sooner."""
    learning_rate: float = Field(2e-4, gt=0)
    batch_size: int = Field(4, ge=1)
    """Rows per batch on the device."""
    gradient_accumulation: int = Field(8, ge=1)
    """Batches per optimizer step: a step learns from `batch_size` x `gradient_accumulation` rows."""
    max_length: int = Field(4096, ge=16)
    """The largest length of a row in tokens. Longer rows are counted and never cut, because a cut would remove the correction."""
    lora_r: int = Field(32, ge=1)
    lora_alpha: int = Field(32, ge=1)
    lora_dropout: float = Field(0.05, ge=0, lt=1)
    validation_split: float = Field(0.05, ge=0, le=0.5)
    """The share of rows held out for validation."""

    @model_validator(mode="before")
    @classmethod
    def _one_name(cls, data: Any) -> Any:
        return own_names(data) if isinstance(data, Mapping) else data
