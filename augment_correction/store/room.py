"""Is it the disk that has no room? Then nothing is wrong with the data, and waiting helps."""

from __future__ import annotations

import errno
import sqlite3


def no_room(failure: BaseException) -> bool:
    """SQLite calls a full disk an I/O error where it meets it in its write-ahead log's index."""
    if isinstance(failure, OSError):
        return failure.errno in (errno.ENOSPC, errno.EDQUOT)
    codes = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
    return isinstance(failure, sqlite3.Error) and getattr(failure, "sqlite_errorcode", 0) & 0xFF in codes
