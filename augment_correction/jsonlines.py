"""Files of JSON values that people hand us, read the way they mean them: one object a line, a list, objects over several
lines, several in one line, comment lines between them; and what Python's `json` writes though it is no JSON (NaN, whole
numbers of any size, half characters)."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Literal

import orjson

from augment_correction.errors import InputError
from augment_correction.json_text import SourceText, Splitter
from augment_correction.text import LOST, NotText, clean, decode, mend

_PIECE = 1 << 20
_HEAD = 64 << 10
LONGEST = 64 << 20
"""Bytes that one value may take."""


@dataclass(frozen=True, slots=True)
class Value:
    """`line` is where it begins, from 1; `nth` counts the values that begin in that line; `item` all of the file.
    `source` is the text that it was read from, which begins in that line, `column` where in it that text begins, and
    `index` which one it is of a list that the text is; -1 where it is all of the text."""

    line: int
    nth: int
    item: int
    value: Any
    source: bytes | str = field(default="", repr=False, compare=False)
    column: int = field(default=1, repr=False, compare=False)
    index: int = field(default=-1, repr=False, compare=False)

    @property
    def place(self) -> str:
        """`12`, or `12.2` for the second one of line 12."""
        return f"{self.line}" if self.nth == 1 else f"{self.line}.{self.nth}"

    def where(self, key: str | None = None) -> tuple[int, int]:
        """(line, column) of a key of the object, or of what begins the value where it has no such key; from 1, in characters."""
        source = _source(self.source)
        begin, keys = source.places(self.index)
        cleaned = {_plain(name): place for name, place in keys.items()}
        line, column = source.line_of(begin if key is None else keys.get(key, cleaned.get(key, begin)))
        return self.line + line, column + (1 if line else self.column)


_source = lru_cache(maxsize=1)(SourceText)  # the rows of one text are refused one after the other


@dataclass(frozen=True, slots=True)
class NoValue:
    """What is no JSON, or too long to be held. `reason` is a short closed word."""

    line: int
    reason: Literal["bad_json", "line_too_long"]
    detail: str


@dataclass
class ReadCounts:
    """What a person should know of the reading, counted as it goes on."""

    encoding: str = "utf-8"
    guessed: bool = False
    replaced: int = 0
    repaired: int = 0
    comments: int = 0
    values: int = 0
    in_list: bool = False
    """Whether the last value is an item of a list."""


def loads(text: str) -> Any:
    """One JSON value; numbers that are no JSON are floats, whole ones beyond 64 bits are texts, half characters are U+FFFD.

    Raises: ValueError that says why it is none.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as failure:
        try:
            return _python(text)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        except ValueError:
            line = f"line {failure.lineno} of it, " if failure.lineno > 1 else ""
            raise ValueError(f"{failure.msg} ({line}column {failure.colno})") from None
    return _python(text) if _MANY_DIGITS.search(text) else value  # which orjson takes for a float


_MANY_DIGITS = re.compile("[0-9]{20}")


def _python(text: str) -> Any:
    return _plain(json.loads(text, strict=False, parse_int=_integer))


def read_values(file: BinaryIO, read: ReadCounts, longest: int = LONGEST) -> Iterator[Value | NoValue]:
    """Every value of the file, or why there is none, in order; never more in memory than one value.

    Raises: NotText where the file is no text.
    """
    splitter = Splitter(longest)
    number = 0
    for number, line in enumerate(_lines(file, read, longest), 1):
        if line is None:
            for found in _given_up(splitter, read):
                read.values += isinstance(found, Value)
                yield found
            yield NoValue(number, "line_too_long", f"longer than the limit of {longest:,} bytes")
            continue
        stripped = line.strip().removeprefix(codecs.BOM_UTF8)
        if not stripped:
            splitter.pass_line()
            continue
        if not splitter.inside and stripped.startswith((b"#", b"//")):
            read.comments += 1
            continue
        for found in _in_line(line, stripped, number, splitter, read):
            read.values += isinstance(found, Value)
            yield found
    for found in _given_up(splitter, read):
        read.values += isinstance(found, Value)
        yield found


def file_values(path: Path, read: ReadCounts | None = None) -> Iterator[Value | NoValue]:
    """Raises: InputError where the file cannot be read or is no text."""
    if not path.exists():
        raise InputError(f"there is no file {path}")
    try:
        with path.open("rb") as file:
            yield from read_values(file, read or ReadCounts())
    except OSError as failure:
        raise InputError(f"{path} cannot be read: {failure.strerror}", hint="check the path") from None
    except NotText as failure:
        raise InputError(f"{path} is not a text file: it {failure}", hint="save it as UTF-8") from None


# ------------------------------------------------------------------------------------------------------ values


def _in_line(
    line: bytes, stripped: bytes, number: int, splitter: Splitter, read: ReadCounts
) -> Iterator[Value | NoValue]:
    """A line that is an object by itself ends what was open before it, where that cannot go on with an object: it was cut
    off. Where it can, the line is a row again as soon as nothing comes of the whole."""
    why = ""
    if not splitter.inside or line.startswith(b"{"):
        try:
            value = loads(_text(stripped, read))
        except ValueError as failure:
            why = str(failure)
        else:
            if not splitter.inside or not splitter.takes_object:
                yield from _given_up(splitter, read)
                yield from _alone(value, number, read, line)
                return
            splitter.doubtful.append((number, value, line))
    in_list, inside = splitter.inside_list or stripped.startswith(b"["), splitter.inside
    try:
        values = [
            (start, loads(text), text, column) for start, text, column in splitter.feed(_layout(line, read), number)
        ]
    except ValueError as failure:
        splitter.start = splitter.start if inside else number
        yield from _given_up(splitter, read, str(failure) if inside else why or str(failure))
        return
    nth, before = 0, 0
    for start, value, text, column in values:
        nth, before = (nth + 1 if start == before else 1), start
        read.in_list = in_list
        yield Value(start, nth, read.values + 1, value, text, column)
    if values:
        splitter.doubtful.clear()


def _alone(value: Any, number: int, read: ReadCounts, line: bytes) -> Iterator[Value]:
    read.in_list = isinstance(value, list) and any(isinstance(each, dict) for each in value)
    for nth, each in enumerate(value if read.in_list else [value], 1):
        yield Value(number, nth, read.values + 1, each, line, 1, nth - 1 if read.in_list else -1)


def _given_up(splitter: Splitter, read: ReadCounts, why: str = "") -> Iterator[Value | NoValue]:
    """What is open comes to nothing; rows that it seemed to hold are rows of their own."""
    if splitter.inside or why:
        what = "cut off: what begins here" if splitter.depth else "the list that begins here"
        yield NoValue(splitter.start, "bad_json", why or f"{what} is not closed")
    doubtful = splitter.doubtful[:]
    splitter.close()
    for number, value, line in doubtful:
        yield from _alone(value, number, read, line)


def _integer(digits: str) -> int | str:
    """Beyond 64 bits as its digits: no output file and no database could hold the number."""
    if len(digits) > 20:
        return digits
    value = int(digits)
    return value if -(1 << 63) <= value < 1 << 64 else digits


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value) if not value.isascii() else value
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {_plain(key): _plain(each) for key, each in value.items()}
    return value


# ------------------------------------------------------------------------------------------------------- lines


def _lines(file: BinaryIO, read: ReadCounts, longest: int) -> Iterator[bytes | None]:
    """Lines as UTF-8, or as near to it as they are (see `_text`); None stands for one that is too long. The file's
    beginning tells its encoding."""
    head = file.read(_HEAD)
    file.seek(0)
    whole = head if len(head) < _HEAD else head[: head.rfind(b"\n") + 1] or head
    if head:
        found = decode(whole)
        read.encoding, read.guessed = found.encoding, found.guessed
    if read.encoding == "utf-8":
        return _utf8_lines(file, longest)
    return _reencoded(file, read, longest)


def _utf8_lines(file: BinaryIO, longest: int) -> Iterator[bytes | None]:
    while line := file.readline(longest + 1):
        if len(line) > longest and not line.endswith(b"\n"):
            while (piece := file.readline(_PIECE)) and not piece.endswith(b"\n"):
                pass
            yield None
        else:
            yield line


def _reencoded(file: BinaryIO, read: ReadCounts, longest: int) -> Iterator[bytes | None]:
    """A line over the limit is let go piece by piece."""
    decoder = codecs.getincrementaldecoder(read.encoding)("replace")
    rest, skipping = "", False
    while piece := file.read(_PIECE):
        text = decoder.decode(piece)
        read.replaced += text.count(LOST)
        *whole, rest = (rest + text.removeprefix("\ufeff")).split("\n")
        for line in whole:
            yield None if skipping or len(line) > longest else line.encode("utf-8", "replace")
            skipping = False
        if len(rest) > longest:
            rest, skipping = "", True
    rest += decoder.decode(b"", final=True)
    if skipping or rest:
        yield None if skipping else rest.encode("utf-8", "replace")


def _layout(line: bytes, read: ReadCounts) -> str:
    """With its indentation and its end, so that what goes over several lines keeps its lines and columns."""
    return _text(line.removeprefix(codecs.BOM_UTF8).rstrip(), read) + "\n"


def _text(line: bytes, read: ReadCounts) -> str:
    """Of a line that is not all UTF-8 the damaged signs are replaced."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        found = mend(line)
        read.replaced += found.replaced
        read.repaired += found.repaired
        return found.text
