"""From the characters of a page to pieces of lines: words apart, accents on their letters, turned text upright.

PDFium says which characters follow each other. Where a word ends it guesses too late in condensed type (3 % of the words
of a groff manual were glued), and it prints all columns of a row as one line. The boxes of the characters decide both.
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WORD_GAP = 0.1  # of the height of a character: poppler's value for a new word
COLUMN_GAP = 0.9  # what is further apart may be another column or cell; layout decides
BROKEN_HYPHENS = "\ufffe\x02"
_ACCENTS = dict(
    zip("´`¨ˆ˜¸˚ˇ˘¯˙˝", "\u0301\u0300\u0308\u0302\u0303\u0327\u030a\u030c\u0306\u0304\u0307\u030b", strict=True)
)
_ACCENT_THEN_LETTER = re.compile("[´`¨ˆ˜¸˚ˇ˘¯˙˝](?=[A-Za-zı])")
_LETTER_THEN_ACCENT = re.compile("(?<=[A-Za-zı])[´`¨ˆ˜¸˚ˇ˘¯˙˝]")


@dataclass(slots=True)
class Line:
    """A line or a piece of one. `x`, `right`, `y` and `size` in points, y growing upward; `bottom` is the y of the last
    of several lines that a broken word made one. All are 0 where positions are not known. `pitch` is the width of every
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
class Boxes:
    """Of each character of a page: the four sides of its box, in points."""

    left: list[float]
    top: list[float]
    right: list[float]
    bottom: list[float]

    def turned(self, quarters: int) -> Boxes:
        """The same boxes on a page turned so that text of this direction runs from left to right."""
        match quarters:
            case 1:
                return Boxes(self.bottom, _minus(self.left), self.top, _minus(self.right))
            case 2:
                return Boxes(_minus(self.right), _minus(self.bottom), _minus(self.left), _minus(self.top))
            case 3:
                return Boxes(_minus(self.top), self.right, _minus(self.bottom), self.left)
            case _:
                return self


def _minus(values: Sequence[float]) -> list[float]:
    return [-value for value in values]


def quarters(angle: float) -> int:
    """Quarter turns against the clock; PDFium counts radians clockwise."""
    return round(-angle / (math.pi / 2)) % 4


def compose_accents(text: str, boxes: Boxes) -> list[str]:
    """The characters of `text`; an accent that TeX printed over a letter is one character with it, the other is ""."""
    characters = list(text)
    for pattern, step in ((_ACCENT_THEN_LETTER, 1), (_LETTER_THEN_ACCENT, -1)):
        for match in pattern.finditer(text):
            accent, letter = match.start(), match.start() + step
            reach = min(boxes.right[accent], boxes.right[letter]) - max(boxes.left[accent], boxes.left[letter])
            if not characters[letter] or reach < 0.5 * (boxes.right[accent] - boxes.left[accent]):
                continue
            base = "i" if text[letter] == "ı" else text[letter]
            composed = unicodedata.normalize("NFC", base + _ACCENTS[text[accent]])
            if len(composed) == 1:
                characters[letter], characters[accent] = composed, ""
    return characters


def wide_gaps(boxes: Boxes) -> list[int]:
    """Characters that stand away from the one before, far back, higher or lower: few on most pages, so that most are looked at once."""
    sides = zip(boxes.left[1:], boxes.right, boxes.top[1:], boxes.bottom, boxes.top, boxes.bottom[1:], strict=False)
    return [
        at
        for at, (left, right, top, base, top_before, bottom) in enumerate(sides, 1)
        if left - right > 0.5 or right - left > 30 or top < base or top_before < bottom
    ]


def pieces(
    characters: Sequence[str], text: str, first: int, last: int, boxes: Boxes, gaps: Sequence[int]
) -> Iterator[tuple[int, int, str]]:
    """(first, last, text) of the pieces of the line `text[first : last + 1]` that wide gaps part."""
    begin, parts, done = first, [], first
    at = bisect_left(gaps, first + 1)
    while at < len(gaps) and gaps[at] <= last:
        here = gaps[at]
        at += 1
        before, after = here - 1, here
        while before > begin and text[before].isspace():
            before -= 1
        while after < last and text[after].isspace():
            after += 1
        if after < done or text[before] in BROKEN_HYPHENS:
            continue
        height = max(boxes.top[after] - boxes.bottom[after], boxes.top[before] - boxes.bottom[before])
        gap = boxes.left[after] - boxes.right[before]
        apart = boxes.top[after] <= boxes.bottom[before] or boxes.top[before] <= boxes.bottom[after]
        if apart or gap > COLUMN_GAP * height or gap < -3 * height:
            parts.append("".join(characters[done : before + 1]))
            yield begin, before, "".join(parts).strip()
            begin, parts, done = after, [], after
        elif gap > WORD_GAP * height and after == before + 1:
            parts += ["".join(characters[done:after]), " "]
            done = after
    parts.append("".join(characters[done : last + 1]))
    yield begin, last, "".join(parts).strip()


def pitch(first: int, last: int, boxes: Boxes) -> float:
    """The width of all characters of the piece where they are equally wide, else 0."""
    widths = [boxes.right[at] - boxes.left[at] for at in range(first, min(last + 1, first + 12))]
    widest = max(widths)
    return widest if widest > 0 and widest - min(widths) < 0.02 * widest else 0.0
