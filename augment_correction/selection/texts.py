"""The texts of benchmark files, each with the place it stands at."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from itertools import groupby
from pathlib import Path
from typing import IO, Any

import orjson

from augment_correction.errors import ConfigError
from augment_correction.text import decode

Text = tuple[str, str]
"""(place, text)"""


def read_texts(path: Path) -> Iterator[Text]:
    """Every text of the file that is not blank: strings in JSON at any depth, cells, and in .txt lines as well as the
    paragraphs that they make up.

    Raises: ConfigError where it cannot be read.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(
            f"'{path.suffix}' cannot be read as a benchmark", file=path, hint=f"known: {', '.join(READERS)}"
        )
    place = ""
    try:
        for place, text in reader(StringIO(decode(path.read_bytes()).text, newline="")):
            if text.strip():
                yield place, text
    except OSError as failure:
        raise ConfigError(f"the benchmark cannot be read: {failure.strerror or failure}", file=path) from None
    except (ValueError, csv.Error) as failure:
        raise ConfigError(
            f"the benchmark cannot be read after '{place or 'its start'}': {failure}", file=path
        ) from None


def _jsonl(file: IO[str]) -> Iterator[Text]:
    for number, line in enumerate(file, 1):
        if line.strip():
            yield from _strings(orjson.loads(line), f"line {number}")


def _json(file: IO[str]) -> Iterator[Text]:
    yield from _strings(orjson.loads(file.read()), "")


def _strings(value: Any, place: str) -> Iterator[Text]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _strings(child, f"{place} {key}".strip())
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _strings(child, f"{place}[{index}]")


def _txt(file: IO[str]) -> Iterator[Text]:
    numbered = enumerate((line.strip() for line in file), 1)
    for blank, lines in groupby(numbered, key=lambda line: not line[1]):
        if blank:
            continue
        paragraph = list(lines)
        yield from ((f"line {number}", line) for number, line in paragraph)
        if len(paragraph) > 1:
            yield f"lines {paragraph[0][0]} to {paragraph[-1][0]}", " ".join(line for _, line in paragraph)


def _csv(file: IO[str]) -> Iterator[Text]:
    rows = csv.reader(file)
    for row in rows:
        yield from ((f"line {rows.line_num}", cell) for cell in row)


READERS: Mapping[str, Callable[[IO[str]], Iterator[Text]]] = {
    ".jsonl": _jsonl,
    ".json": _json,
    ".txt": _txt,
    ".csv": _csv,
}
