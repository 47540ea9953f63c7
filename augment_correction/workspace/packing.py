"""A storage folder as one archive, while others write into it, and back."""

from __future__ import annotations

import gzip
import os
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

from augment_correction.errors import InputError
from augment_correction.folders import private_folder
from augment_correction.workspace.datasets import is_upload
from augment_correction.workspace.sqlite_copies import BESIDE, copy_database, is_database, new_private_file

LOCKS = (".slot", ".lock")
"""Ends of names of what running processes hold."""
TRIES = 3


def database_files(database: Path) -> list[Path]:
    """The SQLite database and what may lie beside it."""
    return [database, *(database.with_name(database.name + end) for end in BESIDE)]


def pack(storage: Path, made: Path, leaving_out: Collection[Path] = ()) -> Path:
    """Each database as of one moment; what disappears meanwhile is left out. Files that a person has uploaded are taken as they are,
    whatever their names.

    Raises: OSError for what is there and cannot be read; sqlite3.Error for a broken database."""
    storage = storage.resolve()
    left_out = {each.parent.resolve() / each.name for each in leaving_out}
    with (
        new_private_file(made) as file,
        tarfile.open(fileobj=file, mode="w:gz") as packed,
        tempfile.TemporaryDirectory(prefix="workspace-backup-") as temporary,
    ):
        for path in _below(storage):
            name = path.relative_to(storage)
            if path not in left_out and (is_upload(name) or not _passing(path)):
                _add(packed, path, name, Path(temporary) / "copy")
    return made


def unpack(packed: Path, folder: Path) -> None:
    """Raises: InputError where it is no archive; OSError."""
    private_folder(folder)
    try:
        with tarfile.open(packed) as archive:
            archive.extraction_filter = getattr(tarfile, "tar_filter", None)  # Python 3.11.4 has it
            archive.extractall(folder)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as failure:
        raise InputError(f"{packed} is not a whole archive: {failure}", hint="take another backup") from None


def _below(storage: Path) -> Iterator[Path]:
    """Raises: OSError where a folder that is there cannot be read."""
    for folder, folders, files in os.walk(storage, onerror=_unless_gone):
        folders.sort()
        yield from (Path(folder, name) for name in sorted([*folders, *files]))


def _unless_gone(failure: OSError) -> None:
    if not isinstance(failure, FileNotFoundError):
        raise failure


def _passing(path: Path) -> bool:
    """Locks, and what SQLite keeps beside a database, which the copy of the database holds already."""
    end = next((end for end in BESIDE if path.name.endswith(end)), None)
    return path.name.endswith(LOCKS) or (end is not None and _was_database(path.with_name(path.name[: -len(end)])))


def _was_database(path: Path) -> bool:
    return is_database(path) or not path.exists()


def _add(packed: tarfile.TarFile, path: Path, name: Path, copied: Path) -> None:
    try:
        if is_upload(name) or path.is_symlink() or not is_database(path):
            _add_file(packed, path, name)
            return
        copy_database(path, copied)
        packed.add(copied, str(name))
    except (FileNotFoundError, InputError, sqlite3.Error):
        if path.exists():
            raise
    finally:
        copied.unlink(missing_ok=True)


def _add_file(packed: tarfile.TarFile, path: Path, name: Path) -> None:
    """One that is cut short while it is read is read again: of two of a name the later one counts."""
    if path.is_symlink() or not path.is_file():
        packed.add(path, str(name), recursive=False)
        return
    for _ in range(TRIES):
        with path.open("rb") as file:
            told = packed.gettarinfo(arcname=str(name), fileobj=file)
            whole = _Whole(file)
            packed.addfile(told, whole)  # type: ignore[arg-type]
        if not whole.padded:
            return


class _Whole:
    """Reads as many bytes as are asked for: an archive has told the size before."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.padded = file, False

    def read(self, count: int) -> bytes:
        data = self._file.read(count)
        self.padded |= len(data) < count
        return data.ljust(count, b"\0")
