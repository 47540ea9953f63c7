"""What every spelling is made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import orjson

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


@contextmanager
def json_lines(path: Path) -> Iterator[Callable[[Any], None]]:
    """Writes a row per call."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        yield lambda row: (file.write(orjson.dumps(row) + b"\n"), None)[1]
