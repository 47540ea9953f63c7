"""Blocks of any format to Markdown, and where its headings stand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from augment_correction.records import Heading

# "1st" and "2e" are words with a raised ending, and "*" marks a note; anything else that is raised is an exponent.
_RAISED_ENDING = re.compile(r"(?:st|nd|rd|th|er?|re|[aoºª°]|de|ème|[*†‡]+|TM|\W)", re.IGNORECASE)

_FILLED = 200


class Markdown:
    """Appends blocks; `text` and `headings` are what became of them. All text must be clean (see `text.clean`)."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._in_list = False
        self.headings: list[Heading] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def __len__(self) -> int:
        return self._length

    def _write(self, text: str, gap: str = "\n\n") -> int:
        """Appends a block and returns its offset."""
        start = self._length
        if self._parts:
            self._parts.append(gap)
            start += len(gap)
        self._parts.append(text)
        self._length = start + len(text)
        return start

    def paragraph(self, text: str) -> int:
        self._in_list = False
        return self._write(text)

    def heading(self, level: int, text: str) -> None:
        title = " ".join(text.split())
        if title:
            start = self.paragraph(f"{'#' * min(level, 6)} {title}")
            self.headings.append(Heading(start, level, title))

    def item(self, marker: str, text: str) -> None:
        """An item of a list; `marker` holds its indent. Items of one list stand line under line."""
        self._write(marker + text, "\n" if self._in_list else "\n\n")
        self._in_list = True

    def end_list(self) -> None:
        """The next item begins another list."""
        self._in_list = False

    def code(self, text: str, language: str = "") -> None:
        longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
        fence = "`" * (longest + 1)
        self.paragraph(f"{fence}{language}\n{text.strip(chr(10))}\n{fence}")

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """The first row is the header. Rows without any text are left out, short ones are filled up, all but the first to no more
        than 200 cells: where thousands of rows stand under thousands of columns, it is blanks that would fill the memory."""
        width = max((len(row) for row in rows), default=0)
        lines = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
        lines = [line + [""] * (min(width, _FILLED) - len(line)) for line in lines if any(line)]
        if lines:
            lines[0] += [""] * (width - len(lines[0]))
            written = ["| " + " | ".join(line) + " |" for line in lines]
            written.insert(1, "|" + " --- |" * width)
            self.paragraph("\n".join(written))

    def extend(self, other: Markdown) -> None:
        """The blocks of another text behind these."""
        if other.text:
            start = self.paragraph(other.text)
            self.headings += [Heading(start + each.start, each.level, each.title) for each in other.headings]


def raised(text: str) -> str:
    """Superscript as plain text: 10 with a raised 6 is "10^6", and not 106."""
    bare = text.strip()
    if not bare or _RAISED_ENDING.fullmatch(bare):
        return text
    return f"^{bare}" if re.fullmatch(r"[-−+]?\w+", bare) else f"^({bare})"
