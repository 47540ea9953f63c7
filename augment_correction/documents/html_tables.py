"""Tables of web pages: rows of cells, unless the table only arranges the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from augment_correction.documents.html_text import is_left_out, name_of, text_of

_WIDEST = 200
"""Columns: what spans more, or stands behind them, takes one place. A page of 200 KB could ask for twelve billion cells."""
_ARRANGED = {"h1", "h2", "h3", "h4", "h5", "h6", "pre", "table", "ul", "ol", "dl", "blockquote", "form"}
_A_TEXT = 400  # characters; a cell of two paragraphs and more than this is a column of a page


def is_layout(table: Any) -> bool:
    """Whether the cells are places of a page and not values: mail and old pages are built this way."""
    if table.get("role") in ("presentation", "none"):
        return True
    cells = list(_own(table, {"td", "th"}))
    if not any(name_of(cell) == "th" for cell in cells):
        if max((len(list(_own(row, {"td"}))) for row in _own(table, {"tr"})), default=0) <= 1:
            return True
        if any(name_of(node) in _ARRANGED for cell in cells for node in cell.iterdescendants()):
            return True
    return any(sum(name_of(node) == "p" for node in cell) > 1 and _is_a_text(cell) for cell in cells)


def _is_a_text(cell: Any) -> bool:
    length = 0
    return any((length := length + len(text)) > _A_TEXT for text in cell.itertext())


def table_rows(table: Any) -> list[list[str]]:
    """The rows as text. A cell that spans several columns or rows stands once, in the first of its places."""
    rows: list[list[str]] = []
    covered: dict[int, int] = {}  # column -> how many rows below are still covered by a cell from above
    for row in _own(table, {"tr"}):
        if is_left_out(row):
            continue
        line: list[str] = []
        for cell in _own(row, {"td", "th"}):
            _skip_covered(line, covered)
            wide = max(1, min(_span(cell, "colspan"), _WIDEST - len(line)))
            high = _span(cell, "rowspan") - 1
            for column in range(len(line), min(len(line) + wide, _WIDEST)):
                if high:
                    covered[column] = high
            line += ["" if is_left_out(cell) else text_of(cell), *[""] * (wide - 1)]
        _skip_covered(line, covered)
        rows.append(line)
    return rows


def _skip_covered(line: list[str], covered: dict[int, int]) -> None:
    while covered.get(len(line), 0) > 0:
        covered[len(line)] -= 1
        line.append("")


def _own(parent: Any, names: set[str]) -> Iterator[Any]:
    """Descendants of these names that belong to this table or row and not to one inside it."""
    waiting = list(reversed(parent))
    while waiting:
        node = waiting.pop()
        name = name_of(node)
        if name in names:
            yield node
        elif name != "table":
            waiting.extend(reversed(node))


def _span(cell: Any, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return max(1, int(value)) if value.isdecimal() and len(value) < 6 else 1
