"""Sessions that are bound to one organisation: what they read and write is that organisation's, whatever a statement says.

SQLite and PostgreSQL alike. Transactions are short: nobody holds one while a model answers or a reply is streamed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria

from augment_correction.errors import ConfigError
from augment_correction.store.write_ahead import write_ahead
from augment_correction.workspace.tables import OwnedRow

DATABASE_AWAY: Final = (OperationalError, InterfaceError, PoolTimeout)
"""What is raised while the database cannot be reached, or does not come to us in time."""
SYSTEM: Final = "*"
"""In the place of an organisation: all of them. Only signing in, the worker and the account pages ask for it, by `as_system`."""
BUSY_SECONDS = 30


class ForeignRow(RuntimeError):
    """A row of another organisation would have been written: a bug, and never what a user did."""


class Database:
    """`url` as SQLAlchemy has it: sqlite:///file or postgresql://..."""

    def __init__(self, url: str, pool: int = 5) -> None:
        self.engine = _engine(url, pool)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self, organisation: str = "") -> Iterator[Session]:
        """Only reading; without an `organisation` no row of any is seen."""
        with self._session(organisation, writes=False) as session:
            yield session

    @contextmanager
    def write(self, organisation: str = "") -> Iterator[Session]:
        """One transaction, committed at the end. On SQLite it waits for the other writers here and not in its middle."""
        with self._session(organisation, writes=True) as session:
            yield session
            session.commit()

    @contextmanager
    def as_system(self, *, writes: bool = False) -> Iterator[Session]:
        """Rows of all organisations."""
        with self.write(SYSTEM) if writes else self.read(SYSTEM) as session:
            yield session

    @contextmanager
    def _session(self, organisation: str, *, writes: bool) -> Iterator[Session]:
        engine = self.engine.execution_options(writes=writes)
        with Session(engine, expire_on_commit=False, info={"organisation": organisation}) as session:
            yield session

    @property
    def is_above_its_rows(self) -> bool:
        """Whether PostgreSQL's row-level security does not bind the role that we are."""
        if self.is_sqlite:
            return False
        asked = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        with self.engine.connect() as connection:
            return bool(connection.execute(asked).scalar_one())

    def close(self) -> None:
        self.engine.dispose()


def _engine(url: str, pool: int) -> Engine:
    """Raises: ConfigError where the address is none, or its driver is not there."""
    try:
        parsed = make_url(url)
    except Exception:
        raise ConfigError(
            "LL_DATABASE_URL is not the URL of a database", hint="write sqlite:///file.db or postgresql://..."
        ) from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    kind = parsed.get_backend_name()
    if kind not in ("sqlite", "postgresql"):
        raise ConfigError(
            f"LL_DATABASE_URL names a database of the kind {kind}", hint="SQLite and PostgreSQL are supported"
        )
    if kind == "sqlite":
        engine = create_engine(parsed, pool_size=pool, max_overflow=0, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(parsed, pool_size=pool, max_overflow=0, pool_pre_ping=True)


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late
    write_ahead(connection)
    for pragma in ("foreign_keys=ON", "synchronous=NORMAL", f"busy_timeout={BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@event.listens_for(Session, "after_begin")
def _tell_postgres(session: Session, _: Any, connection: Connection) -> None:
    """Row-level security of PostgreSQL knows the organisation, too, until the transaction ends."""
    if connection.dialect.name == "postgresql" and "organisation" in session.info:
        connection.execute(
            text("SELECT set_config('workspace.organisation', :name, true)"), {"name": session.info["organisation"]}
        )


@event.listens_for(Session, "do_orm_execute")
def _only_own_rows(state: ORMExecuteState) -> None:
    organisation = state.session.info.get("organisation", SYSTEM)
    if organisation != SYSTEM:
        state.statement = state.statement.options(
            with_loader_criteria(OwnedRow, lambda row: row.org_id == organisation, include_aliases=True)
        )


@event.listens_for(Session, "before_flush")
def _write_only_own_rows(session: Session, _: UOWTransaction, __: Any) -> None:
    organisation = session.info.get("organisation", SYSTEM)
    if organisation == SYSTEM:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, OwnedRow):
            if row in session.new and row.org_id is None:
                row.org_id = organisation
            if row.org_id != organisation:
                raise ForeignRow(f"a {type(row).__name__} of another organisation")
