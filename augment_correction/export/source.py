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
    """`conversations` can be called again for another pass; `manifest` is `run.json`, `documents` and `tokens` are
    what the run read and what each model was asked (for a dataset card)."""

    conversations: Callable[[], Iterator[Conversation]]
    template: ChatTemplate
    tokenizer: Tokenizer | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)
    documents: tuple[Mapping[str, Any], ...] = ()
    tokens: tuple[Mapping[str, Any], ...] = ()

    def batches(self, size: int = 512) -> Iterator[list[Conversation]]:
        return batched(self.conversations(), size)


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """As `itertools.batched` of Python 3.12."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def write_rows(
    path: Path,
    conversations: Iterable[Conversation],
    row: Callable[[Conversation], Any],
    sayable: Callable[[Conversation], bool],
    why: str,
) -> tuple[int, list[str]]:
    """A JSON line for each conversation whose mask the spelling can say; returns how many, and a notice that counts the
    others. `why` goes on about a mask inside an answer: "which ...".

    Raises: InputError where it can say none of them.
    """
    rows = left_out = 0
    with json_lines(path) as put:
        for conversation in conversations:
            if sayable(conversation):
                put(row(conversation))
                rows += 1
            else:
                left_out += 1
    if not rows:
        raise InputError(
            f"all {left_out:,} conversations mask part of an answer, which {why}",
            hint="these say it: axolotl, hf, and trl with a tokenizer",
        )
    total = rows + left_out
    notice = f"{left_out:,} of {total:,} conversations mask part of an answer, which {why}: they are left out"
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
