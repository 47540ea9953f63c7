"""`review`: a person's hand on a run's conversations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augment_correction.cli import app
from augment_correction.terminal import say, tell

if TYPE_CHECKING:
    from augment_correction.results.applying import Applied
    from augment_correction.results.finished import MadeRun

EXAMPLES = """
Examples:

  python -m augment_correction review outputs/correction

  python -m augment_correction review outputs/correction --no-open --port 8765 --author Ida

  python -m augment_correction review outputs/correction --apply

The page needs no network. Every decision is kept in OUTPUT_DIR/decisions.jsonl the moment it is made; Finish (or Ctrl-C) writes the
dataset, the Axolotl configs, the exports and the report again, and proves the mask. No model is asked.
"""


@app.command(epilog=EXAMPLES)
def review(
    folder: Annotated[Path, typer.Argument(help="The output folder of a run.", metavar="OUTPUT_DIR")],
    author: Annotated[
        str,
        typer.Option(
            "--author", "--by", help="The name recorded with each decision. Default: your user name on this machine."
        ),
    ] = "",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The port on 127.0.0.1; 0 picks a free one.")
    ] = 0,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the web browser.")] = True,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer",
            help="A folder with tokenizer.json, or a model id in the Hugging Face cache. Default: the tokenizer of the config.",
        ),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Apply the decisions to the files without serving the page.")
    ] = False,
) -> None:
    """Approve, reject and edit conversations on a local web page, and apply the decisions to the dataset and the exports."""
    from augment_correction.results.finished import open_run

    if not apply:
        with open_run(folder) as made:
            _serve(made, author=author, port=port, open_=open_, tokenizer=tokenizer)
    with open_run(folder) as made:
        if not made.folder.decisions.is_file():
            say("there are no decisions, so that no file was changed")
            return
        _apply(made, tokenizer)


def _serve(made: MadeRun, *, author: str, port: int, open_: bool, tokenizer: str | None) -> None:
    from augment_correction.errors import InputError
    from augment_correction.review.desk import Desk
    from augment_correction.review.server import ReviewServer

    desk = Desk(made, by=author, tokenizer=tokenizer)
    try:
        server = ReviewServer(desk, made.folder.root.name, port)
    except OSError as failure:
        raise InputError(
            f"port {port} cannot be used: {failure.strerror}", hint="name another --port, or leave it out"
        ) from None
    with server:
        say(f"review: {server.address}")
        tell("press Finish on the page or Ctrl-C here to stop; every decision is saved at once")
        if open_:
            import webbrowser

            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            tell("finishing")


def _apply(made: MadeRun, tokenizer: str | None) -> None:
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


def _summary(applied: Applied) -> Iterator[str]:
    from augment_correction.results.reviewed import told

    yield from told(applied.review)
    yield f"{applied.rows} conversations are now in the dataset"
    yield "files"
    yield from (f"  {path}" for path in applied.files)
    yield from (f"note: {notice}" for notice in applied.notices)
    if applied.review.get("ask_again"):
        yield "next: run the same config again, which asks again about the marked conversations"
