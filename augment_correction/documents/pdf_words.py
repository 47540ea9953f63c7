"""From the characters of a page to pieces of lines: words apart, accents on their letters, turned text upright.

PDFium says which characters follow each other. Where a word ends it guesses too late in condensed type (3 % of the words
of a groff manual were glued), and it prints all columns of a row as one line. The boxes of the characters decide both.
Each box costs a call, more than all else here, so that mostly only the first and the last of a word are asked for.
"""

from __future__ import annotations

import math
import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

Boxes = Callable[
    [Sequence[int]], "array[float]"
]  # of characters: left, top, right, bottom of the first, of the second ...

WORD_GAP = 0.1  # of the height of a character: poppler's value for a new word
_KERNED = 0.03  # two letters nearer than this are one word, even where a space was drawn between them (by groff)
COLUMN_GAP = 0.7  # what is further apart may be another column or cell; layout decides
BROKEN_HYPHENS = "\ufffe\x02"
_FAR_BACK = -3.0  # of the height: the next character begins a line that PDFium did not break
_WORD = re.compile(
    r"\.(?: \.){3,}|[^\s\ufffe\x02]+[\ufffe\x02]?|[\ufffe\x02]"
)  # leaders are one: a contents page has 2,000
_CHARACTER = re.compile(r"\S")
_GONE = "\0"  # stands for an accent that is part of its letter now, so that all others keep their index
_NOTHING = (
    "\x1f"  # the same for what stood elsewhere in the text: white space to every pattern here, so that it has no box
)
_ACCENTS = dict(
    zip("´`¨ˆ˜¸˚ˇ˘¯˙˝", "\u0301\u0300\u0308\u0302\u0303\u0327\u030a\u030c\u0306\u0304\u0307\u030b", strict=True)
)
_ACCENT_THEN_LETTER = re.compile("[´`¨ˆ˜¸˚ˇ˘¯˙˝](?=[A-Za-zı])")
_LETTER_THEN_ACCENT = re.compile("(?<=[A-Za-zı])[´`¨ˆ˜¸˚ˇ˘¯˙˝]")
_ACCENT_ALONE = re.compile(r"(?<!\S)[´`¨ˆ˜¸˚ˇ˘¯˙˝](?!\S)")
_MOST_ALONE = 50  # of them on a page are looked at
_CAPITAL = re.compile("[A-Z]")
_SIDES = ((0, 1, 2, 3), (3, 0, 1, 2), (2, 3, 0, 1), (1, 2, 3, 0))  # by quarter turns, of left, top, right, bottom
_SIGNS = ((1, 1, 1, 1), (1, -1, 1, -1), (-1, -1, -1, -1), (-1, 1, -1, 1))


@dataclass(slots=True)
class Line:
    """A line or a piece of one. `x`, `right`, `y` and `size` in points, y growing upward; `bottom` is the lowest y of the
    pieces that it was joined from. All are 0 where positions are not known. `pitch` is the width of every
    character where they are equally wide, else 0. `turned` counts quarter turns."""

    text: str
    x: float = 0.0
    y: float = 0.0
    size: float = 0.0
    bottom: float = 0.0
    right: float = 0.0
    pitch: float = 0.0
    turned: int = 0


@dataclass(slots=True)
class Spans:
    """The words of a page, or its single characters where it is read closely: index of the first and the last character
    of each, and the sides of its box in points, on a page turned so that its text runs from left to right."""

    starts: list[int]
    ends: list[int]
    left: list[float]
    top: list[float]
    right: list[float]
    bottom: list[float]
    wide: list[int]  # those that stand away from the one before; few, so that most lines are not looked at one by one


class SpanLayout:
    """The spans of a page's text, measured once, for each direction of its lines."""

    def __init__(self, text: str, boxes: Boxes, close: bool) -> None:
        places = [match.span() for match in (_CHARACTER if close else _WORD).finditer(text)]
        self.starts = [start for start, _ in places]
        self._ends = [end - 1 for _, end in places]
        self._first = boxes(self.starts)
        self._last = self._first if close else boxes(self._ends)
        self._close = close
        self._gap = WORD_GAP if close else COLUMN_GAP
        self._turns: dict[int, Spans] = {}

    def turned(self, quarters: int) -> Spans:
        if quarters not in self._turns:
            sources = (self._first, self._first, self._last, self._first)
            left, top, right, bottom = (
                (source[side::4] if sign > 0 else array("f", [-value for value in source[side::4]])).tolist()
                for source, side, sign in zip(sources, _SIDES[quarters], _SIGNS[quarters], strict=True)
            )
            least = 0.5 if self._close else 2.0  # points: what is nearer is not looked at again
            steps = [x - end for x, end in zip(left[1:], right, strict=False)]
            wide = [
                at
                for at, step in enumerate(steps, 1)
                if not 0 <= step < least
                and (
                    not _FAR_BACK * (top[at] - bottom[at]) < step < self._gap * (top[at] - bottom[at])
                    or top[at] < bottom[at - 1]
                    or top[at - 1] < bottom[at]
                )
            ]
            if self._close:
                wide = sorted({*wide, *self._kerned(steps, top, bottom)})
            self._turns[quarters] = Spans(self.starts, self._ends, left, top, right, bottom, wide)
        return self._turns[quarters]

    def _kerned(self, steps: Sequence[float], top: Sequence[float], bottom: Sequence[float]) -> list[int]:
        """Characters that a space parts from a neighbour they nearly touch; none where that is so of most spaces, for
        then the font's widths are wrong."""
        parted = [at for at, step in enumerate(steps, 1) if self.starts[at] - self._ends[at - 1] == 2]
        near = [at for at in parted if _is_kerned(steps[at - 1], top[at] - bottom[at])]
        return near if len(near) < 0.05 * len(parted) else []


def quarters(angle: float) -> int:
    """Quarter turns against the clock; PDFium counts radians clockwise."""
    return round(-angle / (math.pi / 2)) % 4


def compose_accents(text: str, boxes: Boxes) -> str:
    """An accent that TeX printed over a letter is one letter with it; as many characters as before (see `plain`)."""
    if text.isascii() and "`" not in text:
        return text
    characters: list[str] = []
    for pattern, step in ((_ACCENT_THEN_LETTER, 1), (_LETTER_THEN_ACCENT, -1)):
        for match in pattern.finditer(text):
            accent, letter = match.start(), match.start() + step
            base = "i" if text[letter] == "ı" else text[letter]
            composed = unicodedata.normalize("NFC", base + _ACCENTS[text[accent]])
            characters = characters or list(text)
            if len(composed) == 1 and characters[letter] != _GONE and _over(boxes([accent, letter])):
                characters[letter], characters[accent] = composed, _GONE
    alone = [match.start() for match in islice(_ACCENT_ALONE.finditer(text), _MOST_ALONE)]
    if alone:
        characters = characters or list(text)
        _set_on_capitals(alone, characters, boxes)
    return "".join(characters) or text


def _set_on_capitals(accents: Sequence[int], characters: list[str], boxes: Boxes) -> None:
    """An accent stands higher over a capital, and PDFium takes it for a word of its own, of the line above or below."""
    capitals = [at for at, character in enumerate(characters) if _CAPITAL.match(character)]
    places = list(zip(capitals, _by_character(boxes(capitals)), strict=True))
    for accent, (left, top, right, bottom) in zip(accents, _by_character(boxes(accents)), strict=True):
        for at, (start, _, end, base) in places:
            composed = unicodedata.normalize("NFC", characters[at] + _ACCENTS[characters[accent]])
            over = start < (left + right) / 2 < end and 0 < bottom - base < 0.5 * (top - bottom)
            if over and len(composed) == 1:
                characters[at] = composed
                _take_out(accent, characters, boxes)
                break


def _take_out(accent: int, characters: list[str], boxes: Boxes) -> None:
    """With the spaces that PDFium put around it: none is left inside a word."""
    characters[accent] = _NOTHING
    if re.fullmatch(rf"\w {_NOTHING} \w", "".join(characters[max(0, accent - 2) : accent + 3])):
        (_, top, end, bottom), (start, *_) = _by_character(boxes([accent - 2, accent + 2]))
        inside = start - end < WORD_GAP * (top - bottom)
        characters[accent - 1 : accent + 2] = _NOTHING, _NOTHING, _NOTHING if inside else " "


def _by_character(sides: Sequence[float]) -> list[Sequence[float]]:
    return [sides[at : at + 4] for at in range(0, len(sides), 4)]


def _over(boxes: Sequence[float]) -> bool:
    """Whether at least half of the first box stands above or under the second."""
    left, _, right, _, other_left, _, other_right, _ = boxes
    return min(right, other_right) - max(left, other_left) >= 0.5 * (right - left)


def plain(text: str) -> str:
    if _GONE in text or _NOTHING in text:
        return text.replace(_GONE, "").replace(_NOTHING, "").strip()
    return text


def pieces(text: str, first: int, last: int, spans: Spans) -> Iterator[tuple[int, int, str, int]]:
    """(first span, last span, text, words parted) of the pieces that wide gaps make of the spans `first` to `last`."""
    begin, parts, done = first, [], spans.starts[first]
    for here in spans.wide[bisect_left(spans.wide, first + 1) : bisect_left(spans.wide, last + 1)]:
        before = here - 1
        end, start = spans.ends[before], spans.starts[here]
        height = max(spans.top[here] - spans.bottom[here], spans.top[before] - spans.bottom[before])
        gap = spans.left[here] - spans.right[before]
        apart = spans.top[here] <= spans.bottom[before] or spans.top[before] <= spans.bottom[here]
        if apart or gap > COLUMN_GAP * height or gap < _FAR_BACK * height:
            parts.append(text[done : end + 1])
            yield begin, before, plain("".join(parts)), parts.count(" ")
            begin, parts, done = here, [], start
        elif gap > WORD_GAP * height and start == end + 1 and text[end] not in BROKEN_HYPHENS:
            parts += [text[done:start], " "]
            done = start
        elif _is_kerned(gap, height) and start == end + 2:
            parts.append(text[done : end + 1])
            done = start
    parts.append(text[done : spans.ends[last] + 1])
    yield begin, last, plain("".join(parts)), parts.count(" ")


def _is_kerned(gap: float, height: float) -> bool:
    return -WORD_GAP * height < gap < _KERNED * height


def pitch(first: int, last: int, size: float, spans: Spans, boxes: Boxes) -> float:
    """The width of all characters of the piece where they are equally wide, else 0."""
    starts, ends = spans.starts, spans.ends
    width = (spans.right[first] - spans.left[first]) / (ends[first] - starts[first] + 1)
    if not 0.45 * size < width < 0.75 * size:  # Courier has 0.6, the narrowest 0.5
        return 0.0
    for at in range(first + 1, min(last + 1, first + 12)):
        if abs((spans.right[at] - spans.left[at]) / (ends[at] - starts[at] + 1) - width) > 0.02 * width:
            return 0.0
    if last - first < 3 and ends[first] > starts[first]:  # the mean of so few words may be one by chance
        found = boxes(range(starts[first], min(ends[first] + 1, starts[first] + 8)))
        vertical = abs(found[1] - found[-3]) > abs(found[0] - found[-4])
        sides = (3, 1) if vertical else (0, 2)
        each = [abs(right - left) for left, right in zip(found[sides[0] :: 4], found[sides[1] :: 4], strict=True)]
        return width if max(each) - min(each) <= 0.02 * width else 0.0
    return width
