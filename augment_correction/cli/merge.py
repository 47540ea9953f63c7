"""`merge`: an adapter folded into its base model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augment_correction.cli import app


@app.command(epilog="Example: python -m augment_correction merge outputs/training/final --output models/corrected")
def merge(
    adapter: Annotated[Path, typer.Argument(help="The folder of a trained adapter (final/).", metavar="ADAPTER")],
    output: Annotated[Path, typer.Option("--output", help="Where to; nothing is overwritten.")],
    base: Annotated[
        str | None, typer.Option("--base", help="The base model; unset, the one the adapter names.")
    ] = None,
) -> None:
    """Merge a LoRA adapter into its base model, with tokenizer and chat template, ready to be served."""
    from augment_correction.errors import MissingExtra

    try:
        from augment_correction.training import merging
    except ImportError as failure:
        raise MissingExtra(f"merging ({failure.name})", "train") from None
    folder = merging.merge(adapter, output, base)
    print(f"merged {adapter} into {folder}")
    print(f"  {output}")
