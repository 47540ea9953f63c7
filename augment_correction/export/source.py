"""What every spelling is made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import orjson

from augment_correction.errors import InputError
from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.tokenizer import Tokenizer
from augment_correction.records import Conversation

T = TypeVar("T")


@dataclass(frozen=True)
class ExportSource:
    """What an export format is written from. `conversations` and `documents` can be called again for another pass; `manifest` is
    `run.json`, `documents` and `tokens` are what the run read and what each model was asked (for a dataset card). `template` is
    the run's chat template; `tokenizer` is None where none is on this machine.

    >>> "conversations" in ExportSource.__dataclass_fields__
    True
    """

    conversations: Callable[[], Iterator[Conversation]]
    template: ChatTemplate
    tokenizer: Tokenizer | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)
    documents: Callable[[], Iterable[Mapping[str, Any]]] = tuple
    tokens: tuple[Mapping[str, Any], ...] = ()

    def batches(self, size: int = 512) -> Iterator[list[Conversation]]:
        return batched(self.conversations(), size)


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """As `itertools.batched` of Python 3.12."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def anything(conversation: Conversation) -> bool:
    """For a spelling that can say every mask."""
    return True


@dataclass(frozen=True, slots=True)
class Spelling:
    """A file of JSON lines: a `row` for each conversation whose mask it can say. `why` goes on about the others, which mask
    part of an answer: "which ..."."""

    file: str
    row: Callable[[Conversation], dict[str, Any]]
    sayable: Callable[[Conversation], bool] = anything
    why: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedRows:
    """The rows that a file (.jsonl or .parquet) should hold: of each conversation several, one or none."""

    file: str
    rows: Iterable[tuple[Conversation, list[dict[str, Any]]]]


def write_rows(folder: Path, conversations: Iterable[Conversation], spelling: Spelling) -> tuple[int, list[str]]:
    """The spelling's file in the folder; returns how many rows, and a notice that counts the conversations left out.

    Raises: InputError where it can say none of them.
    """
    rows = left_out = 0
    with json_lines(folder / spelling.file) as put:
        for conversation in conversations:
            if spelling.sayable(conversation):
                put(spelling.row(conversation))
                rows += 1
            else:
                left_out += 1
    if not rows:
        raise InputError(
            f"all {left_out:,} conversations mask part of an answer, which {spelling.why}",
            hint="use axolotl, hf, or trl with a tokenizer, which can express it",
        )
    total = rows + left_out
    notice = f"{left_out:,} of {total:,} conversations mask part of an answer, which {spelling.why}: they were left out"
    return rows, [notice] if left_out else []


def masked_by_message(conversation: Conversation) -> bool:
    """A flag at each message says the whole mask."""
    return not any(turn.partly_masked for turn in conversation.turns)


@contextmanager
def json_lines(path: Path) -> Iterator[Callable[[Any], None]]:
    """Writes a row per call."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        yield lambda row: (file.write(orjson.dumps(row) + b"\n"), None)[1]
