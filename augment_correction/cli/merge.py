"""`merge`: an adapter folded into its base model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augment_correction.cli import app
from augment_correction.terminal import say


@app.command(epilog="Example: python -m augment_correction merge outputs/training/final --output models/corrected")
def merge(
    adapter: Annotated[Path, typer.Argument(help="The folder of a trained adapter (final/).", metavar="ADAPTER")],
    output: Annotated[Path, typer.Option("--output", help="The folder for the merged model. It must not exist yet.")],
    model: Annotated[
        str | None, typer.Option("--model", "--base", help="The base model. Default: the one that the adapter names.")
    ] = None,
) -> None:
    """Merge a LoRA adapter into its base model, and write tokenizer and chat template beside it for serving."""
    from augment_correction.errors import MissingExtra
    from augment_correction.training import merging

    try:
        folder = merging.merge(adapter, output, model)
    except ImportError as failure:
        raise MissingExtra(f"merging ({failure.name})", "train") from None
    say(f"{output}: {adapter} merged with {folder}")
