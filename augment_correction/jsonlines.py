"""Files whose every row must be a JSON object: what people hand us, and what we hand on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import InputError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""What some editors put before UTF-8; it is no part of the JSON."""


def json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file:line, row) of JSON lines, whose empty ones are passed by; (file:item, row) where a `.json` file is one list.

    Raises: InputError where the file is not there, or a row is no JSON object.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    for number, value in _values(path, path.read_bytes().removeprefix(BYTE_ORDER_MARK)):
        if not isinstance(value, dict):
            raise InputError(f"{path}:{number} is no JSON object")
        yield f"{path}:{number}", value


def _values(path: Path, data: bytes) -> Iterator[tuple[int, Any]]:
    if path.suffix == ".json":
        try:
            whole = orjson.loads(data)
        except orjson.JSONDecodeError:
            pass  # lines under another name, or a list that is cut off, of which the first line then tells
        else:
            yield from enumerate(whole if isinstance(whole, list) else [whole], 1)
            return
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, orjson.loads(line)
        except orjson.JSONDecodeError as failure:
            raise InputError(f"{path}:{number} is no JSON: {failure}") from None
