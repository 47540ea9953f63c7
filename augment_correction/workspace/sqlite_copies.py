"""SQLite databases copied while others write to them."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import IO
from urllib.parse import quote

from augment_correction.errors import InputError

BESIDE = ("-wal", "-shm", "-journal")
"""Ends of names of the files that SQLite keeps beside a database while it is open."""


def copy_database(source: Path, made: Path) -> None:
    """As it is at one moment, with what stands in its write-ahead log; only its owner can read the copy.

    Raises: InputError where it is not there; sqlite3.Error where it is no database."""
    if not source.is_file():
        raise InputError(
            f"there is no database at {source}", hint="LL_DATABASE_URL and LL_MODEL_STORAGE_DIR say where it is"
        )
    new_private_file(made).close()
    there = f"file:{quote(str(source.absolute()))}?mode=rw"  # one that vanishes now is not made anew
    with closing(sqlite3.connect(there, uri=True)) as read, closing(sqlite3.connect(made)) as written:
        read.backup(written)


def is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError:
        return False


def new_private_file(path: Path) -> IO[bytes]:
    """Nobody else can read it, from the beginning on.

    Raises: FileExistsError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
