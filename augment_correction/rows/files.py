"""A file of rows: each is read, or refused by one error that says where it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from augment_correction.errors import InputError
from augment_correction.jsonlines import NoValue, ReadCounts, Value, file_values
from augment_correction.rows.formats import RowFormat, any_registered, format_of, named_by, recognising
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


def each_row(path: Path, of: Reader[T], passed_over: Counter[str] | None = None) -> Iterator[tuple[int, T | RowError]]:
    """(line, or number of the item in a list; what `of` makes of the row, or why it cannot be used). `passed_over` counts the
    objects that registered formats pass over, by the format's name.

    Raises: InputError where the file cannot be read or is empty.
    """
    any_found = False
    for _, number, found in _rows(path, of, passed_over):
        any_found = True
        yield number, found
    if not any_found:
        raise InputError(f"{path} is empty", hint="write one JSON object per line (.jsonl)")


def in_known_kinds(path: Path) -> Iterator[Mapping[str, Any]] | None:
    """Every usable row as registered formats make it, for programs that know nothing of them; None where the file holds no object of one.

    Raises: InputError where the file cannot be read.
    """
    if not any_registered():
        return None
    objects = ((found.value, f"{path}:{found.line}") for found in file_values(path) if isinstance(found, Value))
    if not any(isinstance(row, dict) and format_of(row, place, path) for row, place in objects):
        return None
    return (row for _, row in each_row(path, lambda row, _: row) if not isinstance(row, RowError))


def _rows(path: Path, of: Reader[T], counted: Counter[str] | None = None) -> Iterator[tuple[str, int, T | RowError]]:
    """Raises: InputError where the file cannot be read, or holds nothing but what registered formats pass over; PluginFailure where one
    of them has a bug."""
    read, some = ReadCounts(), False
    passed_over: dict[RowFormat, None] = {}
    named = named_by(path)
    for found in file_values(path, read):
        number = found.item if isinstance(found, Value) and read.in_list else found.line
        place = f"{path}:{number}"
        form: RowFormat | None = None
        try:
            given = _object(found, place)
            form = named or recognising(given, place, path)
            row = form.row_of(given, place) if form else given
            if form and row is None:
                passed_over[form] = None
                if counted is not None:
                    counted[form.name] += 1
                continue
            some = True
            yield place, number, of(row or {}, place)
        except RowError as refused:
            some = True
            where = found.where(refused.key if form is None else None) if isinstance(found, Value) else (found.line, 0)
            refused = refused.read_by(form) if form else refused
            yield place, number, refused.found_at(place, str(path), *where)
    if passed_over and not some:
        told = " and the ".join(map(str, passed_over))
        raise InputError(f"{path} holds no rows: all of its objects are passed over by the {told}")


def _object(found: Value | NoValue, place: str) -> Mapping[str, Any]:
    remedy = "write one JSON object per line (.jsonl), or a list of them (.json)"
    if isinstance(found, NoValue):
        raise RowError(place, f"is not valid JSON: {found.detail}", remedy, reason="not_json")
    if not isinstance(found.value, dict):
        kind = _KINDS.get(type(found.value), "null")
        raise RowError(place, f"is {kind} instead of a JSON object", remedy, reason="not_an_object")
    return found.value
