"""`workspace serve`: uvicorn around the application, and the first owner's link."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import uvicorn

from augment_correction.errors import InputError
from augment_correction.workspace import accounts, audit, new_passwords
from augment_correction.workspace.accounts import SignInAttempt, new_setup_link
from augment_correction.workspace.application import application
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.database import Database
from augment_correction.workspace.jobs import KINDS
from augment_correction.workspace.migrating import migrate
from augment_correction.workspace.settings import Settings, read_settings
from augment_correction.workspace.working import Worker


def serve(host: str, port: int, trusted_proxy: str, tell: Callable[[str], None], *, work: bool = True) -> None:
    """Returns when it is stopped.

    Raises: ConfigError."""
    settings = read_settings(public_url=f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}")
    app = application(settings)
    with app.state.site.database.as_system(writes=True) as session:
        token = new_setup_link(session)
    tell(f"the workspace is at {settings.public_url}, its data in {settings.storage}")
    if app.state.site.database.is_above_its_rows:
        tell(
            "the role of the database is a superuser, to which row-level security does not apply; use a role that is not a superuser"
        )
    workers = begin_work(settings, app.state.site.database) if work else []
    if token:
        tell(f"open this link once to create the first account: {settings.public_url}/setup/{token}")
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", proxy_headers=True, forwarded_allow_ips=trusted_proxy,
        server_header=False, timeout_graceful_shutdown=5,
    )  # fmt: skip
    Server(config, lambda: tell("serving; Ctrl-C stops it")).run()
    for worker in workers:
        worker.stop()


def begin_work(settings: Settings, database: Database) -> list[Worker]:
    """One worker for each kind of job: a dataset need not wait until a training of hours has ended."""
    workers = [Worker(settings, database, (kind,)) for kind in KINDS]
    for worker in workers:
        threading.Thread(target=worker.run, name="worker", daemon=True).start()
    return workers


class Server(uvicorn.Server):
    """Says when it listens: a link that is opened before would meet nobody."""

    def __init__(self, config: uvicorn.Config, began: Callable[[], None]) -> None:
        super().__init__(config)
        self._began = began

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._began()


def work_on(tell: Callable[[str], None]) -> None:
    """A worker in a process of its own, until it is stopped."""
    settings = read_settings()
    database = _opened(settings)
    tell(f"working on the jobs of {settings.storage}")
    begin_work(settings, database)
    threading.Event().wait()


def bring_up_to_date(tell: Callable[[str], None]) -> None:
    """Raises: ConfigError."""
    _opened(read_settings()).close()
    tell("the tables are up to date")


def turn_second_factor_off(database: Database, email: str) -> bool:
    """For who has lost the device; every session of the account ends. False where there is no such account."""
    with database.as_system(writes=True) as session:
        user = accounts.known(session, SignInAttempt(email, "", "", ""))
        if user is None:
            return False
        user.totp = None
        accounts.end_sessions(session, user.id)
        audit.note(session, Actor(None), "totp.reset", user.id)
    return True


def recover(email: str, tell: Callable[[str], None]) -> None:
    """Raises: InputError where there is no such account."""
    if not turn_second_factor_off(_opened(read_settings()), email):
        raise InputError(f"there is no account with the address {email}")
    tell(f"the second factor of {email} is off, and every session has ended")


def new_password_link(database: Database, settings: Settings, email: str) -> str | None:
    """None where there is no such account."""
    with database.as_system(writes=True) as session:
        user = accounts.known(session, SignInAttempt(email, "", "", ""))
        if user is None:
            return None
        audit.note(session, Actor(None), "password.link", user.id)
        return f"{settings.public_url}/password/{new_passwords.token_for(settings, user)}"


def offer_new_password(email: str, tell: Callable[[str], None]) -> None:
    """Raises: InputError where there is no such account."""
    settings = read_settings()
    link = new_password_link(_opened(settings), settings, email)
    if link is None:
        raise InputError(f"there is no account with the address {email}")
    tell(f"send this link to {email}; it sets a new password, once, within {new_passwords.HOURS} hours: {link}")


def _opened(settings: Settings) -> Database:
    database = Database(settings.database_url, settings.pool)
    migrate(database, cipher=settings.cipher)
    return database
