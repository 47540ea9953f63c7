"""`codes`: the error codes and what they mean."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from shutil import get_terminal_size
from textwrap import TextWrapper

from augment_correction.cli import Json, app
from augment_correction.terminal import say


@app.command(epilog="Example: python -m augment_correction codes")
def codes(as_json: Json = False) -> None:
    """Print every error code with its meaning and its threshold."""
    from augment_correction.grading import CATALOGUE

    if as_json:
        say(json.dumps([asdict(code) for code in CATALOGUE], indent=1))
        return
    width = get_terminal_size().columns if sys.stdout.isatty() else 160
    words = TextWrapper(width, subsequent_indent=" " * 6, break_long_words=False, break_on_hyphens=False)
    for code in CATALOGUE:
        told = (
            f"{code.name}  ({code.group}) {code.meaning}",
            f"    threshold: {code.threshold}",
            f"    example: {code.example}",
        )
        say("\n".join(map(words.fill, told)))
