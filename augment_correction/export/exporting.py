"""All spellings by name, each written to a folder of its own that appears whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.export import axolotl, axolotl_chat, hf, openai, sharegpt, trl, trl_pairs
from augment_correction.export.source import ExportSource
from augment_correction.folders import own_folder
from augment_correction.store.folder import RunFolder, atomic_write

FORMATS: Mapping[str, Callable[[ExportSource, Path], list[str]]] = {
    "axolotl_chat": axolotl_chat.write,
    "openai": openai.write,
    "trl": trl.write,
    "sharegpt": sharegpt.write,
    "hf": hf.write,
    "dpo": trl_pairs.write_dpo,
    "kto": trl_pairs.write_kto,
}
"""`axolotl` is not among them: it is the dataset itself, a file and no folder."""

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
        if name == "axolotl":
            yield Exported(name, _write_dataset(source, run), () if source.tokenizer else (NOT_CUT,))
            continue
        own_folder(run.root / "exports")
        folder = run.root / "exports" / name
        with replaced_folder(folder) as made:
            notices = FORMATS[name](source, made)
        yield Exported(name, folder, tuple(notices))


def _write_dataset(source: ExportSource, run: RunFolder) -> Path:
    """Axolotl's cache does not look into the file: the configs' prepared path changes with its content."""
    digest = axolotl.write_segments(run.dataset, source.conversations(), source.template, source.tokenizer)
    for path in run.axolotl_configs():
        text = path.read_text(encoding="utf-8")
        with atomic_write(path) as file:
            file.write(re.sub(r"(?<=/prepared/)[0-9a-f]{12}\b", digest, text).encode())
    return run.dataset


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
        _sync(made)
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


def _sync(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
