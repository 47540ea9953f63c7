"""A question that a model was trained on measures memory and not learning: such an evaluation is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import InputError
from augment_correction.evals.gate import SPELLINGS, Item
from augment_correction.jsonlines import json_rows
from augment_correction.project import Project
from augment_correction.records import Conversation, Turn
from augment_correction.runner.dataset import conversations
from augment_correction.runner.reading import open_run
from augment_correction.selection import overlap

SHOWN = 10
REMEDY = (
    "take these rows out of the training data and train again, or these items out of the gate; a run with gate.share "
    "above 0 keeps whole documents apart"
)


def refuse_trained(project: Project, paths: Iterable[str], items: Iterable[Item]) -> None:
    """Raises: InputError with the rows of the training data that give away a question, or nearly."""
    asked = [{"id": item.id, "question": item.question, "passage": item.passage or ""} for item in items]
    for path in paths:
        found = overlap(asked, trained(project.resolve(path)))
        if found:
            rows = "".join(f"\n  {each.conversation}: {each.detail}" for each in found[:SHOWN])
            more = f"\n  and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            raise InputError(f"{len(found)} rows of {path} give away questions of the gate:{rows}{more}", hint=REMEDY)


def trained(path: Path) -> Iterator[Conversation]:
    """What a run's dataset holds, or the rows of a .jsonl file, of which the user's words alone are read.

    Raises: InputError where neither is there.
    """
    if path.is_dir():
        yield from _of_run(path)
    elif path.is_file() and path.suffix == ".jsonl":
        for place, row in json_rows(path):
            yield _of_row(row, place)
    else:
        raise InputError(
            f"training data at {path} cannot be read",
            hint="name the output folder of a run, or a .jsonl file of chat rows",
        )


def _of_run(path: Path) -> Iterator[Conversation]:
    """Of the kept conversations those that were written for training: others may be in the gate."""
    with open_run(path) as made:
        if not made.folder.dataset.is_file():
            raise InputError(f"the run in {path} has written no dataset", hint="run it to its end")
        written = {row["id"] for row in orjson.loads(made.folder.dataset.read_bytes())}
        yield from (each for _, each in conversations(made.results) if each.id in written)


def _of_row(row: Mapping[str, Any], place: str) -> Conversation:
    messages = row.get("messages") or row.get("conversations") or []
    said = [
        each.get("content", each.get("value"))
        for each in messages
        if each.get("role", each.get("from")) in ("user", "human")
    ]
    texts = said or [row[name] for name in SPELLINGS["question"] if row.get(name)]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise InputError(
            f"{place} has no words of a user", hint="rows with messages, conversations or a question are read"
        )
    turns = tuple(Turn("user", text, False) for text in texts)
    return Conversation(str(row.get("id") or place), "", turns, False, {})
