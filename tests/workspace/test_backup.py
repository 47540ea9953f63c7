"""A backup that is taken while the workspace runs, put back elsewhere, is the workspace."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from augment_correction.errors import InputError
from augment_correction.workspace import audit, packing, postgres_tools
from augment_correction.workspace.backup import back_up, restore, secret_is_kept
from augment_correction.workspace.settings import Settings, read_settings
from augment_correction.workspace.tables import AuditEvent, Membership, ModelVersion, Organisation, User
from tests.workspace.places import Place, settings_in


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """Another database, empty."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/elsewhere/workspace.db"
        return
    with request.getfixturevalue("postgres").database() as url:
        yield url


def test_what_was_backed_up_is_there_again_and_goes_on(
    open_place: Callable[..., Place], elsewhere: str, tmp_path: Path
) -> None:
    place = open_place()
    ada, eve = place.owner(), place.owner("Other Ltd", "Eve")
    bob = place.join(ada, "member")
    adapter = place.settings.organisation_folder("0123456789abcdef") / "corrections" / "adapter.bin"
    adapter.parent.mkdir()
    adapter.write_bytes(b"weights")
    with place.site.database.as_system(writes=True) as session:
        organisation = session.execute(select(Organisation.id).where(Organisation.slug == ada.slug)).scalar_one()
        page = place.settings.organisation_folder(organisation) / "corrections" / "evaluation.html"
        page.parent.mkdir()
        page.write_text("what was measured")
        session.add(
            ModelVersion(
                org_id=organisation, number=1, model="base", adapter="a", data="h", corrections=[], outcome="accept", reasons=[], figures={"page": str(page)}
            )
        )  # fmt: skip
    store = sqlite3.connect(adapter.with_name("corrections.sqlite"))
    store.executescript(
        "PRAGMA journal_mode=WAL; CREATE TABLE t (x); INSERT INTO t VALUES (7)"
    )  # in its log, and held open
    written = back_up(place.settings, tmp_path / "backup")
    assert all(path.stat().st_mode & 0o077 == 0 for path in written)
    bob.post(ada.at("/leave"))  # after it
    page.unlink()
    moved = replace(place.settings, database_url=elsewhere, storage=tmp_path / "elsewhere")
    restore(moved, tmp_path / "backup")
    again = Place(moved)
    for person in (ada, bob, eve):
        there = again.person(person.email)
        there.sign_in()
        assert there.status == 200 and person.slug in there.page
    there = again.person(ada.email)
    there.sign_in()
    assert there.get(ada.at("/versions/1/page")) == "what was measured"
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


@pytest.fixture
def kept(tmp_path: Path) -> Place:
    """On SQLite, with a journal, an adapter and what people have uploaded."""
    place = Place(settings_in(tmp_path / "storage"))
    place.owner()
    folder = place.settings.organisation_folder("0123456789abcdef")
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal:
        journal.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (x)")
    (folder / "adapter.bin").write_bytes(b"weights")
    return place


def moved_to(place: Place, folder: Path, database: Path | None = None) -> Settings:
    return replace(
        place.settings, database_url=f"sqlite:///{database or folder / 'workspace.db'}", storage=folder, pool=1
    )


def test_a_database_that_is_there_stays_and_no_older_log_is_played_into_another(kept: Place, tmp_path: Path) -> None:
    back_up(kept.settings, tmp_path / "backup")
    database = tmp_path / "elsewhere.db"
    for name in (database.name, f"{database.name}-wal", f"{database.name}-journal"):
        (tmp_path / name).write_bytes(b"of another workspace")
        with pytest.raises(InputError, match=f"{name} is there already"):
            restore(moved_to(kept, tmp_path / "new", database), tmp_path / "backup")
        assert (tmp_path / name).read_bytes() == b"of another workspace" and not (tmp_path / "new").exists()
        (tmp_path / name).unlink()
    restore(moved_to(kept, tmp_path / "new", database), tmp_path / "backup")
    assert database.stat().st_mode & 0o777 == 0o600


def test_tables_that_are_there_stay(open_place: Callable[..., Place], tmp_path: Path) -> None:
    place = open_place()
    back_up(place.settings, tmp_path / "backup")
    elsewhere = replace(place.settings, storage=tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"there already|tables already"):
        restore(elsewhere, tmp_path / "backup")
    assert not elsewhere.storage.exists()


def test_what_a_person_uploads_is_kept_whatever_it_is_called(kept: Place, tmp_path: Path) -> None:
    ada = kept.person("owner1@example.org")
    ada.sign_in()
    files = [("files", (name, f"The story of {name}.")) for name in ("workspace.db.txt", "workspace.db-wal.md")]
    ada.post(ada.at("/datasets"), {"name": "Stories"}, files=files)
    [inputs] = kept.settings.storage.glob("organisations/*/datasets/*/inputs")
    for name in ("workspace.db", "notes.sqlite", "notes.sqlite-wal", "a.lock"):
        (inputs / name).write_bytes(b"SQLite format 3\0 is how such files begin")
    expected = {path.name: path.read_bytes() for path in inputs.iterdir()}
    back_up(kept.settings, tmp_path / "backup")
    restore(moved_to(kept, tmp_path / "new"), tmp_path / "backup")
    [restored] = (tmp_path / "new").glob("organisations/*/datasets/*/inputs")
    assert len(expected) == 6 and {path.name: path.read_bytes() for path in restored.iterdir()} == expected


def test_copies_are_private_from_their_first_byte_on(
    kept: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, modes = sqlite3.connect, []

    def connect(path: Any, **more: Any) -> Any:
        if not more:  # what is written
            modes.append(Path(path).stat().st_mode & 0o777)
        return real(path, **more)

    monkeypatch.setattr(sqlite3, "connect", connect)
    shared = tmp_path / "backup"
    shared.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        written = back_up(kept.settings, shared)
    finally:
        os.umask(before)
    assert modes == [0o600, 0o600]  # the workspace's database and a journal
    assert [path.stat().st_mode & 0o777 for path in written] == [0o600, 0o600]


def test_what_vanishes_or_is_cut_short_meanwhile_does_not_end_a_backup(
    kept: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = kept.settings.organisation_folder("0123456789abcdef")
    (folder / "short.log").write_bytes(b"1" * 3_000_000)
    (folder / "going").mkdir()
    (folder / "going" / "reply.txt").write_text("soon gone")
    looks, reads = packing.is_database, packing._Whole.read

    def vanishing(path: Path) -> bool:
        found = looks(path)
        if path.name in ("journal.sqlite", "reply.txt"):
            path.unlink()
        if path.name == "adapter.bin":  # walked to before the folder beside it
            shutil.rmtree(folder / "going", ignore_errors=True)
        return found

    def cutting(self: Any, count: int) -> bytes:
        data = reads(self, count)
        if len(data) < 3_000_000 and data[:1] == b"1" and (folder / "short.log").stat().st_size > 5:
            (folder / "short.log").write_bytes(b"2" * 5)
        return data

    monkeypatch.setattr(packing, "is_database", vanishing)
    monkeypatch.setattr(packing._Whole, "read", cutting)
    back_up(kept.settings, tmp_path / "backup")
    restore(moved_to(kept, tmp_path / "new"), tmp_path / "backup")
    restored = tmp_path / "new" / folder.relative_to(kept.settings.storage)
    assert (restored / "adapter.bin").read_bytes() == b"weights"
    assert not (restored / "journal.sqlite").exists() and not (restored / "going" / "reply.txt").exists()
    assert (restored / "short.log").read_bytes() == b"2" * 5


def test_after_a_failure_the_same_command_is_tried_again(kept: Place, tmp_path: Path) -> None:
    broken = kept.settings.organisation_folder("0123456789abcdef") / "corrections.sqlite"
    broken.write_bytes(b"SQLite format 3\0" + b"?" * 5000)
    with pytest.raises(InputError, match="cannot be copied"):
        back_up(kept.settings, tmp_path / "backup")
    assert not list((tmp_path / "backup").iterdir())
    broken.unlink()
    back_up(kept.settings, tmp_path / "backup")
    archive = tmp_path / "backup" / "storage.tar.gz"
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a whole archive"):
        restore(moved_to(kept, tmp_path / "new"), tmp_path / "backup")
    assert not list((tmp_path / "new").iterdir())
    archive.write_bytes(whole)
    restore(moved_to(kept, tmp_path / "new"), tmp_path / "backup")
    assert (tmp_path / "new" / "workspace.db").is_file()


def test_a_backup_does_not_pack_itself(kept: Place) -> None:
    for folder in (kept.settings.storage, kept.settings.storage / "backups"):
        with pytest.raises(InputError, match="storage folder"):
            back_up(kept.settings, folder)


def test_whether_the_secret_is_in_the_backup(tmp_path: Path) -> None:
    storage = {"LL_MODEL_STORAGE_DIR": str(tmp_path / "storage")}
    assert secret_is_kept(read_settings(storage))
    assert not secret_is_kept(read_settings({**storage, "LL_SECRET_KEY": "another one of the environment, long"}))


def test_postgresql_is_reached_as_the_workspace_reaches_it_and_no_secret_is_in_the_list_of_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[tuple[list[str], dict[str, str]]] = []

    class Ended:
        returncode, stderr = 1, "no such server"

    def run(words: list[str], *, env: dict[str, str], **_: Any) -> Ended:
        seen.append((words, env))
        return Ended()

    monkeypatch.setattr(postgres_tools.subprocess, "run", run)
    monkeypatch.setattr(postgres_tools, "require_empty", lambda _: None)
    monkeypatch.setattr(postgres_tools.shutil, "which", lambda name: f"/usr/bin/{name}")
    url = (
        "postgresql://me:hidden%40@db.example:5433/workspace?sslmode=verify-full&sslrootcert=/etc/our%20ca.pem"
        "&connect_timeout=3&options=-c%20search_path%3Dours"
    )
    settings = settings_in(tmp_path / "storage", url)
    (tmp_path / "backup").mkdir()
    with pytest.raises(InputError, match="no such server"):
        back_up(settings, tmp_path / "backup")
    for name in ("workspace.dump", "storage.tar.gz"):
        (tmp_path / "backup" / name).touch()
    with tarfile.open(tmp_path / "backup" / "storage.tar.gz", "w:gz"):
        pass
    with pytest.raises(InputError, match="no such server"):
        restore(settings, tmp_path / "backup")
    assert [Path(words[0]).name for words, _ in seen] == ["pg_dump", "pg_restore"]
    for words, environment in seen:
        assert "hidden" not in " ".join(words) and environment["PGPASSWORD"] == "hidden@"
        [given] = [word.removeprefix("--dbname=") for word in words if word.startswith("--dbname=")]
        assert conninfo_to_dict(given) == {
            "host": "db.example", "port": "5433", "user": "me", "dbname": "workspace", "sslmode": "verify-full",
            "sslrootcert": "/etc/our ca.pem", "connect_timeout": "3",
            "options": "-c search_path=ours -c workspace.organisation=*",
        }  # fmt: skip
    with pytest.raises(InputError, match="sslpassword"):
        postgres_tools.connection_words(make_url("postgresql://me@db/workspace?sslpassword=hidden"))
