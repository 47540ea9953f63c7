"""`pg_dump` and `pg_restore`, which reach the database with every option by which the workspace does."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import URL

from augment_correction.errors import InputError
from augment_correction.workspace.database import DATABASE_AWAY, Database
from augment_correction.workspace.sqlite_copies import new_private_file

ALL_ROWS = "-c workspace.organisation=*"
"""Row-level security binds the workspace's own role: a dump by it has the rows of all organisations only so."""
SECRETS = ("sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
"""Options that PostgreSQL's programs take by their words alone, which a list of processes shows."""


def dump(url: URL, made: Path) -> None:
    """Only its owner can read it.

    Raises: InputError with what the program says."""
    new_private_file(made).close()
    _run(url, "pg_dump", "--format=custom", "--no-owner", "--enable-row-security", f"--file={made}")


def restore(url: URL, kept: Path) -> None:
    """All of it or nothing.

    Raises: InputError with what the program says."""
    _run(url, "pg_restore", "--no-owner", "--single-transaction", "--exit-on-error", str(kept))


def require_empty(address: str) -> None:
    """Raises: InputError where the database holds tables, or cannot be reached."""
    with closing(Database(address, pool=1)) as database:
        try:
            found = inspect(database.engine).get_table_names()
        except DATABASE_AWAY as failure:
            raise InputError(f"the database cannot be reached: {getattr(failure, 'orig', None) or failure}") from None
    if found:
        raise InputError(f"the database holds {len(found)} tables already", hint="name an empty one in LL_DATABASE_URL")


def connection_words(url: URL) -> tuple[str, str]:
    """What psycopg would be given, as one text of libpq, and the password, which does not stand in it.

    Raises: InputError for another secret."""
    from psycopg import pq
    from psycopg.conninfo import make_conninfo

    engine = create_engine(url.set(drivername="postgresql+psycopg"))
    given = engine.dialect.create_connect_args(engine.url)[1]
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    options = {name: value for name, value in given.items() if name in known}
    if shown := [name for name in SECRETS if name in options]:
        raise InputError(
            f"LL_DATABASE_URL has {shown[0]}, which pg_dump and pg_restore take only where every user of the machine sees it",
            hint="name a key without a password for this command",
        )
    password = str(options.pop("password", ""))
    options["options"] = f"{options.get('options', '')} {ALL_ROWS}".strip()
    return make_conninfo("", **options), password


def _run(url: URL, program: str, *words: str) -> None:
    """The password goes by the environment.

    Raises: InputError with what the program says."""
    database, password = connection_words(url)
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    ended = subprocess.run(
        [_found(program), f"--dbname={database}", *words], env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise InputError(f"{program} failed: {ended.stderr.strip()[-500:]}")


def _found(program: str) -> str:
    """The one on the path, else the newest of Debian's; an older one refuses a newer server.

    Raises: InputError."""
    debians = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=_version)
    found = shutil.which(program) or next((str(each) for each in reversed(debians)), None)
    if found is None:
        raise InputError(
            f"{program} is not installed", hint="it comes with PostgreSQL's client: apt install postgresql-client"
        )
    return found


def _version(program: Path) -> int:
    name = program.parents[1].name
    return int(name) if name.isdecimal() else 0
