"""Readers of tables that hold one document a row: .csv, .tsv and .parquet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from augment_correction.documents.contract import ReadLimits, Unread
from augment_correction.documents.rows import TableRow, documents_of_rows
from augment_correction.documents.text import decode, decoding_notes
from augment_correction.errors import installing
from augment_correction.records import Document, ReadNote, UnreadInput

_DELIMITERS = ",;\t|"
_SEPARATOR = re.compile(r"sep=([,;\t|])\n")  # Excel's own line above the names of the columns
_END = "\0"  # a row of its own behind all others; in a text that `clean` has seen there is none
_ROWS_AT_ONCE = 64  # one long text that stands in every row takes few bytes in the file and many when it is read


def read_csv(path: Path, source: str, limits: ReadLimits) -> Iterator[Document | UnreadInput | ReadNote]:
    """The first line names the columns. `source` gets `#L12` for the row that begins in line 12."""
    decoded = decode(path.read_bytes())
    yield from decoding_notes(decoded, source)
    rows = _csv_rows(decoded.text, source, limits)
    yield from documents_of_rows(rows, source=source, media_type="text/csv", text_key=limits.text_key)


def _csv_rows(text: str, source: str, limits: ReadLimits) -> Iterator[TableRow | UnreadInput]:
    csv.field_size_limit(limits.line)
    said = _SEPARATOR.match(text)
    delimiter = said[1] if said else _delimiter(text)
    reader = csv.reader(io.StringIO(f"{text}\n{_END}\n", newline=""), delimiter=delimiter)
    seen, line = 0, 1
    try:
        filled = filter(None, reader)
        if said:
            next(filled)
        columns = [name.strip() for name in next(filled)]
        while True:
            line = reader.line_num + 1
            values = next(reader, [_END])
            if values == [_END]:
                break
            if values and _END in values[-1]:
                detail = (
                    "a quote begins a text in this row and none ends it: put the whole text in quotes and "
                    "write each quote in it twice; nothing from this line on was read"
                )
                yield UnreadInput(f"{source}#L{line}", "bad_csv", detail)
                return
            if values:
                yield _csv_row(columns, values, f"{source}#L{line}")
                seen += 1
    except csv.Error as error:
        yield UnreadInput(f"{source}#L{line}", "bad_csv", f"{error}; nothing behind this line was read")
        return
    if not seen:
        raise Unread("empty", "there is no row below the names of the columns")


def _csv_row(columns: Sequence[str], values: list[str], place: str) -> TableRow | UnreadInput:
    filled = values[: len(values) - len(list(takewhile(lambda value: not value, reversed(values))))]
    if len(filled) > len(columns):
        detail = (
            f"{len(filled)} values, and the first line of the file names {len(columns)}: "
            "a text that holds the delimiter needs quotes, and no line may stand above the names"
        )
        return UnreadInput(place, "bad_csv", detail)
    return TableRow(place, dict(zip(columns, values, strict=False)))


def _delimiter(text: str) -> str:
    """The sign that makes the most columns of the first line."""
    first = text.lstrip("\n").partition("\n")[0]
    return max(_DELIMITERS, key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))


def read_parquet(path: Path, source: str, limits: ReadLimits) -> Iterator[Document | UnreadInput | ReadNote]:
    """`source` gets `#R12` for row 12. Raises Unread("missing_extra") without pyarrow."""
    rows = _parquet_rows(path, source, limits)
    return documents_of_rows(rows, source=source, media_type="application/vnd.apache.parquet", text_key=limits.text_key)


def _parquet_rows(path: Path, source: str, limits: ReadLimits) -> Iterator[TableRow]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise Unread("missing_extra", f"Parquet needs pyarrow: {installing('parquet')}") from error
    try:
        with ParquetFile(path) as file:
            about = file.metadata
            if not about.num_rows:
                raise Unread("empty", "the file has no row")
            largest = max(about.row_group(number).total_byte_size for number in range(about.num_row_groups))
            if largest > limits.unpacked:
                raise Unread("too_large", f"a group of rows has {largest:,} bytes unpacked")
            number = 0
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, use_threads=False):
                for fields in batch.to_pylist():
                    number += 1
                    yield TableRow(f"{source}#R{number}", {name: _plain(value) for name, value in fields.items()})
    except ArrowException as error:
        raise Unread("unreadable", f"not a Parquet file, or a damaged one: {error}"[:300]) from error


def _plain(value: Any) -> Any:
    """A value as JSON could hold it: dates and decimals as text, and so are bytes, of which old writers made their
    strings; those of a picture are only counted."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return f"{len(value)} bytes"
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value)
