"""`codes`: the error codes and what they mean."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from textwrap import TextWrapper

from augment_correction.cli import app
from augment_correction.terminal import say


@app.command(epilog="Example: python -m augment_correction codes")
def codes() -> None:
    """Print every error code: what it means, and from where on it is given."""
    from augment_correction.grading import CATALOGUE

    width = get_terminal_size().columns if sys.stdout.isatty() else 160
    words = TextWrapper(width, subsequent_indent=" " * 6, break_long_words=False, break_on_hyphens=False)
    for code in CATALOGUE:
        told = (
            f"{code.name}  ({code.group}) {code.meaning}",
            f"    given from: {code.threshold}",
            f"    for example: {code.example}",
        )
        say("\n".join(map(words.fill, told)))
