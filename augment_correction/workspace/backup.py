"""All that a workspace keeps, as a folder, and back: the database (SQLite's own copy, or PostgreSQL's `pg_dump`) and the storage folder.

It is taken while the workspace runs: every database is copied as of one moment, those in the storage folder, too."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from augment_correction.errors import InputError
from augment_correction.folders import private_folder
from augment_correction.workspace.settings import Settings

SQLITE, DUMP, STORAGE = "workspace.db", "workspace.dump", "storage.tar.gz"
PASSING = (".slot", "-wal", "-shm", ".lock")
"""Ends of names of what running processes hold."""
ALL_ROWS = "-c workspace.organisation=*"
"""Row-level security binds the workspace's own role: a dump by it has the rows of all organisations only so."""


def back_up(settings: Settings, folder: Path) -> list[Path]:
    """The files that were written, readable by their owner alone.

    Raises: InputError where there is a backup already, or the database cannot be copied."""
    private_folder(folder)
    if found := [each for each in (SQLITE, DUMP, STORAGE) if (folder / each).exists()]:
        raise InputError(f"{folder} holds a backup already ({', '.join(found)})", hint="name another folder")
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        made = folder / SQLITE
        _copy_sqlite(Path(url.database or ""), made)
    else:
        made = folder / DUMP
        _run(url, "pg_dump", "--format=custom", "--no-owner", "--enable-row-security", f"--file={made}")
    made.chmod(0o600)
    return [made, _pack(settings, folder / STORAGE)]


def restore(settings: Settings, folder: Path) -> None:
    """Into an empty database and a storage folder that is not there, or empty.

    Raises: InputError where something is there already, or the backup is of the other kind of database."""
    url = make_url(settings.database_url)
    sqlite = url.get_backend_name() == "sqlite"
    kept = folder / (SQLITE if sqlite else DUMP)
    for each in (kept, folder / STORAGE):
        if not each.is_file():
            raise InputError(f"{each} is not there", hint="name the folder that `workspace backup` wrote")
    there = (
        [each for each in settings.storage.iterdir() if each.name != "secret_key"] if settings.storage.is_dir() else []
    )
    if there:
        raise InputError(
            f"{settings.storage} is not empty", hint="name another one in LL_MODEL_STORAGE_DIR, or move it away"
        )
    private_folder(settings.storage)
    with tarfile.open(folder / STORAGE) as packed:
        packed.extraction_filter = getattr(tarfile, "tar_filter", None)  # Python 3.11.4 has it
        packed.extractall(settings.storage)
    if sqlite:
        shutil.copyfile(kept, url.database or "")
        Path(url.database or "").chmod(0o600)
    else:
        _run(
            url,
            "pg_restore",
            "--no-owner",
            "--single-transaction",
            "--exit-on-error",
            f"--dbname={url.database}",
            str(kept),
        )


def _copy_sqlite(source: Path, made: Path) -> None:
    """As it is at one moment, with what stands in its write-ahead log."""
    if not source.is_file():
        raise InputError(
            f"there is no database at {source}", hint="LL_DATABASE_URL and LL_MODEL_STORAGE_DIR say where it is"
        )
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(made)) as written:
        read.backup(written)


def _pack(settings: Settings, made: Path) -> Path:
    """The storage folder, with each journal and store in it as of one moment; the workspace's own database is copied apart."""
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with (
        os.fdopen(descriptor, "wb") as file,
        tarfile.open(fileobj=file, mode="w:gz") as packed,
        tempfile.TemporaryDirectory(prefix="workspace-backup-") as temporary,
    ):
        for path in sorted(settings.storage.rglob("*")):
            name = path.relative_to(settings.storage)
            if path.name.startswith(SQLITE) or path.name.endswith(PASSING):
                continue
            if path.suffix == ".sqlite" and path.is_file():
                copied = Path(temporary) / "copy"
                _copy_sqlite(path, copied)
                copied.chmod(0o600)
                packed.add(copied, str(name))
                copied.unlink()
            else:
                packed.add(path, str(name), recursive=False)
    return made


def _run(url: URL, program: str, *words: str) -> None:
    """The password goes by the environment: a list of processes shows the words.

    Raises: InputError with what the program says."""
    found = shutil.which(program) or next(
        (str(each) for each in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))), None
    )
    if found is None:
        raise InputError(
            f"{program} is not installed", hint="it comes with PostgreSQL's client: apt install postgresql-client"
        )
    host = url.query.get("host") or url.host
    given = {
        "PGHOST": host,
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }
    environment = {**os.environ, "PGOPTIONS": ALL_ROWS, **{name: str(value) for name, value in given.items() if value}}
    ended = subprocess.run([found, *words], env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise InputError(f"{program} failed: {ended.stderr.strip()[-500:]}")
