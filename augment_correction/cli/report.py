"""`report`: `report.html` again, out of a run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augment_correction.cli import app
from augment_correction.terminal import say

if TYPE_CHECKING:
    from augment_correction.results.finished import MadeRun
    from augment_correction.usage import Price


@app.command(epilog="Example: python -m augment_correction report outputs/correction --open")
def report(
    folder: Annotated[Path, typer.Argument(help="The output folder of a run.", metavar="OUTPUT_DIR")],
    open_: Annotated[bool, typer.Option("--open", help="Open the report in the web browser.")] = False,
) -> None:
    """Write report.html again: counts, cost, coverage of each document, all conversations and rejects. No model is asked."""
    from augment_correction.results.finished import open_run

    with open_run(folder) as made, made.folder.held():
        path = write_again(made)
    say(path)
    if open_:
        import webbrowser

        webbrowser.open(path.as_uri())


def write_again(made: MadeRun) -> Path:
    """The folder must be held."""
    from augment_correction.report import write_report
    from augment_correction.results.story import story_file

    return write_report(
        made.folder, made.journal, made.results, about=made.manifest, prices=_prices(made.manifest), story=story_file
    )


def _prices(manifest: Mapping[str, Any]) -> dict[str, Price | None]:
    """What `run` reckoned with; unknown where the folder does not say it, or says it in an older version's words."""
    from pydantic import ValidationError

    from augment_correction.config import ROLES, RunConfig
    from augment_correction.ledger import price_of

    try:
        config = RunConfig.model_validate(manifest.get("config"))
    except ValidationError:
        return {}
    asked = {stage.get("model") for stage in manifest["pipeline"]["stages"]}
    return {role: price_of(config, role) for role in ROLES if role in asked}
