"""The order in which the pieces of a page are read: columns one after the other, tables row by row.

Rows are pieces at one height. Rows below each other that share an empty strip are one region; its strips part columns
where these are filled like prose, and cells where they are not (the idea of the recursive X-Y cut, Nagy 1984).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from augment_correction.documents.pdf_words import BROKEN_HYPHENS, Line

Strip = tuple[float, float]

_LEADER = re.compile(r"(?:\.\s?){4}")
_DEEPEST = 6
_FEWEST_ROWS = 3  # of a table
_FEWEST_LINES = 4  # of a column that is no prose


def in_reading_order(pieces: Sequence[Line]) -> list[Line]:
    """Whole lines in the order of reading; text in other directions than the most of it comes after."""
    by_turn: dict[int, list[Line]] = {}
    for piece in pieces:
        by_turn.setdefault(piece.turned, []).append(piece)
    ordered: list[Line] = []
    for turned in sorted(by_turn, key=lambda turn: -sum(len(piece.text) for piece in by_turn[turn])):
        sizes = sorted(piece.size for piece in by_turn[turned])
        ordered += _ordered(by_turn[turned], sizes[len(sizes) // 2], 0)
    return ordered


def _ordered(pieces: list[Line], usual: float, depth: int) -> list[Line]:
    """`usual` is the size of most type on the page: the space between columns is chosen for it, not for a heading."""
    rows = _rows(pieces)
    if len(rows) == len(pieces):
        return [row[0] for row in rows]
    found: list[Line] = []
    for region, strips in _regions(rows, usual):
        if not strips or depth >= _DEEPEST:
            found += [_joined(row) for row in region]
            continue
        columns = _columns([piece for row in region for piece in row], strips)
        filled = [column for column in columns if not _are_marks(column, len(region))]
        prose = len(filled) > 1 and _is_prose(filled)
        if len(columns) < 2 or (len(region) < _FEWEST_ROWS and not prose):
            found += [_joined(row) for row in region]
        elif prose or _staggered(columns):
            for column in columns:
                found += _ordered(column, usual, depth + 1)
        else:
            found += _table(region, strips)
    return found


def _rows(pieces: Sequence[Line]) -> list[list[Line]]:
    """Pieces whose letters overlap in height, from the top; each row from left to right."""
    rows: list[list[Line]] = []
    floor = 0.0
    tops = [piece.y + 0.5 * piece.size for piece in pieces]
    for at in sorted(range(len(pieces)), key=tops.__getitem__, reverse=True):
        piece = pieces[at]
        if rows and tops[at] > floor:
            rows[-1].append(piece)
            floor = min(floor, piece.y)
        else:
            rows.append([piece])
            floor = piece.y
    return [row if len(row) == 1 else sorted(row, key=lambda piece: (piece.x, -piece.y)) for row in rows]


def _regions(rows: Sequence[list[Line]], usual: float) -> list[tuple[list[list[Line]], list[Strip]]]:
    regions: list[tuple[list[list[Line]], list[Strip]]] = []
    for row in rows:
        region, strips = regions[-1] if regions else ([], [])
        if _stands_between_columns(row, region, strips):
            region, strips = [], []
        shared = _without(strips, row, usual)
        own = [] if shared else _strips(row, usual)
        if shared or (region and not strips and not own):
            region.append(row)
            regions[-1] = (region, shared)
        else:
            regions.append(([row], own))
    return regions


def _stands_between_columns(row: Sequence[Line], region: Sequence[list[Line]], strips: Sequence[Strip]) -> bool:
    """The number of the page below two columns, alone or in a line with others: it would part the strip between them, and they
    would be cells of a table."""
    if not any(left < piece.x and piece.right < right for piece in row for left, right in strips):
        return False
    if len(row) > 1 and min(piece.y for piece in region[-1]) - row[0].y < 2 * row[0].size:
        return False
    columns = _columns([piece for each in region for piece in each], strips)
    return len(columns) > 1 and _is_prose(columns)


def _strips(row: Sequence[Line], usual: float) -> list[Strip]:
    """The empty strips between the pieces, wide enough to part columns."""
    found: list[Strip] = []
    reach = row[0].right
    for piece in row[1:]:
        if piece.x - reach > 0.8 * min(piece.size, usual):
            found.append((reach, piece.x))
        reach = max(reach, piece.right)
    return found


def _without(strips: list[Strip], row: Sequence[Line], usual: float) -> list[Strip]:
    """What of the strips the row leaves empty, where it is still wide enough."""
    for piece in row if strips else ():
        least = 0.6 * min(piece.size, usual)
        left_over = []
        for left, right in strips:
            beside = (
                ((left, right),) if piece.right <= left or piece.x >= right else ((left, piece.x), (piece.right, right))
            )
            left_over += [part for part in beside if part[1] - part[0] > least]
        strips = left_over
    return strips


def _columns(pieces: Sequence[Line], strips: Sequence[Strip], keep_empty: bool = False) -> list[list[Line]]:
    cuts = [(left + right) / 2 for left, right in strips]
    columns: list[list[Line]] = [[] for _ in range(len(cuts) + 1)]
    for piece in pieces:
        columns[bisect_left(cuts, piece.x)].append(piece)
    return columns if keep_empty else [column for column in columns if column]


def _is_prose(columns: Sequence[list[Line]]) -> bool:
    """Whether lines of several words fill all columns, so that one is read after the other; a figure may stand in one."""
    return all(_filled(column) for column in columns)


def _are_marks(column: Sequence[Line], rows: int) -> bool:
    """A few signs without a letter between two columns, which are no column of their own."""
    return 8 * len(column) <= rows and not any(letter.isalpha() for piece in column for letter in piece.text)


def _staggered(columns: Sequence[list[Line]]) -> bool:
    """Whether lines follow each other closely in all columns, and mostly not at the heights of their neighbours': a list
    or a worksheet beside prose. The lines of a table's row begin at one height, or one cell has room around it."""
    heights = [sorted({piece.y for piece in column}, reverse=True) for column in columns]
    size = max(piece.size for column in columns for piece in column)
    if any(len(column) < _FEWEST_LINES or not _close(column, size) for column in heights):
        return False
    return all(_level(*sorted(pair, key=len)) < 0.5 for pair in pairwise(heights))


def _close(heights: Sequence[float], size: float) -> bool:
    steps = [above - below for above, below in pairwise(heights)]
    return sum(step < 1.6 * size for step in steps) > 0.6 * len(steps)


def _level(few: Sequence[float], many: Sequence[float]) -> float:
    """The share of `few` that stand at a height of `many`, to a point."""
    rising = many[::-1]
    near = (rising[max(0, bisect_left(rising, y) - 1) :][:2] for y in few)
    return sum(any(abs(y - other) < 1 for other in others) for y, others in zip(few, near, strict=True)) / len(few)


def _filled(column: list[Line]) -> bool:
    if len(column) < 2:
        return False
    width = max(piece.right for piece in column) - min(piece.x for piece in column)
    prose = total = 0
    for row in _rows(column):
        characters = sum(len(piece.text) for piece in row)
        total += characters
        words, filled = sum(len(piece.text.split()) for piece in row), sum(piece.right - piece.x for piece in row)
        prose += characters if words >= 4 and filled > 0.55 * width else 0
    return prose > 0.5 * total


def _table(region: Sequence[list[Line]], strips: Sequence[Strip]) -> list[Line]:
    """One line a row, with bars between its cells where they surely are cells."""
    cells = [_columns(row, strips, keep_empty=True) for row in region]
    table = _has_cells(cells, region)
    lines = [_joined(row) for row in region]
    if not table:
        return lines
    texts = [[_joined(column).text if column else "" for column in columns] for columns in cells]
    for (line, row), (below, following) in pairwise(zip(lines, texts, strict=True)):
        if not line.pitch and not below.pitch:
            _keep_words_whole(row, following)
    return [
        line if line.pitch else replace(line, text=f"| {' | '.join(row)} |")
        for line, row in zip(lines, texts, strict=True)
    ]


def _keep_words_whole(row: list[str], following: list[str]) -> None:
    """The rest of a word that breaks at the end of a cell's line stands in the same cell of the next row."""
    for at, text in enumerate(row):
        if text and text[-1] in BROKEN_HYPHENS:
            rest, _, following[at] = following[at].partition(" ")
            row[at] = text + rest


def _has_cells(cells: Sequence[list[list[Line]]], region: Sequence[list[Line]]) -> bool:
    """Not a list of marks and items, not a page of contents, not prose beside a picture."""
    wide = [(piece.right - piece.x) / max(piece.size, 1.0) for row in cells for piece in row[0]]
    leaders = any(_LEADER.search(piece.text) for row in region for piece in row)
    several = sum(sum(map(bool, row)) > 1 for row in cells)
    return not leaders and max(wide, default=0.0) >= 2 and several >= 0.6 * len(cells)


def _joined(row: Sequence[Line]) -> Line:
    """The pieces of one row as one line; the gap in code keeps its width."""
    if len(row) == 1:
        return row[0]
    parts = [row[0].text]
    for before, piece in pairwise(row):
        gap = piece.x - before.right
        code = before.pitch and piece.pitch
        parts.append(" " * max(1, round(gap / before.pitch)) if code else " ")
        parts.append(piece.text)
    most = max(row, key=lambda piece: len(piece.text))
    return Line(
        "".join(parts), row[0].x, most.y, most.size, min(piece.bottom for piece in row),
        max(piece.right for piece in row), most.pitch, most.turned,
    )  # fmt: skip
