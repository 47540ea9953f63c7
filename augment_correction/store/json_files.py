"""JSON in files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson

from augment_correction.store.folder import atomic_write

_INDENTED = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS


def write_json(path: Path, value: Any, *, default: Callable[[Any], Any] | None = None) -> None:
    """Indented, for people to read. `default` turns a value of which JSON has no kind into one that it has."""
    with atomic_write(path) as file:
        file.write(orjson.dumps(value, default, _INDENTED))


def write_lines(path: Path, rows: Iterable[Any], *, default: Callable[[Any], Any] | None = None) -> None:
    """A row on each line; `default` as above."""
    with atomic_write(path) as file:
        for row in rows:
            file.write(orjson.dumps(row, default, orjson.OPT_APPEND_NEWLINE))
