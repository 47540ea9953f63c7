"""When is a file completely written? When its writer says so by a rename, or when nothing about it moves any more."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from augment_correction.worker.entries import is_special, signature

UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".swp", "~")
"""Endings that say "not yet", as does a dot in front; the rename to the real name then says "now"."""
PATIENCE = 10
"""How many times longer to wait for what looks cut off."""


class Arrivals:
    """What was last seen of each entry. Needs the main thread: a lease is told of by a signal."""

    def __init__(self, settle_seconds: float) -> None:
        self._settle = settle_seconds
        self._seen: dict[Path, tuple[object, float]] = {}
        # Who opens a file in the instant in which we ask for it has this sent to us, which would end the process.
        if hasattr(signal, "SIGIO"):
            signal.signal(signal.SIGIO, signal.SIG_IGN)

    def whole(self, entries: Iterable[Path]) -> list[Path]:
        """Those that may be taken, the oldest first; metadata (.json) behind the rows. Call it with all that is there:
        who is missing is forgotten."""
        there = {path for path in entries if not path.name.startswith(".") and not path.name.endswith(UNFINISHED)}
        self._seen = {path: seen for path, seen in self._seen.items() if path in there}
        return sorted((path for path in there if self._still(path)), key=_turn)

    def _still(self, path: Path) -> bool:
        try:
            if is_special(path):
                return True  # never opened: it is refused as it lies there
            now, looks = time.monotonic(), signature(path)
            seen, since = self._seen.get(path, (None, now))
            if looks != seen:
                self._seen[path] = (looks, now)
                return False
            patience = self._settle if _looks_whole(path) else self._settle * PATIENCE
            return now - since >= patience and not _written_to(path)
        except OSError:  # gone between two looks
            return False


def _turn(path: Path) -> tuple[bool, float, str]:
    try:
        return (path.suffix == ".json", path.lstat().st_mtime, path.name)
    except OSError:
        return (True, 0.0, path.name)


def _looks_whole(path: Path) -> bool:
    if path.is_dir():
        return (path / "run.json").is_file()
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 1))
        return file.read() in (b"\n", b"]", b"}")


def _written_to(path: Path) -> bool:
    """Some process has the file open for writing. Only Linux's local file systems tell; elsewhere never."""
    if path.is_dir() or not hasattr(fcntl, "F_SETLEASE"):
        return False
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as failure:
        return failure.errno == errno.EAGAIN
    finally:
        os.close(descriptor)
    return False
