"""All that a workspace keeps, as a folder, and back: the database (SQLite's own copy, or PostgreSQL's `pg_dump`) and the storage folder.

It is taken while the workspace runs: every database is copied as of one moment, those in the storage folder, too."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from augment_correction.errors import InputError
from augment_correction.folders import private_folder
from augment_correction.store.folder import atomic_write
from augment_correction.workspace import postgres_tools
from augment_correction.workspace.packing import database_files, pack, unpack
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.sqlite_copies import copy_database

SQLITE, DUMP, STORAGE = "workspace.db", "workspace.dump", "storage.tar.gz"
RESTORING = ".restoring"
"""In the storage folder: what is unpacked, until all of it is there."""


def back_up(settings: Settings, folder: Path) -> list[Path]:
    """The files that were written, readable by their owner alone. They appear in `folder` when both are whole: what an attempt that
    failed leaves behind does not stand in the way of the next one.

    Raises: InputError where there is a backup already, or something cannot be copied."""
    storage = settings.storage.resolve()
    if folder.resolve() == storage or storage in folder.resolve().parents:
        raise InputError(f"{folder} lies in the storage folder {storage}", hint="name a folder outside of it")
    private_folder(folder)
    if found := [each for each in (SQLITE, DUMP, STORAGE) if (folder / each).exists()]:
        raise InputError(f"{folder} holds a backup already ({', '.join(found)})", hint="name another folder")
    url = make_url(settings.database_url)
    with _readable(), tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as unfinished:
        if url.get_backend_name() == "sqlite":
            database = Path(unfinished) / SQLITE
            copy_database(Path(url.database or ""), database)
        else:
            database = Path(unfinished) / DUMP
            postgres_tools.dump(url, database)
        packed = pack(storage, Path(unfinished) / STORAGE, leaving_out=_database_files(settings))
        return [each.rename(folder / each.name) for each in (database, packed)]


def restore(settings: Settings, folder: Path) -> None:
    """Into an empty database and a storage folder that is not there, or empty. Where unpacking or the database fails, both are empty again.

    Raises: InputError where something is there already, or the backup is of the other kind of database."""
    url = make_url(settings.database_url)
    sqlite = url.get_backend_name() == "sqlite"
    kept = folder / (SQLITE if sqlite else DUMP)
    for each in (kept, folder / STORAGE):
        if not each.is_file():
            raise InputError(f"{each} is not there", hint="name the folder that `workspace backup` wrote")
    _require_empty(settings)
    private_folder(settings.storage)
    unpacked = settings.storage / RESTORING
    shutil.rmtree(unpacked, ignore_errors=True)
    try:
        with _readable():
            unpack(folder / STORAGE, unpacked)
            if sqlite:
                _put_sqlite(kept, Path(url.database or ""))
            else:
                postgres_tools.restore(url, kept)
            own = _database_files(settings)
            for each in sorted(unpacked.iterdir()):
                if (placed := settings.storage / each.name) not in own:
                    each.rename(placed)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def secret_is_kept(settings: Settings) -> bool:
    """Whether the secret stands in the storage folder, and so in its backup; else it came from the environment."""
    try:
        return (settings.storage / "secret_key").read_bytes().strip() == settings.secret
    except OSError:
        return False


def _require_empty(settings: Settings) -> None:
    """A log that an older database left behind would be played into the one that takes its place.

    Raises: InputError with what is there."""
    storage = settings.storage
    there = [each for each in storage.iterdir() if each.name != RESTORING] if storage.is_dir() else []
    if any(not each.name.startswith("secret_key") for each in there):
        raise InputError(f"{storage} is not empty", hint="name another one in LL_MODEL_STORAGE_DIR, or move it away")
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite":
        postgres_tools.require_empty(settings.database_url)
    elif there := [each for each in _database_files(settings) if each.exists() and each.stat().st_size]:
        raise InputError(
            f"{' and '.join(map(str, there))} {'is' if len(there) == 1 else 'are'} there already",
            hint="name another database in LL_DATABASE_URL, or move these files away",
        )


def _database_files(settings: Settings) -> list[Path]:
    """As SQLAlchemy opens it; none where PostgreSQL has it."""
    url = make_url(settings.database_url)
    return database_files(Path(url.database)) if url.get_backend_name() == "sqlite" and url.database else []


def _put_sqlite(kept: Path, database: Path) -> None:
    """It appears whole, and for its owner alone: nothing that looks for it meets a half."""
    with kept.open("rb") as read, atomic_write(database) as written:
        os.fchmod(written.fileno(), 0o600)
        shutil.copyfileobj(read, written)


@contextmanager
def _readable() -> Iterator[None]:
    """Raises: InputError in place of what the system or SQLite says of a file."""
    try:
        yield
    except OSError as failure:
        where = f"{failure.filename}: " if failure.filename else ""
        raise InputError(
            f"{where}{failure.strerror or failure}",
            hint="check the free space on the disk, and that this user may read and write these files",
        ) from None
    except sqlite3.Error as failure:
        raise InputError(f"the database cannot be copied: {failure}") from None
