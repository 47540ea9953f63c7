"""The questions of an evaluation: a run's `gate.jsonl`, or anybody's rows with a question and a reference."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.project import Project
from augment_correction.rows import Item, item_of, read_rows
from augment_correction.store import RunFolder


def read_items(project: Project, paths: Iterable[str], key: str = "gate") -> list[Item]:
    """The items of all files in order; of rows with the same id and text the first one. `key` is where the config names the files,
    for a remedy.

    Raises: InputError with file and line where a row has no question or reference, or two rows of one id differ.
    """
    items: dict[str, Item] = {}
    for path in paths:
        file = _file(project.resolve(path), key)
        before = len(items)
        for place, item in read_rows(file, item_of):
            if items.setdefault(item.id, item) != item:
                raise InputError(
                    f"{place}: another question already has the id '{item.id}'", hint="give each question its own id"
                )
        if len(items) == before:
            raise InputError(
                f"{file} holds no question beyond those of the other files", hint=f"name another file under `{key}`"
            )
    return list(items.values())


def gate_path(path: Path) -> Path:
    """Of a run's output folder the questions that it kept apart, else the file itself."""
    return RunFolder(path).gate if path.is_dir() else path


def _file(path: Path, key: str) -> Path:
    file = gate_path(path)
    if not file.is_file():
        hint = f"correct the path under `{key}`"
        if key == "gate" and not path.exists():
            hint += ", or make the questions first: `run` with gate.share above 0 writes them into its output folder"
        elif path.is_dir():
            hint = f"make the run with gate.share above 0, or name a .jsonl file under `{key}`"
        raise InputError(f"there are no questions at {file}", hint=hint)
    return file
