"""A backup that is taken while the workspace runs, put back elsewhere, is the workspace."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from augment_correction.errors import InputError
from augment_correction.workspace import audit
from augment_correction.workspace.backup import back_up, restore
from augment_correction.workspace.tables import AuditEvent, Membership, Organisation, User
from tests.workspace.places import Place


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """Another database, empty."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/elsewhere/workspace.db"
    url: str = request.getfixturevalue("postgres").database()
    return url


def test_what_was_backed_up_is_there_again_and_goes_on(
    open_place: Callable[..., Place], elsewhere: str, tmp_path: Path
) -> None:
    place = open_place()
    ada, eve = place.owner(), place.owner("Other Ltd", "Eve")
    bob = place.join(ada, "member")
    adapter = place.settings.organisation_folder("0123456789abcdef") / "corrections" / "adapter.bin"
    adapter.parent.mkdir()
    adapter.write_bytes(b"weights")
    store = sqlite3.connect(adapter.with_name("corrections.sqlite"))
    store.executescript(
        "PRAGMA journal_mode=WAL; CREATE TABLE t (x); INSERT INTO t VALUES (7)"
    )  # in its log, and held open
    written = back_up(place.settings, tmp_path / "backup")
    assert all(path.stat().st_mode & 0o077 == 0 for path in written)
    bob.post(ada.at("/leave"))  # after it
    moved = replace(place.settings, database_url=elsewhere, storage=tmp_path / "elsewhere")
    restore(moved, tmp_path / "backup")
    again = Place(moved)
    for person in (ada, bob, eve):
        there = again.person(person.email)
        there.sign_in()
        assert there.status == 200 and person.slug in there.page
    kept = moved.storage / "organisations/0123456789abcdef/corrections/adapter.bin"
    assert kept.read_bytes() == b"weights"
    with closing(sqlite3.connect(kept.with_name("corrections.sqlite"))) as copied:
        assert copied.execute("SELECT x FROM t").fetchall() == [(7,)]
    store.close()
    with again.site.database.as_system() as session:
        organisations = session.execute(select(Organisation)).scalars().all()
        assert session.execute(select(func.count()).select_from(Membership)).scalar_one() == 3
        assert not [number for each in organisations for number in audit.broken(session, each.id)]
    with pytest.raises(Exception, match="never changed"), again.site.database.as_system(writes=True) as session:
        session.delete(session.execute(select(AuditEvent).limit(1)).scalar_one())
        session.flush()
    with again.site.database.read() as session:  # row-level security came along, too
        assert session.execute(select(Membership)).first() is None and session.execute(select(User)).first()
    again.close()


def test_nothing_that_is_there_is_overwritten(open_place: Callable[..., Place], tmp_path: Path) -> None:
    place = open_place()
    place.owner()
    back_up(place.settings, tmp_path / "backup")
    with pytest.raises(InputError, match="holds a backup already"):
        back_up(place.settings, tmp_path / "backup")
    (place.settings.storage / "organisations").mkdir(exist_ok=True)
    with pytest.raises(InputError, match="not empty"):
        restore(place.settings, tmp_path / "backup")
    with pytest.raises(InputError, match="is not there"):
        restore(place.settings, tmp_path / "nothing")


def test_a_password_is_not_in_the_list_of_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from augment_correction.workspace import backup
    from tests.workspace.places import settings_in

    seen: list[tuple[list[str], dict[str, str]]] = []

    class Ended:
        returncode, stderr = 1, "no such server"

    def run(words: list[str], *, env: dict[str, str], **_: Any) -> Ended:
        seen.append((words, env))
        return Ended()

    monkeypatch.setattr(backup.subprocess, "run", run)
    monkeypatch.setattr(backup.shutil, "which", lambda name: f"/usr/bin/{name}")
    settings = settings_in(tmp_path / "storage", "postgresql://me:hidden%40@db.example:5433/workspace")
    with pytest.raises(InputError, match="no such server"):
        back_up(settings, tmp_path / "backup")
    [(words, environment)] = seen
    assert "hidden" not in " ".join(words) and environment["PGPASSWORD"] == "hidden@"
    assert (environment["PGHOST"], environment["PGPORT"]) == ("db.example", "5433")
