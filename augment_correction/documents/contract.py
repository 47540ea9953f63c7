"""What every reader is given and may say: limits in, `Document`, `UnreadInput`, `ReadNote` or `Working` out, `Unread` to give up a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

from augment_correction.documents.formats import file_and_place
from augment_correction.documents.headings import plain_headings
from augment_correction.records import Document, Heading, content_id
from augment_correction.text import normalised


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Bounds that keep one hostile file from taking the memory of all others. Sizes are bytes.

    `file` does not bind JSONL, which is streamed; `line` binds one line of it. `unpacked` and `ratio` are checked against
    a zip's own table of contents before anything is unpacked, and `ratio` while a .gz is. `seconds` is how long
    `stream_chunks` waits for a sign of life before it gives up the file that is being read. `text_key` is no bound but
    the one thing that a user says about what is in the files: the columns that may hold a row's text.
    """

    file: int = 1 << 30
    line: int = 64 << 20
    unpacked: int = 512 << 20
    ratio: int = 200
    seconds: float = 300.0
    text_key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Working:
    """A sign of life, said by a reader before each piece of slow work, so that a file that takes hours is not taken for
    one that hangs."""

    source: str
    what: str


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
    """`text` must already be clean (see `text.clean`), because offsets point into it. A letter and its accent become one
    letter (Unicode NFC) here, for every format, and the offsets of pages and headings move along. Where the format marks no
    headings, those that the text shows are taken.

    Raises Unread("empty") where there is nothing but white space.
    """
    if not text or text.isspace():
        raise Unread("empty", "the file contains no text")
    if not unicodedata.is_normalized("NFC", text):
        text, moved = _composed(text, [*pages, *(heading.start for heading in headings)])
        pages = [moved[page] for page in pages]
        headings = [
            Heading(moved[heading.start], heading.level, normalised("NFC", heading.title)) for heading in headings
        ]
    title = normalised("NFC", title)
    return Document(
        id=content_id(text),
        title=" ".join(title.split()) or _stem(source),
        text=text,
        source=source,
        media_type=media_type,
        metadata=dict(metadata or {}),
        pages=tuple(pages),
        headings=tuple(headings or plain_headings(text)),
    )


def _stem(source: str) -> str:
    name = PurePosixPath(file_and_place(source)[0])
    return PurePosixPath(name.stem).stem if name.suffix.lower() == ".gz" else name.stem


def _composed(text: str, offsets: Iterable[int]) -> tuple[str, dict[int, int]]:
    """The text in NFC, and where each offset lies in it. Each piece between two offsets is composed by itself, so that
    an accent at the beginning of a page never joins a letter of the page before and every offset stays exact."""
    cuts = sorted({0, len(text), *offsets})
    parts: list[str] = []
    moved, length = {0: 0}, 0
    for start, end in pairwise(cuts):
        parts.append(normalised("NFC", text[start:end]))
        length += len(parts[-1])
        moved[end] = length
    return "".join(parts), moved
