"""A file of rows: each is read, or refused by one error that says where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from augment_correction.errors import InputError
from augment_correction.jsonlines import NoValue, ReadCounts, Value, file_values
from augment_correction.rows.names import RowError

T = TypeVar("T")
Reader = Callable[[Mapping[str, Any], str], T]
"""Of a row and its place; raises RowError."""
_KINDS = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}


def read_rows(path: Path, of: Reader[T]) -> Iterator[tuple[str, T]]:
    """(place, what `of` makes of the row); the place is `file:line`, or `file:item` in a list.

    Raises: RowError at the first row that cannot be used, InputError where the file cannot be read.
    """
    for place, _, found in _rows(path, of):
        if isinstance(found, RowError):
            raise found
        yield place, found


def each_row(path: Path, of: Reader[T]) -> Iterator[tuple[int, T | RowError]]:
    """(line, or number of the item in a list; what `of` makes of the row, or why it cannot be used).

    Raises: InputError where the file cannot be read or is empty.
    """
    any_found = False
    for _, number, found in _rows(path, of):
        any_found = True
        yield number, found
    if not any_found:
        raise InputError(f"{path} is empty", hint="write one JSON object per line (.jsonl)")


def _rows(path: Path, of: Reader[T]) -> Iterator[tuple[str, int, T | RowError]]:
    read = ReadCounts()
    for found in file_values(path, read):
        number = found.item if isinstance(found, Value) and read.in_list else found.line
        place = f"{path}:{number}"
        try:
            yield place, number, of(_object(found, place), place)
        except RowError as refused:
            where = found.where(refused.key) if isinstance(found, Value) else (found.line, 0)
            yield place, number, refused.found_at(place, str(path), *where)


def _object(found: Value | NoValue, place: str) -> Mapping[str, Any]:
    remedy = "write one JSON object per line (.jsonl), or a list of them (.json)"
    if isinstance(found, NoValue):
        raise RowError(place, f"is not valid JSON: {found.detail}", remedy, reason="not_json")
    if not isinstance(found.value, dict):
        kind = _KINDS.get(type(found.value), "null")
        raise RowError(place, f"is {kind} instead of a JSON object", remedy, reason="not_an_object")
    return found.value
