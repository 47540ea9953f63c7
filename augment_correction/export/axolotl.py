"""The dataset itself: rows of Axolotl's `type: input_output`, `{"segments": [{"label", "text"}, ...], "id", "kind",
"origin"}`.

Axolotl tokenises each segment by itself and adds nothing: BOS, headers and end-of-turn stand in the text. It ignores
the other columns; people and reports find, count and filter rows by them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.cutting import fitted_segments
from augment_correction.export.segments import Segment, segments
from augment_correction.export.source import batched
from augment_correction.export.tokenizer import Tokenizer
from augment_correction.records import Conversation
from augment_correction.store.folder import atomic_write


def segments_row(conversation: Conversation, template: ChatTemplate) -> dict[str, Any]:
    """The row as it is for any tokenizer."""
    return _row(conversation, segments(conversation, template))


def _row(conversation: Conversation, parts: Sequence[Segment]) -> dict[str, Any]:
    return {
        "segments": [{"label": part.label, "text": part.text} for part in parts],
        "id": conversation.id,
        "kind": conversation.kind,
        "origin": conversation.provenance.get("origin", ""),
    }


def _rows(
    conversations: Iterable[Conversation], template: ChatTemplate, tokenizer: Tokenizer | None
) -> Iterator[dict[str, Any]]:
    if tokenizer is None:
        yield from (segments_row(conversation, template) for conversation in conversations)
        return
    for batch in batched(conversations, 512):
        fitted = fitted_segments(batch, template, tokenizer)
        yield from (_row(conversation, parts) for conversation, parts in zip(batch, fitted, strict=True))


def write_segments(
    path: Path, conversations: Iterable[Conversation], template: ChatTemplate, tokenizer: Tokenizer | None = None
) -> str:
    """A JSON list, one row a line, cut for the tokenizer where one is known; returns 12 hex digits of its content."""
    digest = hashlib.sha256()
    with atomic_write(path) as file:

        def put(data: bytes) -> None:
            digest.update(data)
            file.write(data)

        put(b"[")
        separator = b"\n"
        for row in _rows(conversations, template, tokenizer):
            put(separator + orjson.dumps(row))
            separator = b",\n"
        put(b"\n]\n")
    return digest.hexdigest()[:12]
