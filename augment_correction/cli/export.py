"""`export`: the conversations of a run in a trainer's own spelling."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from augment_correction.cli import app
from augment_correction.terminal import say


class Format(StrEnum):
    axolotl = "axolotl"
    axolotl_chat = "axolotl_chat"
    openai = "openai"
    trl = "trl"
    sharegpt = "sharegpt"
    hf = "hf"
    dpo = "dpo"
    kto = "kto"


EXAMPLES = """
Examples:

  python -m augment_correction export outputs/correction --format openai --format hf

  python -m augment_correction export outputs/correction --format trl --tokenizer Qwen/Qwen2.5-7B

  python -m augment_correction export outputs/correction --format dpo --format kto

Each spelling goes to OUTPUT_DIR/exports/<format>/, and the earlier one stays until the new one is whole. No model is
asked.
"""


@app.command(epilog=EXAMPLES)
def export(
    folder: Annotated[Path, typer.Argument(help="The output folder of a run.", metavar="OUTPUT_DIR")],
    formats: Annotated[list[Format], typer.Option("--format", help="Which spelling. Repeatable.")],
    tokenizer: Annotated[
        str | None,
        typer.Option(help="A folder with tokenizer.json, or a model id in the Hugging Face cache; else the config's."),
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Export what there is of a run that is not finished.")
    ] = False,
) -> None:
    """Write the conversations of a run for another trainer. Every spelling carries the same mask; dpo (which ORPO reads, too) and
    kto are pairs of a better and a worse reply."""
    from augment_correction.results.finished import open_run
    from augment_correction.results.reexport import export_run

    with open_run(folder) as made:
        for exported in export_run(made, [each.value for each in formats], tokenizer, partial=partial):
            say(f"{exported.name:<13} {exported.path}")
            for notice in exported.notices:
                say(f"  note: {notice}")
