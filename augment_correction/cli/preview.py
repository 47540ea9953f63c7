"""`preview`: a few conversations before the run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from augment_correction.cli import Config, Overrides, app
from augment_correction.terminal import say

if TYPE_CHECKING:
    from augment_correction.runner import Preview

EXAMPLES = """
Examples:

  python -m augment_correction preview configs/correction_api.yaml

  python -m augment_correction preview mine.yaml -n 12 --html

The calls are stored in the journal of the run, so that `run` with the same config does not repeat them. Exit codes are those of `run`.
"""


@app.command(epilog=EXAMPLES)
def preview(
    config: Config,
    overrides: Overrides = None,
    limit: Annotated[
        int, typer.Option("-n", "--limit", "--count", min=1, max=500, help="Make at most this many conversations.")
    ] = 5,
    html: Annotated[
        bool, typer.Option("--html", help="Also write an HTML page with the whole passages and every step.")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open that page in the web browser.")] = False,
) -> None:
    """Make and show a few whole conversations before you pay for the run. The run reuses them."""
    from augment_correction.config import load_config
    from augment_correction.console import Terminal
    from augment_correction.progress import live_display
    from augment_correction.runner import preview as make

    made = make(load_config(config, overrides or []), limit, watch=live_display, page=html or open_)
    console = Terminal(highlight=False)
    from augment_correction.cli.conversations import show

    for chunk, outcome in sorted(made.shown, key=lambda each: each[1].status == "kept"):
        show(console, chunk, outcome, whole=False)
        say()
    _print_summary(made, shlex.join([config, *(part for each in overrides or [] for part in ("--set", each))]))
    if open_ and made.page:
        import webbrowser

        webbrowser.open(made.page.as_uri())
    raise typer.Exit(int(made.exit_code))


def _print_summary(made: Preview, arguments: str) -> None:
    from augment_correction.progress import money

    say(f"{made.kept} conversations of {len(made.shown)} passages; {made.asked} requests, {money(made.cost)}")
    if made.page:
        say(f"page {made.page}")
    if made.stopped:
        say(f"stopped: {made.stopped}")
        if made.hint:
            say(f"  remedy: {made.hint}")
        return
    say(f"next: python -m augment_correction run {arguments} (the calls of this preview are reused)")
