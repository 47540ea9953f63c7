"""Every test of the workspace runs on SQLite, and on PostgreSQL where its programs are installed: Debian's `postgresql`."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra workspace")
pytest.importorskip("sqlalchemy", reason="needs the extra workspace")

from argon2 import PasswordHasher
from sqlalchemy import create_engine, text

from augment_correction.workspace import passwords
from tests.workspace.places import Place, settings_in

PROGRAMS = next((path for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


class Server:
    """PostgreSQL in a folder, at a socket there; a fresh database, whose role owns nothing else, for each test."""

    def __init__(self, folder: Path) -> None:
        assert PROGRAMS
        self._data, self._socket = folder / "data", folder
        # Nobody may run it as root.
        self._user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        if self._user:
            shutil.chown(folder, "postgres")
        initdb = [str(PROGRAMS / "initdb"), "-D", str(self._data), "-U", "root", "-A", "trust", "--no-sync"]
        subprocess.run([*self._user, *initdb], check=True, capture_output=True)
        self._options = (
            f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c max_connections=60"
        )
        self.start()

    def start(self) -> None:
        self._control("start", "-o", self._options, "-w", "-l", str(self._socket / "log"))

    def kill(self) -> None:
        """kill -9 of the server and of all its processes; returns when they are gone."""
        server = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        family = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        for process in (server, *map(int, family)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while any(_lives(process) for process in (server, *map(int, family))):
            time.sleep(0.02)
        # Where nobody waits for the dead, they keep their numbers, and the next start takes them for alive.
        for left in (self._data / "postmaster.pid", *self._socket.glob(".s.PGSQL.*")):
            left.unlink(missing_ok=True)

    def _control(self, *words: str) -> None:
        assert PROGRAMS
        subprocess.run(
            [*self._user, str(PROGRAMS / "pg_ctl"), "-D", str(self._data), *words],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    @contextmanager
    def database(self) -> Iterator[str]:
        """Deleted at the end: those of all tests together are gigabytes that the system would write to the disk."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.run(f"CREATE ROLE {name} LOGIN NOSUPERUSER", f"CREATE DATABASE {name} OWNER {name}")
        yield self.url(name, name)
        self.run(f"DROP DATABASE {name} WITH (FORCE)", f"DROP ROLE {name}")

    def run(self, *statements: str, database: str = "postgres") -> None:
        """As the superuser."""
        url = self.url("root", database).replace("postgresql:", "postgresql+psycopg:")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def url(self, user: str, database: str) -> str:
        return f"postgresql://{user}@/{database}?host={self._socket}"

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    if PROGRAMS is None:
        pytest.skip("PostgreSQL is not installed")
    # Not below pytest's own folder: a socket's path is short, and the user postgres has to come there.
    folder = Path(tempfile.gettempdir(), f"postgres-{getpass.getuser()}-{uuid.uuid4().hex[:8]}")
    folder.mkdir()
    server = Server(folder)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/workspace.db"
        return
    with request.getfixturevalue("postgres").database() as url:
        yield url


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as in earnest, with the least of work."""
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)


@pytest.fixture
def open_place(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Place]]:
    opened: list[Place] = []

    def open_(**settings: Any) -> Place:
        opened.append(Place(settings_in(tmp_path / "storage", database_url, **settings)))
        return opened[-1]

    yield open_
    for place in opened:
        place.close()


@pytest.fixture
def place(open_place: Callable[..., Place]) -> Place:
    return open_place()
