"""Reader of .jsonl: one document a line, streamed, so that a file of any size needs the memory of its longest line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from augment_correction.documents.contract import ReadLimits, Unread
from augment_correction.documents.rows import Row, documents_of_rows
from augment_correction.records import Document, ReadNote, UnreadInput
from augment_correction.text import byte_order_mark

_PIECE = 1 << 20


MEDIA_TYPE = "application/x-ndjson"


def read_jsonl(path: Path, source: str, limits: ReadLimits) -> Iterator[Document | UnreadInput | ReadNote]:
    """`source` gets `#L12` for line 12; `documents_of_rows` says where the text is."""
    rows = _rows(path, source, limits)
    return documents_of_rows(rows, source=source, media_type=MEDIA_TYPE, text_key=limits.text_key)


def _rows(path: Path, source: str, limits: ReadLimits) -> Iterator[Row | UnreadInput]:
    with path.open("rb") as file:
        mark = byte_order_mark(file.read(4))
        file.seek(mark[1] if mark else 0)
        wide = mark and mark[0] != "utf-8"
        lines = _reencoded(file, mark[0], limits) if mark and wide else _lines(file, limits)
        seen = 0
        for number, line in enumerate(lines, 1):
            place = f"{source}#L{number}"
            if line is None:
                yield UnreadInput(place, "line_too_long", f"longer than the limit of {limits.line:,} bytes")
            elif line.strip():
                yield _row(line, place)
            else:
                continue
            seen += 1
        if not seen:
            raise Unread("empty", "there is no line in it")


def _row(line: bytes, place: str) -> Row | UnreadInput:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return UnreadInput(place, "bad_json", str(error))
    if not isinstance(fields, dict):
        return UnreadInput(place, "bad_json", f"a JSON object is wanted, this is a {type(fields).__name__}")
    return Row(place, fields)


def _lines(file: BinaryIO, limits: ReadLimits) -> Iterator[bytes | None]:
    """Lines without more than `limits.line` bytes ever held; None stands for a longer one."""
    while line := file.readline(limits.line + 1):
        if len(line) > limits.line and not line.endswith(b"\n"):
            while (piece := file.readline(_PIECE)) and not piece.endswith(b"\n"):
                pass
            yield None
        else:
            yield line


def _reencoded(file: BinaryIO, encoding: str, limits: ReadLimits) -> Iterator[bytes | None]:
    """UTF-16 and UTF-32 lines as UTF-8. A line over the limit is let go piece by piece."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    rest, skipping = "", False
    while piece := file.read(_PIECE):
        *whole, rest = (rest + decoder.decode(piece)).split("\n")
        for line in whole:
            yield None if skipping or len(line) > limits.line else line.encode()
            skipping = False
        if len(rest) > limits.line:
            rest, skipping = "", True
    if skipping or rest:
        yield None if skipping else rest.encode()
