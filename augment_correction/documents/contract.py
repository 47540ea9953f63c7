"""What every reader is given and may say: limits in, `Document` or `UnreadInput` out, `Unread` to give up a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from augment_correction.records import Document, Heading, content_id


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Bounds that keep one hostile file from taking the memory of all others. Sizes are bytes.

    `file` does not bind JSONL, which is streamed; `line` binds one line of it. `docx_unpacked` and `docx_ratio` are
    checked against a Word file's own table of contents before anything is unpacked. `seconds` is how long
    `stream_chunks` waits for a sign of life before it gives up the file that is being read.
    """

    file: int = 1 << 30
    line: int = 64 << 20
    docx_unpacked: int = 512 << 20
    docx_ratio: int = 200
    seconds: float = 300.0


class Unread(Exception):
    """A reader gives up its whole file. `reason` is a short closed word, `detail` a sentence for a person."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def build_document(
    text: str,
    *,
    source: str,
    media_type: str,
    title: str = "",
    metadata: Mapping[str, Any] | None = None,
    pages: Sequence[int] = (),
    headings: Sequence[Heading] = (),
) -> Document:
    """`text` must already be clean (see `text.clean`), because offsets point into it.

    Raises Unread("empty") where there is nothing but white space.
    """
    if not text or text.isspace():
        raise Unread("empty", "there is no text in it")
    return Document(
        id=content_id(text),
        title=" ".join(title.split()) or PurePosixPath(source.partition("#")[0]).stem,
        text=text,
        source=source,
        media_type=media_type,
        metadata=dict(metadata or {}),
        pages=tuple(pages),
        headings=tuple(headings),
    )
