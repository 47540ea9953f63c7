"""Locks of files. One process holds a lock, the system frees it when the last process that inherited it has ended, however that
ended, and to ask whether somebody holds it disturbs nobody."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import IO

from augment_correction.errors import InputError

MOMENT = 0.001
"""Seconds that `hold` waits before it tries again. Whoever only asks has the file locked for some microseconds."""
OpenFile = int | IO[str] | IO[bytes]


def hold(file: OpenFile, path: Path) -> bool:
    """Lock the open `file`, which lies at `path`, for this process and those that inherit its descriptor. Returns False if somebody
    else holds it.

    Raises: InputError where the file system has no locks.
    """
    while not _locked(file, path, fcntl.LOCK_EX):
        if is_held(file, path):
            return False
        time.sleep(MOMENT)  # nobody holds it: somebody was just asking
    return True


def is_held(file: OpenFile, path: Path) -> bool:
    """Whether somebody else holds the file. To ask, this takes a shared lock and gives it back at once: any number of processes that
    ask can have one at the same time, and none of them gets one while somebody holds the file.

    Raises: InputError where the file system has no locks.
    """
    if not _locked(file, path, fcntl.LOCK_SH):
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def take(file: OpenFile, path: Path, *, shared: bool) -> bool:
    """Lock the open `file`, which lies at `path`, together with others who share it, or alone. Returns False if somebody has a lock
    that does not allow it. `hold` and `is_held` must not be used on such a file: they take each shared lock for that of somebody
    who only asks, and expect it to be gone in a moment.

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
