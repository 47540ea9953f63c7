"""Files and folders that are not ours alone: another process may rename or delete them while we look at them, a stranger may
have put links among them, and another user of the machine may want to read them.

`Path.rglob` is no good there: it lists a folder some time after it saw it, and raises FileNotFoundError out of the middle
of the walk where the folder is gone by then (measured with pip's temporary folders).
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import IO


def cache_folder() -> Path:
    """$AUGMENT_CORRECTION_CACHE, else a folder in $XDG_CACHE_HOME, else one in `~/.cache`."""
    if own := os.environ.get("AUGMENT_CORRECTION_CACHE"):
        return Path(own).expanduser()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg) / "augment_correction"
    return Path.home() / ".cache" / "augment_correction"


def private_folder(path: Path) -> None:
    """Makes it where it is not there, for its owner alone: documents, prompts and replies are other people's text. One
    that is there keeps its mode, so that a team shares a folder by making it first or by `chmod`."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def own_folder(path: Path) -> None:
    """A private folder inside of one of ours. A link there is taken away, and what it leads to is left in peace: in a
    run's folder that somebody handed over, `report_data` may lead to the reader's own files."""
    if path.is_symlink():
        path.unlink()
    private_folder(path)


def new_file(path: Path | str) -> IO[bytes]:
    """Opened for writing, in the place of what is there; a link is replaced and never followed."""
    return os.fdopen(_created(path), "wb")


def write_new(path: Path | str, data: bytes) -> None:
    """The same for what is written at once: one of a hundred thousand files costs half as much."""
    descriptor = _created(path)
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)


def _created(path: Path | str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(path, flags, 0o666)
    except FileExistsError:
        with suppress(FileNotFoundError):
            Path(path).unlink()
        return os.open(path, flags, 0o666)


def to_disk(path: Path) -> None:
    """Returns when a file's content, or a folder's list of files, outlasts a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def size_of(path: Path) -> int | None:
    """Bytes of the file at `path`; None where there is none, or none any more."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def modified(path: Path) -> float:
    """Seconds since 1970; 0 for what is not there any more."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def bytes_below(folder: Path) -> int:
    """Of all files that are there at the moment; what disappears meanwhile counts nothing."""
    files = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return sum(size_of(file) or 0 for file in files)
