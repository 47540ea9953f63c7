"""Questions with their references: whose file may be asked, and which come next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError
from augment_correction.jsonlines import json_rows
from augment_correction.records import Conversation, Turn, content_id
from augment_correction.runner.reading import open_run
from augment_correction.runner.respelling import run_conversations
from augment_correction.selection import overlap
from augment_correction.selection.candidate import question_of

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


def read_items(path: Path, say: Callable[[str], None] = lambda line: None) -> list[Item]:
    """Rows with a question and a reference, under the names above or as the first two messages of a chat. Of a question
    with several references the first counts, and `say` is told of the others.

    Raises: InputError with file and line.
    """
    found: dict[str, tuple[Item, str]] = {}
    others = []
    for place, row in json_rows(path):
        item = _item(row, place)
        first, where = found.setdefault(item.question, (item, place))
        if first.reference != item.reference:
            others.append(f"\n  {place} asks what {where} asks")
    if not found:
        raise InputError(f"{path} holds no question", hint='write lines like {"question": ..., "reference": ...}')
    if others:
        shown = "".join(others[:SHOWN]) + (f"\n  and {len(others) - SHOWN} more" if len(others) > SHOWN else "")
        say(f"the first reference to a question counts, a second one is left out:{shown}")
    return [item for item, _ in found.values()]


def _item(row: Mapping[str, Any], place: str) -> Item:
    question = _first_said(row, ("user", "human"), place) or text_of(row, QUESTION, place)
    reference = _first_said(row, ("assistant", "gpt"), place) or text_of(row, REFERENCE, place)
    return Item(question.strip(), reference.strip(), str(row.get("category") or ""))


def text_of(row: Mapping[str, Any], names: Sequence[str], place: str) -> str:
    """Raises: InputError where the row has none of the names with a text, or a number, in it."""
    for name in names:
        if row.get(name) is not None and (text := plain(row[name], f"{place}: {name}").strip()):
            return text
    raise InputError(f"{place} has no {names[0]}", hint=f"write it under one of: {', '.join(names)}")


def plain(value: Any, place: str) -> str:
    """A text, a number, or a list of texts and parts with a text, a line each.

    Raises: InputError for anything else: nothing is asked, or graded, that nobody wrote.
    """
    if isinstance(value, list):
        return "\n".join(plain(part.get("text") if isinstance(part, dict) else part, place) for part in value)
    if isinstance(value, str | int | float):
        return str(value)
    raise InputError(
        f"{place} is no text: {str(value)[:60]}", hint='write "..." there, or [{"type": "text", "text": "..."}]'
    )


def _first_said(row: Mapping[str, Any], roles: Sequence[str], place: str) -> str:
    """In a chat of either spelling; empty where the row is none, or nobody of the roles speaks."""
    chat = row.get("messages") or row.get("conversations") or []
    if not isinstance(chat, list) or not all(isinstance(each, dict) for each in chat):
        raise InputError(f"{place}: messages is no list of messages", hint='[{"role": "user", "content": "..."}, ...]')
    for each in chat:
        if each.get("role", each.get("from")) in roles:
            return plain(each.get("content", each.get("value")), f"{place}: what the {roles[0]} says")
    return ""


# --------------------------------------------------------------------------------------------- who comes next


def draw(items: Sequence[Item], used: Counter[str], number: int, seed: int) -> list[Item]:
    """Those that were asked least; in the order of a shuffle that each round has of its own. What was asked is all it
    depends on, so that it goes on after a kill."""

    def place(item: Item) -> tuple[int, str]:
        return used[item.id], content_id(str(seed), str(used[item.id]), item.id)

    return sorted(items, key=place)[:number]


# ------------------------------------------------------------------------------------------ what must not overlap


def refuse_overlap(
    items: Sequence[Item], paths: Iterable[Path], what: str, expected: Collection[str] = frozenset()
) -> None:
    """Rows that ask an `expected` question are passed by.

    Raises: InputError with the rows that ask what an item asks, or nearly.
    """
    asked = [{"id": f"'{item.question[:60]}'", "question": item.question, "passage": item.id} for item in items]
    for path in paths:
        found = overlap(asked, (each for each in _conversations(path) if question_of(each) not in expected))
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
        question = _first_said(row, ("user", "human"), place) or text_of(row, QUESTION, place)
        yield Conversation(place, "", (Turn("user", question, False),), False)
