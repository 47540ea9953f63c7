"""Locked files: held by one, free when its last process ends however it ends, and asked about without being in anybody's way."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import IO

from augment_correction.errors import InputError

MOMENT = 0.001
"""Seconds until an asker is out of the way; it looks for some microseconds."""
OpenFile = int | IO[str] | IO[bytes]


def hold(file: OpenFile, path: Path) -> bool:
    """Lock the file at `path`, which is open, for this process and those that inherit its descriptor. False where somebody else
    holds it.

    Raises: InputError where the file system has no locks.
    """
    while not _locked(file, path, fcntl.LOCK_EX):
        if is_held(file, path):
            return False
        time.sleep(MOMENT)  # only askers were in the way
    return True


def is_held(file: OpenFile, path: Path) -> bool:
    """Whether somebody else holds it. Asking takes the shared lock, which any number of askers has and no holder, and gives it
    back.

    Raises: InputError where the file system has no locks.
    """
    if not _locked(file, path, fcntl.LOCK_SH):
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def take(file: OpenFile, path: Path, *, shared: bool) -> bool:
    """Lock the file at `path`, which is open, together with others who share it, or alone. False where somebody holds it
    otherwise. Such a file is no matter of `hold` and `is_held`, which take a shared lock for an asker's.

    Raises: InputError where the file system has no locks.
    """
    return _locked(file, path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def _locked(file: OpenFile, path: Path, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as failure:
        raise InputError(
            f"{path} cannot be locked: {failure.strerror}",
            hint="use a folder on a file system with locks; Lustre has them where it is mounted with the option flock",
        ) from None
    return True
