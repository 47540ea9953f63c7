"""Puts data into the queue from the command line, through the same folders as everybody."""

from __future__ import annotations

import shutil
from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.store.folder import atomic_write
from augment_correction.worker.config import WorkerConfig
from augment_correction.worker.places import Places, free_name
from augment_correction.worker.rows import Checked, check


def add_entry(config: WorkerConfig, path: Path, priority: str) -> tuple[Path, Checked]:
    """A copy of a file; a text file with the name of a run's folder, which stays where it is.

    Raises: InputError where it would be refused.
    """
    if not path.exists():
        raise InputError(f"there is nothing at {path}")
    path = path.resolve()
    found = check(path, config.project)
    places = Places(config.root)
    places.make()
    name = f"{path.name}.txt" if path.is_dir() else path.name
    target = free_name(places.queue / priority / name)
    with atomic_write(target) as file:
        if path.is_dir():
            file.write(f"{path}\n".encode())
        else:
            with path.open("rb") as source:
                shutil.copyfileobj(source, file)
    return target, found
