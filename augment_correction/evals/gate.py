"""The questions of an evaluation: a run's `gate.jsonl`, or anybody's rows with a question and a reference."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.project import Project
from augment_correction.rows import Item, item_of, read_rows
from augment_correction.store import RunFolder


def read_items(project: Project, paths: Iterable[str]) -> list[Item]:
    """The items of all files in order; of rows with the same id and text the first one.

    Raises: InputError with file and line where a row is none, or two rows of one id differ.
    """
    items: dict[str, Item] = {}
    for path in paths:
        file = _file(project.resolve(path))
        before = len(items)
        for place, item in read_rows(file, item_of):
            if items.setdefault(item.id, item) != item:
                raise InputError(
                    f"{place}: another question already has the id '{item.id}'", hint="give each question its own id"
                )
        if len(items) == before:
            raise InputError(
                f"{file} holds no question beyond those of the other files", hint="name another file under `gate`"
            )
    return list(items.values())


def gate_path(path: Path) -> Path:
    """Of a run's output folder the questions that it kept apart, else the file itself."""
    return RunFolder(path).gate if path.is_dir() else path


def _file(path: Path) -> Path:
    file = gate_path(path)
    if not file.is_file():
        hint = (
            "run with gate.share above 0, or name a .jsonl file" if path.is_dir() else "correct the path under `gate`"
        )
        raise InputError(f"there is no held-out set at {file}", hint=hint)
    return file
