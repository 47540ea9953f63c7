"""The questions of an evaluation: a run's `gate.jsonl`, or anybody's JSON lines with a question and a reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError
from augment_correction.jsonlines import json_rows
from augment_correction.project import Project
from augment_correction.records import content_id
from augment_correction.selection.asked import QUESTION_NAMES
from augment_correction.store import RunFolder

SPELLINGS = {
    "question": QUESTION_NAMES,
    "reference": ("reference", "answer", "golden", "reference_answer"),
}
OPTIONAL = ("context", "flawed", "evidence", "passage", "source", "kind")


@dataclass(frozen=True, slots=True)
class Item:
    """`group` is what is resampled together (a document); the item itself where the row names none. `context` is what
    stands before the question where it is asked, and not where it is graded: its words are no evidence against an answer."""

    id: str
    group: str
    question: str
    reference: str
    context: str | None = None
    flawed: str | None = None
    evidence: Any = None
    passage: str | None = None
    source: str | None = None
    kind: str | None = None

    @property
    def asked(self) -> str:
        return f"{self.context}\n\n{self.question}" if self.context else self.question


def read_items(project: Project, paths: Iterable[str]) -> list[Item]:
    """The items of all files in order; of rows with the same id and text the first one.

    Raises: InputError with file and line where a row is none, or two rows of one id differ.
    """
    items: dict[str, Item] = {}
    for path in paths:
        file = _file(project.resolve(path))
        before = len(items)
        for place, row in json_rows(file):
            item = _item(row, place)
            if items.setdefault(item.id, item) != item:
                raise InputError(f"{place}: another question has the id '{item.id}' already", hint="give it its own")
        if len(items) == before:
            raise InputError(f"{file} holds no question that is not there already", hint="name another file under gate")
    return list(items.values())


def gate_path(path: Path) -> Path:
    """Of a run's output folder the questions that it kept apart, else the file itself."""
    return RunFolder(path).gate if path.is_dir() else path


def _file(path: Path) -> Path:
    file = gate_path(path)
    if not file.is_file():
        hint = "run with gate.share above 0, or name a .jsonl file" if path.is_dir() else "check the path under gate"
        raise InputError(f"there is no gate at {file}", hint=hint)
    return file


def _item(row: Mapping[str, Any], place: str) -> Item:
    question, reference = (_text(row, names, place) for names in SPELLINGS.values())
    id_ = str(row.get("id") or content_id(question, reference))
    more = {name: row[name] for name in OPTIONAL if row.get(name)}
    return Item(id_, str(row.get("group") or id_), question, reference, **more)


def _text(row: Mapping[str, Any], names: tuple[str, ...], place: str) -> str:
    for name in names:
        value = row.get(name)
        if isinstance(value, str | int | float) and str(value).strip():
            return str(value).strip()
    raise InputError(f"{place} has no {names[0]}", hint=f"write it under one of: {', '.join(names)}")
