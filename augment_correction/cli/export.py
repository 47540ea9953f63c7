"""`export`: the conversations of a run in a trainer's own spelling."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augment_correction.cli import app
from augment_correction.export_formats import format_names, known_format
from augment_correction.terminal import say

if TYPE_CHECKING:
    from augment_correction.store import RunFolder


def _format(name: str) -> str:
    try:
        return known_format(name)
    except ValueError as failure:
        raise typer.BadParameter(str(failure)) from None


EXAMPLES = """
Examples:

  python -m augment_correction export outputs/correction --format openai --format hf

  python -m augment_correction export outputs/correction --format trl --tokenizer Qwen/Qwen2.5-7B-Instruct

  python -m augment_correction export outputs/correction --format dpo --format kto

  python -m augment_correction export outputs/correction --push OWNER/NAME

  python -m augment_correction export outputs/correction --push s3://BUCKET/FOLDER

Each format is written to OUTPUT_DIR/exports/<format>/, and the earlier one stays until the new one is whole. No model is
asked.
"""


@app.command(epilog=EXAMPLES)
def export(
    folder: Annotated[Path, typer.Argument(help="The output folder of a run.", metavar="OUTPUT_DIR")],
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            parser=_format,
            metavar="FORMAT",
            autocompletion=format_names,
            help=f"The format to write: {', '.join(format_names())}, or one of an installed plugin. Repeatable. Default with --push OWNER/NAME: hf.",
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            help="A folder with tokenizer.json, or a model id in the Hugging Face cache. Default: the tokenizer of the config."
        ),
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Export the conversations so far of an unfinished run.")
    ] = False,
    push: Annotated[
        str | None,
        typer.Option(
            "--push",
            metavar="TARGET",
            help="Upload to OWNER/NAME, a dataset on the Hugging Face Hub, the hf format with its dataset card; or copy to s3://BUCKET/FOLDER, an "
            "address of object storage, all that the run has made and that is not there yet.",
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Make the dataset public. Without it a new dataset is private.")
    ] = False,
    journal: Annotated[
        bool,
        typer.Option(
            "--journal",
            help="With --push s3://BUCKET/FOLDER: also the journal, with which the run can go on on another machine.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --push: print what would be uploaded and upload nothing.")
    ] = False,
) -> None:
    """Write the conversations of a run for another trainer. Every format carries the loss mask as far as it can express it;
    dpo (which ORPO also reads) and kto are pairs of a better and a worse reply, and llamafactory is a folder with both and the rows
    for SFT."""
    from augment_correction.remote.storage import is_address
    from augment_correction.results.finished import open_run
    from augment_correction.results.reexport import export_run

    for flag, given in (("--dry-run", dry_run), ("--public", public), ("--journal", journal)):
        if given and push is None:
            raise typer.BadParameter("says how to push: name the target with --push", param_hint=flag)
    wanted, copies = list(formats or []), push is not None and is_address(push)
    if push and not copies and "hf" not in wanted:
        wanted.append("hf")
    if not wanted and not copies:
        raise typer.BadParameter("name at least one format, or use --push", param_hint="--format")
    paths: dict[str, Path] = {}
    with open_run(folder) as made:
        for exported in export_run(made, wanted, tokenizer, partial=partial) if wanted else ():
            paths[exported.name] = exported.path
            say(f"{exported.name:<13} {exported.path}")
            for notice in exported.notices:
                say(f"  note: {notice}")
        run_folder = made.folder
    if push:
        _push(run_folder, paths.get("hf"), push, public=public, journal=journal, dry_run=dry_run)


def _push(folder: RunFolder, dataset: Path | None, target: str, **how: bool) -> None:
    from augment_correction.export.destinations import push
    from augment_correction.progress import live_display
    from augment_correction.remote.storage import is_address
    from augment_correction.runner.state import RunState

    state = RunState({})

    def report(what: str, done: int, total: int) -> None:
        state.loading = what, done, total

    with live_display(state) if is_address(target) else nullcontext():  # the Hub's own library shows how far it is
        done = push(folder, dataset, target, report=report, **how)
    if done.url:
        say(f"pushed        {done.url}")
        say(f"  {done}")
        return
    say(f"{'dry run' if how['dry_run'] else 'not pushed':<13} nothing was uploaded: {done.withheld}")
    if not done.files:
        return
    say(f"  to {done.to}, {done}:")
    for name, size in done.files:
        say(f"  {size:>12,}  {name}")
