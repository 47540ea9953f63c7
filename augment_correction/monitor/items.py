"""Questions with their references: whose file may be asked, and which come next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError
from augment_correction.jsonlines import json_rows
from augment_correction.records import Conversation, Turn, content_id
from augment_correction.runner.reading import open_run
from augment_correction.runner.respelling import run_conversations
from augment_correction.selection import overlap

QUESTION = ("question", "prompt", "instruction", "query")
REFERENCE = ("reference", "reference_answer", "golden", "expected", "response", "output", "completion", "answer")
ANSWER = ("answer", "response", "output", "completion", "model_output")
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Item:
    question: str
    reference: str
    category: str = ""

    @property
    def id(self) -> str:
        return content_id(self.question, self.reference)


def read_items(path: Path) -> list[Item]:
    """Rows with a question and a reference, under the names above or as the first two messages of a chat.

    Raises: InputError with file and line.
    """
    found = (_item(row, place) for place, row in json_rows(path))
    items = list({item.id: item for item in found}.values())
    if not items:
        raise InputError(f"{path} holds no question", hint='write lines like {"question": ..., "reference": ...}')
    return items


def _item(row: Mapping[str, Any], place: str) -> Item:
    said = {each.get("role"): str(each.get("content")) for each in reversed(row.get("messages") or [])}
    question = said.get("user") or text_of(row, QUESTION, place)
    reference = said.get("assistant") or text_of(row, REFERENCE, place)
    return Item(question.strip(), reference.strip(), str(row.get("category") or ""))


def text_of(row: Mapping[str, Any], names: Sequence[str], place: str) -> str:
    """Raises: InputError where the row has none of the names with a text, or a number, in it."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str | int | float) and str(value).strip():
            return str(value).strip()
    raise InputError(f"{place} has no {names[0]}", hint=f"write it under one of: {', '.join(names)}")


# --------------------------------------------------------------------------------------------- who comes next


def draw(items: Sequence[Item], used: Counter[str], number: int, seed: int) -> list[Item]:
    """Those that were asked least; in the order of a shuffle that each round has of its own. What was asked is all it
    depends on, so that it goes on after a kill."""

    def place(item: Item) -> tuple[int, str]:
        return used[item.id], content_id(str(seed), str(used[item.id]), item.id)

    return sorted(items, key=place)[:number]


# ------------------------------------------------------------------------------------------ what must not overlap


def refuse_overlap(items: Sequence[Item], paths: Iterable[Path], what: str) -> None:
    """Raises: InputError with the rows that ask what an item asks, or nearly."""
    asked = [{"id": f"'{item.question[:60]}'", "question": item.question, "passage": item.id} for item in items]
    for path in paths:
        found = overlap(asked, _conversations(path))
        if found:
            rows = "".join(f"\n  {each.conversation}: {each.detail}" for each in found[:SHOWN])
            more = f"\n  and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            raise InputError(
                f"the monitor's questions stand in the {what} too, in {len(found)} rows of {path}:{rows}{more}",
                hint="take them out of the monitor's file: what the model gets wrong there becomes training data",
            )


def _conversations(path: Path) -> Iterator[Conversation]:
    """Of a run, whose folder or dataset it is, or of a .jsonl file, of which the user's first words are read."""
    folder = path if path.is_dir() else path.parent
    if path.is_dir() or (path.suffix == ".json" and (folder / "journal.sqlite").is_file()):
        with open_run(folder) as made:
            yield from run_conversations(made)
        return
    for place, row in json_rows(path):
        said = [
            str(each.get("content", each.get("value")))
            for each in row.get("messages") or row.get("conversations") or []
            if each.get("role", each.get("from")) in ("user", "human")
        ]
        question = said[0] if said else text_of(row, QUESTION, place)
        yield Conversation(place, "", (Turn("user", question, False),), False)
