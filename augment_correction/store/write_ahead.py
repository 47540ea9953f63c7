"""SQLite's write-ahead log, turned on for a file that others may be opening at the same moment."""

from __future__ import annotations

import sqlite3
import time

WAIT = 30.0
"""Seconds."""
_AGAIN = 0.02


def write_ahead(connection: sqlite3.Connection, wait: float = WAIT) -> None:
    """Of those who open a new file at once SQLite refuses all but one, whatever its time to wait: nobody else may hold the file while it
    changes to WAL (of 4 threads and 300 new files 20 openings failed). So we wait here.

    Raises: sqlite3.OperationalError where that does not come to pass in so many seconds.
    """
    until = time.monotonic() + wait
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as failure:
            if failure.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_AGAIN)
