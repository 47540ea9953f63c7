"""Tables and bars in a terminal. Beside `terminal.py`, since Rich takes 50 ms to load and most commands need none of it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from augment_correction.text import printable


class Terminal(Console):
    """Rich's console: its own colours pass, and no character of what it is given is obeyed."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)
