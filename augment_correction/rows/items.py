"""Questions with their references: what a model is asked by an evaluation, a monitor, `answers` and `from-failures`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augment_correction.jsonlines import json_rows
from augment_correction.records import content_id
from augment_correction.rows.chats import chat, right_answer, said_by
from augment_correction.rows.names import NAMES, text_of

OPTIONAL = ("flawed", "evidence", "passage", "source", "kind")


@dataclass(frozen=True, slots=True)
class Item:
    """`id` is the row's own, else made of the texts. `group` is what is resampled together (a document); the question
    itself where the row names none. `context` is what stands before the question where it is asked, and not where it is
    graded: its words are no evidence against an answer."""

    question: str
    reference: str
    category: str = ""
    id: str = ""
    group: str = ""
    context: str | None = None
    flawed: str | None = None
    evidence: Any = None
    passage: str | None = None
    source: str | None = None
    kind: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.id or self.key)
        object.__setattr__(self, "group", self.group or self.id)

    @property
    def asked(self) -> str:
        return f"{self.context}\n\n{self.question}" if self.context else self.question

    @property
    def key(self) -> str:
        """Of the two texts, whatever the row calls itself."""
        return content_id(self.asked, self.reference)


def read_rows(path: Path) -> Iterator[tuple[str, Item]]:
    """(file:line, item) of JSON lines or a JSON list.

    Raises: RowError where a row has no question or no reference, InputError where the file cannot be read.
    """
    for place, row in json_rows(path):
        yield place, item_of(row, place)


def item_of(row: Mapping[str, Any], place: str) -> Item:
    """Of a chat the first turn of the user and the first answer (`right_answer`); else the fields of the table.

    Raises: RowError.
    """
    question = asked_of(row, place)
    reference = right_answer(chat(row, place), place) or text_of(row, "reference", place)
    context = next((str(row[name]) for name in NAMES["context"] if row.get(name)), None)
    category = next((str(row[name]) for name in NAMES["category"] if row.get(name)), "")
    more = {name: row[name] for name in OPTIONAL if row.get(name)}
    id_, group = (str(row.get(name) or "") for name in ("id", "group"))
    return Item(question, reference, category, id_, group, context, **more)


def asked_of(row: Mapping[str, Any], place: str) -> str:
    """The question alone.

    Raises: RowError.
    """
    return next(said_by(chat(row, place), "user", place), "").strip() or text_of(row, "question", place)
