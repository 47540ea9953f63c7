"""JSON lines whose every line must be an object: what people hand us, and what we hand on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import InputError


def json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file:line, row); empty lines are passed by.

    Raises: InputError where the file is not there, or a line is no JSON object.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as failure:
            raise InputError(f"{place} is no JSON: {failure}") from None
        if not isinstance(row, dict):
            raise InputError(f"{place} is no JSON object")
        yield place, row
