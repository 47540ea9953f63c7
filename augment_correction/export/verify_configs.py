"""What the Axolotl configs of a run's folder train on, and whether they still say so as the run wrote them: a key more or
less trains the mistakes of a file without a fault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from augment_correction.errors import InputError
from augment_correction.export.axolotl_chat import FILE as CHAT_FILE
from augment_correction.export.axolotl_lora import TrainingSet, data_keys
from augment_correction.export.verify_files import Fault, FileProof, differences, told
from augment_correction.text import read_text

REMEDY = "run the same config to write it again: finished calls are not repeated"
UNTRAINED = {"train_on_inputs": False}


def trains_whole(path: Path) -> bool:
    """It trains on `exports/axolotl_chat`, which is tokenised as a whole, and not on the dataset in segments."""
    return any(Path(str(each.get("path", ""))).name == CHAT_FILE for each in _datasets(_read(path)))


def verify_config(path: Path, data: TrainingSet) -> FileProof:
    """Its keys that decide what is trained are those that the run writes for `data`."""
    made = FileProof(path, REMEDY)
    found = _read(path)
    if not found:
        made.note(Fault("form", 0, "", "it is not a YAML mapping"))
        return made
    try:
        expected = {**data_keys(data), **UNTRAINED}
    except InputError as failure:
        made.note(Fault("config", 0, "", failure.message))
        return made
    for place, is_, should in differences(_resolved(expected), _resolved({name: found.get(name) for name in expected})):
        made.note(Fault("config", 0, "", f"{place} is {told(is_)}, and the run's is {told(should)}"))
    return made


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(read_text(path))
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}


def _datasets(keys: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = keys.get("datasets")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _resolved(keys: Mapping[str, Any]) -> dict[str, Any]:
    """A path through a link, or with `..`, is the same file."""
    datasets = [
        {**each, "path": str(Path(str(each.get("path"))).resolve())} if "path" in each else each
        for each in _datasets(keys)
    ]
    return {**keys, "datasets": datasets}
