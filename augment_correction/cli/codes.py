"""`codes`: the error codes and what they mean."""

from __future__ import annotations

from augment_correction.cli import app


@app.command(epilog="Example: python -m augment_correction codes")
def codes() -> None:
    """Print every error code: what it means, and from where on it is given."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    from augment_correction.grading import CATALOGUE

    table = Table(
        Column("code", no_wrap=True), "about", "meaning", "given from", Column("for example", overflow="fold"), box=None
    )
    for code in CATALOGUE:
        table.add_row(*map(escape, (code.name, code.group, code.meaning, code.threshold, code.example)))
    Console().print(table)
