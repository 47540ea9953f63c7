"""`review`: a person's hand on a run's conversations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from augment_correction.cli import app
from augment_correction.terminal import say, tell

EXAMPLES = """
Examples:

  python -m augment_correction review outputs/correction

  python -m augment_correction review outputs/correction --no-open --port 8765 --by Ida

  python -m augment_correction review outputs/correction --apply

The page needs no network. Every decision is kept in OUTPUT_DIR/decisions.jsonl the moment it is made; Finish (or Ctrl-C) writes the
dataset, the Axolotl configs, the exports and the report again, and proves the mask. No model is asked.
"""


@app.command(epilog=EXAMPLES)
def review(
    folder: Annotated[Path, typer.Argument(help="The output folder of a run.", metavar="OUTPUT_DIR")],
    by: Annotated[str, typer.Option("--by", help="Who decides; stands beside each decision.")] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of 127.0.0.1; 0 takes a free one.")] = 0,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Show the page in the web browser.")] = True,
    tokenizer: Annotated[
        str | None,
        typer.Option(help="A folder with tokenizer.json, or a model id in the Hugging Face cache; else the config's."),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write the files by the decisions, without the page.")] = False,
) -> None:
    """Approve, reject and edit conversations on a page of this machine; dataset and exports go by it."""
    from augment_correction.results.finished import open_run

    if not apply:
        with open_run(folder) as made:
            _serve(made, by=by, port=port, open_=open_, tokenizer=tokenizer)
    with open_run(folder) as made:
        if not made.folder.decisions.is_file():
            say("nothing was decided: the files stay as they are")
            return
        _apply(made, tokenizer)


def _serve(made: Any, *, by: str, port: int, open_: bool, tokenizer: str | None) -> None:
    from augment_correction.errors import InputError
    from augment_correction.review.desk import Desk
    from augment_correction.review.server import ReviewServer

    desk = Desk(made, by=by, tokenizer=tokenizer)
    try:
        server = ReviewServer(desk, made.folder.root.name, port)
    except OSError as failure:
        raise InputError(
            f"port {port} cannot be used: {failure.strerror}", hint="name another --port, or none"
        ) from None
    with server:
        say(f"review: {server.address}")
        tell("Finish on the page, or Ctrl-C here, ends it; every decision is kept at once")
        if open_:
            import webbrowser

            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            tell("finishing")


def _apply(made: Any, tokenizer: str | None) -> None:
    from augment_correction.cli.report import write_again
    from augment_correction.cli.verify import verification_lines
    from augment_correction.errors import ExitCode
    from augment_correction.results.applying import apply_decisions

    with made.folder.held():
        applied = apply_decisions(made, tokenizer)
        applied.files.append(write_again(made))
    say("\n".join(_summary(applied)))
    if applied.verification is None:
        return
    say("mask")
    for line in verification_lines(applied.verification):
        say(f"  {line}")
    if applied.verification.wrong:
        raise typer.Exit(int(ExitCode.REJECTS))


def _summary(applied: Any) -> Iterator[str]:
    from augment_correction.results.reviewed import told

    yield from told(applied.review)
    yield f"{applied.rows} conversations are in the dataset now"
    yield "files"
    yield from (f"  {path}" for path in applied.files)
    yield from (f"note: {notice}" for notice in applied.notices)
    if applied.review.get("ask_again"):
        yield "next: run the same config again, which asks anew about what is marked"
