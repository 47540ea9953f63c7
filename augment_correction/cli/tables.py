"""Tables that are never cut: through a pipe as wide as their cells, on a terminal wrapped between words. Where not even
the longest words fit side by side, the lines are longer than the terminal: a number or a name that is cut is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import JustifyMethod

ANY_WIDTH = 100_000


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """On stdout. Cells are text and never markup; `right` names the headers of figures, which end at the right."""
    from rich.table import Column, Table
    from rich.text import Text

    from augment_correction.console import Terminal

    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    columns = []
    for place, name in enumerate(headers):
        one_word = not any(" " in row[place].strip() for row in cells)
        side: JustifyMethod = "right" if name in right else "left"
        columns.append(Column(Text(name, "bold"), justify=side, no_wrap=one_word, overflow="fold"))
    table = Table(*columns, box=None, padding=(0, 2, 0, 0))
    for row in cells:
        table.add_row(*map(Text, row))
    console = Terminal(highlight=False)
    needed = console.measure(table, options=console.options.update(width=ANY_WIDTH))
    console.width = max(console.width, needed.minimum) if console.is_terminal else needed.maximum
    console.print(table)
