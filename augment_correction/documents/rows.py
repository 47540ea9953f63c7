"""Rows of a table to documents: which column holds the text. One mechanism for every format that has rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from augment_correction.documents.contract import Unread, build_document
from augment_correction.documents.text import clean
from augment_correction.records import Document, ReadNote, UnreadInput

TEXT = "text"
USUAL_NAMES = (
    TEXT, "content", "body", "passage", "document", "article", "page_content", "raw_content", "markdown", "contents"
)  # fmt: skip
"""What datasets call their text, in any case; the first that every row has is taken where none has "text"."""
_KINDS = {int: "a number", float: "a number", bool: "true or false", list: "a list", dict: "an object"}
_SAMPLE_ROWS, _SAMPLE_CHARACTERS = 1000, 4 << 20


@dataclass(frozen=True, slots=True)
class TableRow:
    """`place` is the file's source with what tells rows apart behind a `#`: `a.jsonl#L12`, `b.csv#L3`, `c.parquet#R7`."""

    place: str
    fields: Mapping[str, Any]


def documents_of_rows(
    rows: Iterable[TableRow | UnreadInput | ReadNote], *, source: str, media_type: str, text_key: Sequence[str] = ()
) -> Iterator[Document | UnreadInput | ReadNote]:
    """A document for each row that has a text; the other columns become its metadata. What is no Row passes through.

    The text stands in the first of `text_key` that a row has. Where none is given, the first rows of the file decide:
    "text" where any of them has it, else the first of `USUAL_NAMES` that every one has, which is said.
    """
    if text_key:
        for row in rows:
            yield _document(row, text_key, media_type) if isinstance(row, TableRow) else row
        return
    rest = iter(rows)
    sample = list(_sample(rest))
    found = text_column([row.fields for row in sample if isinstance(row, TableRow)])
    if found != TEXT:
        yield ReadNote(source, "text_key", f'the text is read from "{found}" (path.text_key names another column)')
    for row in chain(sample, rest):
        yield _document(row, (found,), media_type) if isinstance(row, TableRow) else row


def text_column(sample: Sequence[Mapping[str, Any]]) -> str:
    """The column that holds the text, by a file's first rows; "text" where none can be told."""
    if not sample or any(isinstance(fields.get(TEXT), str) for fields in sample):
        return TEXT
    in_all = set.intersection(*({*fields} for fields in sample))
    usual = {name.lower(): name for name in sorted(in_all, reverse=True)}
    for name in USUAL_NAMES:
        column = usual.get(name)
        if column is not None and any(_is_text(fields[column]) for fields in sample):
            return column
    return TEXT


def _sample(rows: Iterator[TableRow | UnreadInput | ReadNote]) -> Iterator[TableRow | UnreadInput | ReadNote]:
    """As many as are wanted to see which columns there are; one is enough where it has a "text"."""
    characters = seen = 0
    for row in rows:
        yield row
        if not isinstance(row, TableRow):
            continue
        seen += 1
        characters += sum(len(value) for value in row.fields.values() if isinstance(value, str))
        if isinstance(row.fields.get(TEXT), str) or seen == _SAMPLE_ROWS or characters > _SAMPLE_CHARACTERS:
            return


def _document(row: TableRow, keys: Sequence[str], media_type: str) -> Document | UnreadInput:
    fields = dict(row.fields)
    key = next((name for name in keys if name in fields), None)
    if key is None:
        return UnreadInput(row.place, "no_text", f"no {_listed(keys, ' or ')}; {_has(fields)}")
    text = fields.pop(key)
    if not isinstance(text, str):
        if text is None or (isinstance(text, float) and math.isnan(text)):  # a table's empty cell
            return UnreadInput(row.place, "no_text", f'"{key}" is empty')
        return UnreadInput(
            row.place, "no_text", f'"{key}" holds {_KINDS.get(type(text), type(text).__name__)} and not a text'
        )
    title = fields.get("title")
    try:
        return build_document(
            clean(text),
            source=row.place,
            media_type=media_type,
            title=title if isinstance(title, str) else "",
            metadata=fields,
        )
    except Unread as unread:
        return UnreadInput(row.place, unread.reason, unread.detail)


def _has(fields: Mapping[str, Any]) -> str:
    if not fields:
        return "it has no column at all"
    has = f"it has {_listed(sorted(fields)[:8], ', ')}"
    if not any(isinstance(value, str) for value in fields.values()):
        return f'{has}, and none of them holds a text: write rows such as {{"text": "..."}}'
    return f"{has}: set path.text_key to the one that holds the text"


def _listed(names: Iterable[str], between: str) -> str:
    return between.join(f'"{name[:60]}"' for name in names)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
