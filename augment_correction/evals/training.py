"""A question that a model was trained on measures memory and not learning: such an evaluation is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import InputError
from augment_correction.evals.config import EvalConfig
from augment_correction.evals.gate import Item
from augment_correction.failures.reading import ALIASES
from augment_correction.jsonlines import json_rows
from augment_correction.project import Project
from augment_correction.records import Conversation, Turn
from augment_correction.runner.dataset import conversations
from augment_correction.runner.reading import open_run
from augment_correction.selection import Candidate, Overlap
from augment_correction.selection.guard import Guard
from augment_correction.selection.similar import normal
from augment_correction.store import RunFolder

TRAINED = "trained.jsonl"
"""What our trainer leaves in its output folder, beside the adapter: each conversation that it trained or held out."""
SPOKEN = ("messages", "conversations")
SHOWN = 10
REMEDY = (
    "take these rows out of the training data and train again, or these items out of the gate; a run with gate.share "
    "above 0 keeps whole documents apart"
)
FORMATS = "name the output folder of a run or of a training, or a .jsonl or .json file of training rows"


@dataclass(frozen=True, slots=True)
class Row:
    """`rendered` is the whole text where it is not said who speaks, as in Axolotl's segments; `conversation` then has no
    turns."""

    conversation: Conversation
    rendered: str = ""


def training_of(config: EvalConfig) -> tuple[tuple[str, ...], list[str]]:
    """The training data to look through, those of the config or else those beside the adapters, and a line for every
    model for which they were found there, or are not known."""
    if config.training:
        return config.training, []
    found, notices = [], []
    for name, model in config.models.items():
        file = config.project.resolve(model.adapter).parent / TRAINED if model.adapter else None
        if file and file.is_file():
            found.append(str(file))
            notices.append(f"{name} was trained on {file}: the gate is not in it")
        elif name != config.base or not config.tuned:
            notices.append(f"whether {name} was trained on the gate is not checked: name training")
    return tuple(dict.fromkeys(found)), notices


def refuse_trained(project: Project, paths: Iterable[str], items: Iterable[Item]) -> None:
    """Raises: InputError with the rows of the training data that give away a question, or nearly."""
    asked = _Asked(items)
    for path in paths:
        found = [each for each in map(asked.given_away, _rows(project.resolve(path))) if each]
        if found:
            rows = "".join(f"\n  {each.conversation}: {each.detail}" for each in found[:SHOWN])
            more = f"\n  and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            raise InputError(f"{len(found)} rows of {path} give away questions of the gate:{rows}{more}", hint=REMEDY)


class _Asked:
    """The gate, and what of it a training row gives away."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._guard = Guard()
        self._words: list[tuple[str, str, frozenset[str]]] = []
        for item in items:
            self._guard.add_item({"id": item.id, "question": item.question, "passage": item.passage})
            if words := normal(item.question):
                self._words.append((item.id, f" {words} ", frozenset(words.split())))

    def given_away(self, row: Row) -> Overlap | None:
        """In rendered text a question is found by its words alone: where it begins and ends there, to compare what is
        nearly the same, only the chat template knows."""
        found = self._guard.overlap(Candidate(row.conversation))
        if found or not row.rendered:
            return found
        text = f" {normal(row.rendered)} "
        there = set(text.split())  # rules most questions out, ten times as fast as a search
        item = next((id_ for id_, phrase, words in self._words if words <= there and phrase in text), None)
        return Overlap(row.conversation.id, item, "question") if item else None


def _rows(path: Path) -> Iterator[Row]:
    """What a run's dataset holds, what a training left, or the rows of a file, of which the user's words alone are read.

    Raises: InputError where none of them is there.
    """
    run = RunFolder(path if path.is_dir() else path.parent)
    file = path / TRAINED if path.is_dir() else path
    if path in (run.root, run.dataset) and run.journal.is_file():
        yield from map(Row, _of_run(run.root))
    elif file.is_file() and file.suffix in (".jsonl", ".json"):
        yield from (_row(row, place) for place, row in json_rows(file))
    else:
        raise InputError(f"training data at {path} cannot be read", hint=FORMATS)


def _of_run(path: Path) -> Iterator[Conversation]:
    """Of the kept conversations those that were written for training: others may be in the gate."""
    with open_run(path) as made:
        if not made.folder.dataset.is_file():
            raise InputError(f"the run in {path} has written no dataset", hint="run it to its end")
        written = {row["id"] for row in orjson.loads(made.folder.dataset.read_bytes())}
        yield from (each for _, each in conversations(made.results) if each.id in written)


def _row(row: Mapping[str, Any], place: str) -> Row:
    told = next((row[name] for name in ("segments", *SPOKEN) if row.get(name)), None)
    parts = [each for each in told if isinstance(each, Mapping)] if isinstance(told, list) else []
    if parts:
        said = [_text(each) for each in parts if each.get("role", each.get("from")) in ("user", "human")]
    else:
        said = [row[name] for name in ALIASES["question"] if row.get(name)][:1]
    # Segments are cut anywhere in the text; messages are texts of their own.
    rendered = "" if said else ("" if "segments" in row else "\n").join(str(_text(each) or "") for each in parts)
    if not (said or rendered.strip()) or not all(isinstance(text, str) for text in said):
        raise InputError(
            f"{place} has no words of a user",
            hint=f"rows with segments, {', '.join(SPOKEN)} or one of {', '.join(ALIASES['question'])} are read",
        )
    turns = tuple(Turn("user", text, False) for text in said)
    return Row(Conversation(str(row.get("id") or place), "", turns, False, {}), rendered)


def _text(part: Mapping[str, Any]) -> Any:
    return next((part[name] for name in ("content", "value", "text") if name in part), None)
