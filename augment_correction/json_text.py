"""Where in a text of several JSON values each begins and ends, and where each of its keys stands."""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

DEEPEST = 500
_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]++|\\.)*+")|(?P<open>[\[{])|(?P<close>[\]}])|(?P<comma>,)|(?P<space>\s+)|(?P<bare>[^\s"\[\]{},]+)'
)


@dataclass
class Splitter:
    """Where a value ends that is not a line. The items of an outermost list are values of their own."""

    longest: int
    start: int = 0
    """The line in which what is open begins."""
    column: int = 1
    """And where in that line."""
    inside_list: bool = False
    doubtful: list[tuple[int, Any, bytes]] = field(default_factory=list)
    """Lines inside of what is open that are objects by themselves."""
    _open: list[str] = field(default_factory=list)
    """The brackets that are not closed yet."""
    _last: str = ""
    """What stood last, white space aside."""
    _parts: list[str] = field(default_factory=list)
    _held: int = 0

    @property
    def inside(self) -> bool:
        return bool(self._open or self.inside_list)

    @property
    def depth(self) -> int:
        return len(self._open)

    @property
    def takes_object(self) -> bool:
        """Whether what is open may go on with an object; where it may not, it was cut off."""
        return not self._open or self._last in ("[", ":") or (self._last == "," and self._open[-1] == "[")

    def close(self) -> None:
        self.inside_list, self._held = False, 0
        self._open.clear()
        self.doubtful.clear()
        self._parts.clear()

    def pass_line(self) -> None:
        """A blank one, which counts where what is open is looked at again."""
        if self.depth:
            self._parts.append("\n")

    def feed(self, line: str, number: int) -> Iterator[tuple[int, str, int]]:
        """(line where it begins, text, column where it begins) of each value that ends here.

        Raises: ValueError where nothing can come of it.
        """
        at = 0
        for token in _TOKEN.finditer(line):
            if token.start() != at:
                break
            at = token.end()
            text, kind = token.group(), token.lastgroup
            if kind != "space":
                self._last = text[-1]
            if self.depth:
                self._parts.append(text)
                if kind == "open":
                    self._open.append(text)
                elif kind == "close":
                    self._open.pop()
                if not self.depth:
                    yield self._taken()
            elif kind == "open" and text == "[" and not self.inside_list:
                self.inside_list, self.start = True, number
            elif kind == "open":
                self.start, self.column, self._open = number, token.start() + 1, [text]
                self._parts.append(text)
            elif kind == "close":
                if text != "]" or not self.inside_list:
                    raise ValueError(f"a {text} without a matching opening bracket")
                self.inside_list = False
            elif kind in ("string", "bare"):
                self.start, self.column = number, token.start() + 1
                self._parts.append(text)
                yield self._taken()
        if at != len(line):
            raise ValueError("cut off inside a text")
        if self.depth > DEEPEST:
            raise ValueError("nested too deeply")
        self._held += len(line)
        if self.depth and self._held > self.longest:
            raise ValueError(f"longer than the limit of {self.longest:,} bytes")

    def _taken(self) -> tuple[int, str, int]:
        text = "".join(self._parts)
        self._parts.clear()
        self._held = 0
        return self.start, text, self.column


class SourceText:
    """A text that JSON was read from, looked at once however many of its rows are refused: a list in one line may have thousands."""

    def __init__(self, source: bytes | str) -> None:
        text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
        self._text = text.removeprefix("\ufeff")
        self._lines = [0, *(found.end() for found in re.finditer("\n", self._text))]

    def places(self, index: int) -> tuple[int, dict[str, int]]:
        """Where the value begins, or the item with that index where the text is a list, and each key of it."""
        if index >= 0 and index >= len(self._items):
            return 0, {}
        return _value(self._text, self._items[index] if index >= 0 else 0)

    def line_of(self, offset: int) -> tuple[int, int]:
        """(its line, column), both from 0."""
        line = bisect_right(self._lines, offset) - 1
        return line, offset - self._lines[line]

    @cached_property
    def _items(self) -> array[int]:
        found, depth = array("q"), 0
        for token in _tokens(self._text):
            if depth == 1 and token.lastgroup in ("open", "string", "bare"):
                found.append(token.start())
            depth += (token.lastgroup == "open") - (token.lastgroup == "close")
        return found


def _value(text: str, start: int) -> tuple[int, dict[str, int]]:
    """Where the value behind that place begins, and where its keys do."""
    depth, begin, last = 0, -1, (0, "")
    keys: dict[str, int] = {}
    for token in _tokens(text, start):
        kind, said = token.lastgroup, token.group()
        if kind == "space":
            continue
        if depth == 0 and kind in ("open", "string", "bare"):
            if begin >= 0:
                break
            begin = token.start()
        elif depth == 1 and said.startswith(":"):
            keys |= _key(*last)
        depth += (kind == "open") - (kind == "close")
        last = token.start(), said
        if depth < 0:
            break
    return max(begin, 0), keys


def _tokens(text: str, start: int = 0) -> Iterator[re.Match[str]]:
    """Up to a string that is never closed: what seems to stand behind its quotation mark is read anew from each other one."""
    at = start
    for token in _TOKEN.finditer(text, start):
        if token.start() != at:
            return
        at = token.end()
        yield token


def _key(place: int, spelled: str) -> dict[str, int]:
    try:
        return {json.loads(spelled, strict=False): place}
    except ValueError:
        return {}


_FAR, _TRIES = 4096, 100


def values_in(
    text: str, begins: re.Pattern[str], decode: Callable[[str, int], tuple[Any, int]], *, too_deep: int = _TRIES
) -> Iterator[tuple[Any, int, int]]:
    """(value, start, end) of each value in a text of other things; behind a place where one could begin and none does the next is tried.

    What is cut off is read to its end once for each of the brackets that are open there, of a hundred at most: where a hundred come to
    nothing at one place, the next is looked for behind it. At the place number `too_deep` that nests too deeply it ends. Python's decoder
    counts the lines up to each of its errors, so that what is done is cut off now and then.
    """
    done, at = 0, 0
    failed, tries = -1, 0
    while found := begins.search(text, at):
        start = found.start()
        if start > _FAR:
            text, done, start = text[start:], done + start, 0
        at = start + 1
        try:
            value, at = decode(text, start)
        except RecursionError:
            too_deep -= 1
            if not too_deep:
                return
        except json.JSONDecodeError as failure:
            tries = tries + 1 if done + failure.pos == failed else 1
            failed = done + failure.pos
            at = max(at, failure.pos) if tries == _TRIES else at
        except ValueError:
            pass
        else:
            yield value, done + start, done + at
