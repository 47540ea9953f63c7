"""All spellings by name, each written to a folder of its own that appears whole or not at all."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from augment_correction.errors import AugmentCorrectionError, InputError
from augment_correction.export import axolotl
from augment_correction.export.source import ExportSource
from augment_correction.export_formats import DATASET, FORMATS, ExportFormat, known_format
from augment_correction.folders import own_folder, to_disk
from augment_correction.plugins import failed
from augment_correction.store.folder import RunFolder, atomic_write

NOT_CUT = (
    "the rows were cut without a tokenizer, so that the tokens beside a cut may be others than in use: give --tokenizer "
    "PATH_OR_ID, and 'verify' tells whether the mask is right"
)


@dataclass(frozen=True, slots=True)
class Exported:
    name: str
    path: Path
    notices: tuple[str, ...] = ()


def export(names: Sequence[str], source: ExportSource, run: RunFolder) -> Iterator[Exported]:
    """Write each spelling; an earlier one stays until the new one is whole.

    Raises: InputError where there is nothing to write or a spelling cannot say this mask.
    """
    if next(source.conversations(), None) is None:
        raise InputError(
            f"{run.root} has no conversations to export; earlier exports stay as they are",
            hint="rejected.jsonl lists the reasons",
        )
    for name in dict.fromkeys(names):
        try:
            known_format(name)
        except ValueError as failure:
            raise InputError(str(failure)) from None
        if name == DATASET:
            yield Exported(name, _write_dataset(source, run), () if source.tokenizer else (NOT_CUT,))
            continue
        own_folder(run.root / "exports")
        folder = run.root / "exports" / name
        with replaced_folder(folder) as made:
            notices = write_format(name, source, made)
        yield Exported(name, folder, notices)


def write_format(name: str, source: ExportSource, folder: Path) -> tuple[str, ...]:
    """Write one format into the folder; returns its notices.

    Raises: InputError where it cannot say this mask, or a registered one fails.
    """
    form = FORMATS[name]
    if isinstance(form.write, str):
        return tuple(placed(form.write)(source, folder))
    try:
        notices = form.write(source, folder)
    except AugmentCorrectionError:
        raise
    except Exception as failure:
        raise InputError(
            f"the export format '{name}' ({form.author}) failed: {failed(failure, form.write)}",
            hint="correct it, and write the format with 'export': no model is asked",
        ) from failure
    if notices is None:
        return ()
    if isinstance(notices, str) or not all(isinstance(each, str) for each in notices):
        raise InputError(
            f"the export format '{name}' ({form.author}) returned {notices!r:.80}: it returns a list of notices, or None"
        )
    return tuple(notices)


def placed(place: str) -> Any:
    """What stands in this package at `module.name`."""
    module, name = place.split(".")
    return getattr(import_module(f"augment_correction.export.{module}"), name)


def _write_dataset(source: ExportSource, run: RunFolder) -> Path:
    """Axolotl's cache does not look into the file: the configs' prepared path changes with its content."""
    digest = axolotl.write_segments(run.dataset, source.conversations(), source.template, source.tokenizer)
    for path in run.axolotl_configs():
        text = path.read_text(encoding="utf-8")
        with atomic_write(path) as file:
            file.write(re.sub(r"(?<=/prepared/)[0-9a-f]{12}\b", digest, text).encode())
    return run.dataset


def register_export(
    name: str, write: Callable[[ExportSource, Path], Sequence[str] | None], *, compare: bool = True
) -> None:
    """Register an export format of your own, so that `output.formats` and `export --format NAME` know it.

    `write` is called with an `ExportSource` and an empty folder, writes its files there, and returns notices for the summary, or
    None. The folder takes the place of `exports/NAME` once all of it is written; an error leaves the earlier one as it was. The
    loss mask is `turn.train` and `turn.masked` of each turn (see `Turn`); raise `InputError` where the format cannot say it.

    `verify` writes the format into a temporary folder and compares file by file, rows of `.jsonl` row by row. Give
    `compare=False` where two writings differ (a time stamp in a file): `verify` then says that it was not compared.

    Call it before a config that names it is loaded; in an installed package, in the module that its entry point
    `augment_correction.plugins` names. To register the same name again replaces your own format.

    Raises: ValueError where the name is one of ours, or not lower-case words joined by `_`.

    >>> def write_plain(source: ExportSource, folder: Path) -> None:
    ...     with (folder / "turns.txt").open("w", encoding="utf-8") as file:
    ...         for conversation in source.conversations():
    ...             for turn in conversation.turns:
    ...                 print(turn.role, turn.train, turn.text, sep="\\t", file=file)
    >>> register_export("plain_turns", write_plain)
    """
    if name == DATASET or (name in FORMATS and FORMATS[name].ours):
        raise ValueError(f"'{name}' is an export format of augment_correction: give yours another name")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"the name of an export format is lower-case words joined by _, not {name!r}")
    FORMATS[name] = ExportFormat(write, compare=compare)


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """An empty folder to write into that takes the place of `folder` at the end; after an error nothing has changed."""
    made, old = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old")
    folder.parent.mkdir(parents=True, exist_ok=True)
    if old.exists() and not folder.exists():
        old.replace(folder)  # the machine stopped between the two renames below
    _remove(made, old)
    made.mkdir()
    try:
        yield made
        for path in [*made.rglob("*"), made]:
            to_disk(path)
        if folder.exists():
            folder.replace(old)
        made.replace(folder)
    finally:
        _remove(made, old)


def _remove(*folders: Path) -> None:
    for folder in folders:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder, ignore_errors=True)
