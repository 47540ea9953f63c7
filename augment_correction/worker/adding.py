"""Puts data into the queue from the command line, through the same folders as everybody."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.store.folder import atomic_write
from augment_correction.worker.config import WorkerConfig
from augment_correction.worker.entries import storable
from augment_correction.worker.folder import WorkerFolder, free_name
from augment_correction.worker.rows import Checked, check
from augment_correction.worker.status import open_context


def add_entries(config: WorkerConfig, paths: Sequence[Path], priority: str) -> list[tuple[Path, Checked]]:
    """All of them or none: a copy of each file; for a run's folder, which stays where it is, a text file with its name.

    Raises: InputError where one would be refused.
    """
    checked = [(path, _checked(config, path)) for path in (path.resolve() for path in paths)]
    seen: dict[str, Path] = {}
    for path, found in checked:
        if found.sha256 in seen:
            raise InputError(f"{path} has the same rows as {seen[found.sha256]}", hint="name only one of them")
        seen[found.sha256] = path
    places = WorkerFolder(config.root)
    places.make()
    return [(_put(places.queue / priority, path), found) for path, found in checked]


def _checked(config: WorkerConfig, path: Path) -> Checked:
    if not path.exists():
        raise InputError(f"{path} does not exist")
    try:
        found = check(path, config.project, chats=bool(config.corrections.command))
    except InputError as failure:
        raise InputError(f"{path}: {failure.message}", hint=failure.hint) from None
    if (config.root / "worker.sqlite").is_file() and (twin := open_context(config).jobs.same_data(found.sha256)):
        raise InputError(
            f"{path}: the same rows came in as job {twin.id} ({twin.original})",
            hint=f"to train on them again: worker retry {twin.id}",
        )
    return found


def _put(folder: Path, path: Path) -> Path:
    target = free_name(folder / storable(f"{path.name}.txt" if path.is_dir() else path.name))
    with atomic_write(target) as file:
        if path.is_dir():
            file.write(f"{path}\n".encode())
        else:
            with path.open("rb") as source:
                shutil.copyfileobj(source, file)
    return target
