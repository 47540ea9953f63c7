"""`inspect`: conversations with their mask, their passage, the rejects and the cost, in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from augment_correction.cli import app
from augment_correction.terminal import say

EXAMPLES = """
Examples:

  python -m augment_correction inspect outputs/correction

  python -m augment_correction inspect outputs/correction --id 3f2a
"""


@app.command(epilog=EXAMPLES)
def inspect(
    folder: Annotated[Path, typer.Argument(help="The output folder of a run.", metavar="OUTPUT_DIR")],
    id_: Annotated[
        str | None, typer.Option("--id", help="Show one: a conversation's or passage's id, or how it begins.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many conversations to show.", min=0)] = 3,
) -> None:
    """Show what a run made: conversations with the masked part marked, their passages, rejects by reason, the cost."""
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
            _show(console, chunk, outcome, made.story(chunk))
            shown += 1
        if id_ is not None:
            if not shown:
                raise InputError(f"no conversation or passage of {folder} has an id that begins with '{id_}'")
            return
        _show_sums(console, made, shown)


def _show(console: Any, chunk: Any, outcome: Any, story: Path) -> None:
    from rich.text import Text

    def say(*parts: tuple[str, str]) -> None:
        """Lines as they are: the terminal wraps them, and nothing is cut."""
        console.print(Text.assemble(*parts), soft_wrap=True)

    place = chunk.places[0]
    page = f", page {place['page']}" if place["page"] else ""
    say(("── ", "dim"), (f"{place['title']}{page}", "bold"))
    say((f"passage {chunk.id}, {place['source']}\n", "dim"), (chunk.text, ""), ("\n", ""))
    if outcome.status == "kept":
        conversation = outcome.body["conversation"]
        say((conversation["kind"], "bold"), (f" {conversation['id']}", ""))
        for turn in conversation["turns"]:
            mask = "" if turn["train"] else "  MASKED: no loss on this turn"
            style = "" if turn["train"] else "black on red"
            head = f"{turn['role']}:{mask}\n"
            say((head, "bold" if turn["train"] else "bold red"), (turn["text"], style), ("\n", ""))
    else:
        say((f"{outcome.status} at {outcome.stage}: {outcome.reason}: {outcome.body['detail']}", "yellow"))
    say((f"the whole story: {story}\n", "dim"))


def _show_sums(console: Any, made: Any, shown: int) -> None:
    from augment_correction.documents.telling import note_lines, unread_lines
    from augment_correction.progress import money

    counts = made.results.counts()
    console.print("[dim]──[/] [bold]the run[/]")
    say(f"{counts['kept']} conversations ({shown} shown), {counts['rejected']} rejected, {counts['failed']} failed")
    for reason, count in sorted(counts["reasons"].items(), key=lambda item: -item[1]):
        say(f"  {count:>6}  {reason}")
    for line in unread_lines(made.results.unread()):
        say(f"  not read: {line}")
    for line in note_lines(made.results.notes()):
        say(f"  note: {line}")
    for tokens in made.tokens():
        say(
            f"{tokens['name']}: {tokens['requests']} requests, tokens in {tokens['input_tokens']:,} "
            f"out {tokens['output_tokens']:,}, {money(tokens['total_cost'])}"
        )
