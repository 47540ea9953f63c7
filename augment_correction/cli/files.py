"""`init`, `list`, `copy`: the shipped configs, pipelines and prompts, to a folder of the user's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from augment_correction.cli import app
from augment_correction.errors import UserError
from augment_correction.project import EDITED_FOLDERS, EXAMPLES, bundled
from augment_correction.terminal import say


@app.command(epilog="Example: python -m augment_correction init my_project")
def init(
    folder: Annotated[
        Path, typer.Argument(help="The folder to copy into. It is created if it does not exist.", metavar="FOLDER")
    ] = Path(),
) -> None:
    """Copy all configs, pipelines, prompts and example documents into a folder. Nothing is overwritten."""
    for path in _shipped():
        _copy(path, folder)


@app.command("list", epilog="Example: python -m augment_correction list")
def list_() -> None:
    """List the shipped configs, pipelines, prompts and example documents by name."""
    for path in _shipped():
        say(path.as_posix())


@app.command(epilog="Example: python -m augment_correction copy prompts/filter.jinja")
def copy(
    name: Annotated[str, typer.Argument(help="A name that 'list' prints, or the end of such a name.", metavar="NAME")],
    folder: Annotated[Path, typer.Option("--output", "--to", help="The project folder to copy into.")] = Path(),
) -> None:
    """Copy one shipped file into a project folder. Nothing is overwritten."""
    matching = [path for path in _shipped() if name in (path.as_posix(), path.name, path.stem)]
    if not matching:
        raise UserError(
            f"the package ships no file called '{name}'",
            hint="'augment-correction list' prints the names of all shipped files",
        )
    for path in matching:
        _copy(path, folder)


def _shipped() -> Iterator[Path]:
    """Relative to the project folder."""
    root = bundled()
    for top in EDITED_FOLDERS:
        folders = [root / top / name for name in EXAMPLES] if top == "inputs" else [root / top]
        files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
        yield from sorted(path.relative_to(root) for path in files)


def _copy(path: Path, folder: Path) -> None:
    target = folder / path
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise UserError(
            f"{target.parent} leads out of {folder}",
            hint="a symbolic link stands in the way: move it, or name another folder",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("xb") as file:  # never through a link, not even one that leads nowhere
            file.write((bundled() / path).read_bytes())
    except FileExistsError:
        say(f"skip (exists)  {target}")
        return
    say(f"write          {target}")
