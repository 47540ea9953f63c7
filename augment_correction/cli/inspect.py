"""`inspect`: conversations with their mask, their passage, the rejects and the cost, in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augment_correction.cli import app
from augment_correction.terminal import say

if TYPE_CHECKING:
    from augment_correction.console import Terminal
    from augment_correction.results.finished import MadeRun

EXAMPLES = """
Examples:

  python -m augment_correction inspect outputs/correction

  python -m augment_correction inspect outputs/correction --id 3f2a
"""


@app.command(epilog=EXAMPLES)
def inspect(
    folder: Annotated[Path, typer.Argument(help="The output folder of a run.", metavar="OUTPUT_DIR")],
    id_: Annotated[
        str | None,
        typer.Option("--id", help="Show only this conversation or passage: its id, or the beginning of its id."),
    ] = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=0, help="Show at most this many conversations.")] = 3,
) -> None:
    """Show the result of a run: conversations with the masked part marked, their passages, rejects by reason, the cost."""
    from rich.text import Text

    from augment_correction.cli.conversations import show
    from augment_correction.console import Terminal
    from augment_correction.errors import InputError
    from augment_correction.results.finished import open_run

    console = Terminal(highlight=False)
    with open_run(folder) as made:
        shown = 0
        for chunk, outcome in made.results.outcomes():
            wanted = id_ is None and outcome.status == "kept"
            if id_ is not None:
                wanted = chunk.id.startswith(id_) or outcome.body.get("conversation", {}).get("id", "").startswith(id_)
            if not wanted or (id_ is None and shown >= limit):
                continue
            show(console, chunk, outcome, whole=True)
            console.print(Text(f"all steps of this passage: {made.story(chunk)}\n", "dim"), soft_wrap=True)
            shown += 1
        if id_ is not None:
            if not shown:
                raise InputError(f"no conversation or passage of {folder} has an id that begins with '{id_}'")
            return
        _show_sums(console, made, shown)


def _show_sums(console: Terminal, made: MadeRun, shown: int) -> None:
    from augment_correction.documents.notes import note_lines, unread_lines
    from augment_correction.progress import money

    counts = made.results.counts()
    console.print("[dim]──[/] [bold]the run[/]")
    say(f"{counts['kept']} conversations ({shown} shown), {counts['rejected']} rejected, {counts['failed']} failed")
    for reason, count in sorted(counts["reasons"].items(), key=lambda item: -item[1]):
        say(f"  {count:>6}  {reason}")
    for line in unread_lines(made.results.unread()):
        say(f"  could not be read: {line}")
    for line in note_lines(made.results.notes()):
        say(f"  note: {line}")
    for tokens in made.tokens():
        say(
            f"{tokens['name']}: {tokens['requests']} requests, tokens in {tokens['input_tokens']:,} "
            f"out {tokens['output_tokens']:,}, {money(tokens['total_cost'])}"
        )
