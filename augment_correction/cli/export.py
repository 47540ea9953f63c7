"""`export`: the conversations of a run in a trainer's own spelling."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augment_correction.cli import app
from augment_correction.export_formats import format_names, known_format
from augment_correction.terminal import say


def _format(name: str) -> str:
    try:
        return known_format(name)
    except ValueError as failure:
        raise typer.BadParameter(str(failure)) from None


EXAMPLES = """
Examples:

  python -m augment_correction export outputs/correction --format openai --format hf

  python -m augment_correction export outputs/correction --format trl --tokenizer Qwen/Qwen2.5-7B

  python -m augment_correction export outputs/correction --format dpo --format kto

  python -m augment_correction export outputs/correction --push OWNER/NAME

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
            help=f"The format to write: {', '.join(format_names())}, or one of an installed plugin. Repeatable. Default with --push: hf.",
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
            metavar="OWNER/NAME",
            help="Upload the hf format with its dataset card to this dataset on the Hugging Face Hub.",
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Make the dataset public. Without it a new dataset is private.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --push: print what would be uploaded and upload nothing.")
    ] = False,
) -> None:
    """Write the conversations of a run for another trainer. Every format carries the same loss mask; dpo (which ORPO also reads) and
    kto are pairs of a better and a worse reply, and llamafactory is a folder with both and the rows for SFT."""
    from augment_correction.results.finished import open_run
    from augment_correction.results.reexport import export_run

    wanted = list(formats or [])
    if push and "hf" not in wanted:
        wanted.append("hf")
    if not wanted:
        raise typer.BadParameter("name at least one format, or use --push", param_hint="--format")
    paths: dict[str, Path] = {}
    with open_run(folder) as made:
        for exported in export_run(made, wanted, tokenizer, partial=partial):
            paths[exported.name] = exported.path
            say(f"{exported.name:<13} {exported.path}")
            for notice in exported.notices:
                say(f"  note: {notice}")
    if push:
        _push(paths["hf"], push, public=public, dry_run=dry_run)


def _push(folder: Path, repository: str, *, public: bool, dry_run: bool) -> None:
    from augment_correction.export.hub import push_folder

    done = push_folder(folder, repository, public=public, dry_run=dry_run)
    if done.url:
        say(f"pushed        {done.url}")
        return
    why = (
        "no token of the Hugging Face Hub was found (run `hf auth login`, or set HF_TOKEN)"
        if done.token_missing
        else "--dry-run"
    )
    say(f"dry run       nothing was uploaded: {why}")
    say(
        f"  to the {'public' if public else 'private'} dataset {repository}, {sum(size for _, size in done.files):,} bytes:"
    )
    for name, size in done.files:
        say(f"  {size:>12,}  {name}")
