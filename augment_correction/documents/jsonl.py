"""Reader of .jsonl and .json: one document a row, streamed, so that a file of any size needs the memory of its longest
row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from augment_correction.documents.contract import ReadLimits, Unread
from augment_correction.documents.rows import TableRow, documents_of_rows
from augment_correction.documents.text import decoding_notes
from augment_correction.jsonlines import NoValue, ReadCounts, read_values
from augment_correction.records import Document, ReadNote, UnreadInput
from augment_correction.text import Decoded, NotText

_KINDS = {str: "a text", int: "a number", float: "a number", bool: "true or false", list: "a list"}
MEDIA_TYPE = "application/x-ndjson"


def read_jsonl(path: Path, source: str, limits: ReadLimits) -> Iterator[Document | UnreadInput | ReadNote]:
    """`source` gets `#L12` for line 12, `#L12.2` for the second object in it; `documents_of_rows` says where the text is."""
    rows = _rows(path, source, limits)
    return documents_of_rows(rows, source=source, media_type=MEDIA_TYPE, text_key=limits.text_key)


def _rows(path: Path, source: str, limits: ReadLimits) -> Iterator[TableRow | UnreadInput | ReadNote]:
    read, seen = ReadCounts(), 0
    try:
        with path.open("rb") as file:
            for found in read_values(file, read, limits.line):
                seen += 1
                if isinstance(found, NoValue):
                    yield UnreadInput(f"{source}#L{found.line}", found.reason, found.detail)
                elif isinstance(found.value, dict):
                    yield TableRow(f"{source}#L{found.place}", found.value)
                else:
                    kind = _KINDS.get(type(found.value), "none")
                    detail = f'a JSON object such as {{"text": "..."}} is wanted, this is {kind}'
                    yield UnreadInput(f"{source}#L{found.place}", "bad_json", detail)
    except NotText as failure:
        raise Unread("binary", str(failure)) from None
    if not seen:
        raise Unread("empty", "the file has no line")
    yield from decoding_notes(Decoded("", read.encoding, read.guessed, read.replaced, read.repaired), source)
    if read.comments:
        yield ReadNote(source, "comments", "comment lines passed by", read.comments)
