"""What lies in a folder that anybody can write to: only regular files and folders are taken, under names that can be stored."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.text import OBEYED

LONGEST_NAME = 180
"""Bytes. A file name may have 255, and ours adds the job's number, `.reason.txt` and, while it is written, `.part`."""
LONGEST_ENDING = 10
HASH_DIGITS = 8
KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def refuse_special(path: Path) -> None:
    """A link may lead anywhere, and opening a pipe or a device may wait for ever.

    Raises: InputError where `path` is neither a regular file nor a folder; OSError where it is gone.
    """
    kind = KINDS.get(stat.S_IFMT(path.lstat().st_mode))
    if kind is not None:
        raise InputError(
            f"{path.name} is {kind}; only regular files and output folders of runs are taken",
            hint="copy the file itself, or write the path of a run's output folder into a .txt file",
        )


def is_special(path: Path) -> bool:
    """Raises: OSError where it is gone."""
    return stat.S_IFMT(path.lstat().st_mode) in KINDS


def is_regular(path: Path) -> bool:
    """False for a link, wherever it leads, and where there is nothing."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def signature(path: Path) -> object:
    """It changes with every write below `path`; links are not followed. Raises: OSError where something goes meanwhile."""
    stats = [(str(each), each.lstat()) for each in _everything(path)]
    return [(name, found.st_size, found.st_mtime_ns, found.st_ino) for name, found in stats]


def _everything(path: Path) -> Iterator[Path]:
    yield path
    if not path.is_symlink():
        for folder, folders, files in os.walk(path):
            yield from (Path(folder, name) for name in sorted(folders) + sorted(files))


def storable(name: str) -> str:
    """`name` where it is valid UTF-8 without control characters, of at most LONGEST_NAME bytes; else its beginning with a hash of the whole
    before the ending, the same for the rows (`x.jsonl`) as for their metadata (`x.json`)."""
    plain = OBEYED.sub("_", os.fsencode(name).decode("utf-8", "replace"))
    if plain == name and len(name.encode()) <= LONGEST_NAME:
        return name
    ending = Path(plain).suffix
    if len(ending.encode()) > LONGEST_ENDING:
        ending = ""
    stem = plain.removesuffix(ending)
    hashed = os.fsencode(name.removesuffix(ending))
    kept = stem.encode()[: LONGEST_NAME - LONGEST_ENDING - HASH_DIGITS - 1].decode("utf-8", "ignore")
    return f"{kept}-{hashlib.sha256(hashed).hexdigest()[:HASH_DIGITS]}{ending}"
