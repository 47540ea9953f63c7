"""The tables as this version wants them: every start brings the database there, and of several starts at once one does it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from augment_correction.errors import ConfigError
from augment_correction.workspace.database import Database
from augment_correction.workspace.encryption import Cipher

_LOCK = 7_203_771_946_318_002
"""Any number; PostgreSQL's advisory lock of this name is ours."""

_NOT_ALLOWED = "42501"
"""PostgreSQL's insufficient_privilege."""


def migrate(database: Database, to: str = "head", *, cipher: Cipher | None = None) -> None:
    """In one transaction, which others wait for: a start that breaks off leaves the tables as they were. `cipher` is needed where
    secrets of earlier versions are there.

    Raises: ConfigError where a later version of the program has written them, or they are not ours to change."""
    try:
        _migrate(database, to, cipher)
    except ProgrammingError as failure:
        if getattr(failure.orig, "sqlstate", "") != _NOT_ALLOWED:
            raise
        raise ConfigError(
            f"the workspace's tables must be brought up to date, and the role of LL_DATABASE_URL may not: {failure.orig}",
            hint="run `workspace migrate` once with the URL of the role that owns them",
        ) from None


def _migrate(database: Database, to: str, cipher: Cipher | None) -> None:
    with database.engine.execution_options(writes=True).begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": _LOCK})
        config = _config(connection)
        config.attributes["cipher"] = cipher
        _refuse_later(config, connection)
        command.upgrade(config, to)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _refuse_later(config: Config, connection: Connection) -> None:
    from alembic.migration import MigrationContext

    found = MigrationContext.configure(connection).get_current_heads()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if set(found) - known:
        raise ConfigError(
            f"the workspace's database is at version {', '.join(found)}, which this program does not know",
            hint="install the version of the program that wrote it, or restore the backup from before the upgrade",
        )
