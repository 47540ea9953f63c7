"""A round's config for Axolotl: the user's own, with other rows, another folder and the adapter to go on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from augment_correction.errors import ConfigError
from augment_correction.store.folder import atomic_write
from augment_correction.yamlfile import read_yaml


def write_round(base: Path, target: Path, *, data: Path, out: Path, parent: str | None) -> Path:
    """`dataset_prepared_path` is the round's own: Axolotl's cache does not look into a file of rows, and would train on
    those of the round before.

    Raises: ConfigError where `base` does not name exactly one dataset.
    """
    file = read_yaml(base)
    datasets = file.data.get("datasets") if isinstance(file.data, dict) else None
    if not isinstance(datasets, list) or len(datasets) != 1 or not isinstance(datasets[0], dict):
        raise ConfigError("a round has one file of rows, so `datasets` must be a list of one", file=base)
    made: dict[str, Any] = {
        **file.data,
        "datasets": [{**datasets[0], "path": str(data)}],
        "output_dir": str(out),
        "dataset_prepared_path": str(out / "prepared"),
        **({"lora_model_dir": parent} if parent else {}),
    }
    with atomic_write(target) as written:
        written.write(yaml.safe_dump(made, sort_keys=False, allow_unicode=True).encode())
    return target
