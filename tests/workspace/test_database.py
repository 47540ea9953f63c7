"""Sessions see and write one organisation's rows only, on both databases; the audit is never changed; tables are migrated."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DatabaseError

from augment_correction.errors import ConfigError
from augment_correction.workspace import audit
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.database import Database, ForeignRow
from augment_correction.workspace.migrating import migrate
from augment_correction.workspace.tables import AuditEvent, Invite, Membership, Organisation, Table, User, now
from tests.workspace.places import Place

HEAD = "0007"
"""The latest migration."""


@pytest.fixture
def two(place: Place) -> tuple[Place, str, str]:
    slugs = [place.owner().slug, place.owner("Other Ltd").slug]
    with place.site.database.as_system() as session:
        ids = [session.execute(select(Organisation.id).where(Organisation.slug == slug)).scalar_one() for slug in slugs]
    return place, ids[0], ids[1]


def test_a_session_sees_the_rows_of_its_organisation_whatever_is_asked(two: tuple[Place, str, str]) -> None:
    place, one, other = two
    with place.site.database.read(one) as session:
        assert {row.org_id for row in session.execute(select(Membership)).scalars()} == {one}
        assert session.execute(select(Membership).where(Membership.org_id == other)).first() is None
        joined = select(User, Membership).join(Membership, Membership.user_id == User.id)
        assert len(session.execute(joined).all()) == 1
        user = session.execute(select(Membership.user_id)).scalar_one()
        assert session.get(Membership, (other, user)) is None
    with place.site.database.read() as session:
        assert session.execute(select(Membership)).first() is None


def test_a_session_changes_no_row_of_another(two: tuple[Place, str, str]) -> None:
    place, one, other = two
    with place.site.database.write(one) as session:
        assert session.execute(update(Membership).where(Membership.org_id == other).values(role="member")).rowcount == 0  # type: ignore[attr-defined]
        assert session.execute(delete(Membership).where(Membership.org_id == other)).rowcount == 0  # type: ignore[attr-defined]
    with place.site.database.as_system() as system:
        foreign = system.execute(select(Membership).where(Membership.org_id == other)).scalar_one()
        assert foreign.role == "owner"
    with pytest.raises(ForeignRow), place.site.database.write(one) as session:
        session.add(Membership(org_id=other, user_id=foreign.user_id, role="owner"))


def test_postgresql_itself_hides_the_rows_of_others(two: tuple[Place, str, str]) -> None:
    place, one, other = two
    if place.site.database.is_sqlite:
        with place.site.database.read(one) as session:
            assert session.execute(select(Membership)).scalars().all()
        return
    with place.site.database.read(one) as session:
        assert session.execute(text("SELECT DISTINCT org_id FROM memberships")).scalars().all() == [one]
    with place.site.database.engine.connect() as connection:  # nobody named an organisation
        assert connection.execute(text("SELECT * FROM memberships")).first() is None
    with pytest.raises(DatabaseError), place.site.database.write(one) as session:
        session.execute(text("UPDATE memberships SET org_id = :other"), {"other": other})


def test_a_role_that_row_level_security_does_not_bind_is_told(place: Place) -> None:
    database = place.site.database
    assert not database.is_above_its_rows
    if not database.is_sqlite:
        above = Database(str(database.engine.url.set(username="root").render_as_string(hide_password=False)))
        assert above.is_above_its_rows
        above.close()


def test_the_audit_is_a_chain_that_nobody_changes(two: tuple[Place, str, str]) -> None:
    place, one, _ = two
    with place.site.database.write(one) as session:
        for number in range(3):
            audit.note(session, Actor(None), "tried", str(number), organisation=one)
    with place.site.database.read(one) as session:
        assert not list(audit.broken(session, one))
        assert [event.number for event in audit.events(session, one)][:2] == [4, 3]
    before = _events(place)
    for change in _changes(place.site.database):
        with pytest.raises(DatabaseError, match="never changed"), place.site.database.as_system(writes=True) as session:
            session.execute(text(change))
    assert _events(place) == before


def _changes(database: Database) -> list[str]:
    """What would change the audit, in the words of this database."""
    changes = ["UPDATE audit_events SET action = 'nothing'", "DELETE FROM audit_events"]
    if not database.is_sqlite:
        emptied = ("audit_events", "organisations CASCADE", "users, audit_events CASCADE")
        return [*changes, *(f"TRUNCATE {tables}" for tables in emptied)]
    columns = ["rowid", *(column.name for column in AuditEvent.__table__.columns)]
    # A row in the place of the last one, which it takes by one of its keys alone.
    new = {"rowid": "99", "id": "'new'", "number": "99", "action": "'nothing'"}
    for key in ("rowid", "id", "number"):
        values = ", ".join(name if name == key else new.get(name, name) for name in columns)
        last = "FROM audit_events ORDER BY number DESC LIMIT 1"
        changes.append(f"INSERT OR REPLACE INTO audit_events ({', '.join(columns)}) SELECT {values} {last}")
    return changes


def _events(place: Place) -> list[tuple[str, str]]:
    with place.site.database.as_system() as session:
        return [(row.id, row.hash) for row in session.execute(select(AuditEvent).order_by(AuditEvent.id)).scalars()]


def test_a_database_of_before_is_sealed_at_the_next_start(database_url: str) -> None:
    database = Database(database_url)
    migrate(database, "0005")
    with database.as_system(writes=True) as session:
        audit.note(session, Actor(None), "account.made", "u")
    migrate(database)
    with pytest.raises(DatabaseError, match="never changed"), database.as_system(writes=True) as session:
        session.execute(text(_changes(database)[2]))
    with database.as_system(writes=True) as session:
        audit.note(session, Actor(None), "account.made", "v")
        assert len(session.execute(select(AuditEvent)).scalars().all()) == 2
    database.close()


def test_an_event_that_was_changed_around_the_database_is_found(two: tuple[Place, str, str]) -> None:
    place, one, _ = two
    with place.site.database.write(one) as session:
        audit.note(session, Actor(None), "tried", organisation=one)
    with place.site.database.engine.begin() as connection:
        sealed = "audit_events_no_update" if place.site.database.is_sqlite else "audit_events_sealed ON audit_events"
        connection.execute(text(f"DROP TRIGGER {sealed}"))
        connection.execute(text("UPDATE audit_events SET subject = 'x' WHERE number = 1"))
    with place.site.database.read(one) as session:
        assert list(audit.broken(session, one)) == [1]


def test_an_end_that_was_taken_away_is_found(two: tuple[Place, str, str]) -> None:
    place, one, _ = two
    with place.site.database.write(one) as session:
        audit.note(session, Actor(None), "tried", organisation=one)
    with place.site.database.engine.begin() as connection:
        sealed = "audit_events_no_delete" if place.site.database.is_sqlite else "audit_events_sealed ON audit_events"
        connection.execute(text(f"DROP TRIGGER {sealed}"))
        connection.execute(text("DELETE FROM audit_events WHERE org_id = :one AND number = 2"), {"one": one})
    with place.site.database.read(one) as session:
        assert list(audit.broken(session, one)) == [2]


def test_migrations_end_where_the_tables_are(place: Place) -> None:
    with place.site.database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []


def test_a_database_of_the_first_version_is_brought_up_with_its_data(database_url: str) -> None:
    database = Database(database_url)
    migrate(database, "0001")
    at = now().strftime("%Y-%m-%d %H:%M:%S.%f")
    with database.as_system(writes=True) as session:
        for table, values in (
            (
                "users",
                {
                    "id": "u",
                    "email": "ada@example.org",
                    "name": "Ada",
                    "password": "x",
                    "created": at,
                    "totp_step": 0,
                },
            ),
            (
                "organisations",
                {
                    "id": "o",
                    "slug": "b",
                    "name": "B",
                    "created": at,
                    "daily_messages": 9,
                    "system_prompt": "",
                    "audited": 1,
                },
            ),
            ("memberships", {"org_id": "o", "user_id": "u", "role": "owner", "created": at}),
        ):
            names = ", ".join(values)
            session.execute(text(f"INSERT INTO {table} ({names}) VALUES (:{names.replace(', ', ', :')})"), values)
        event = AuditEvent(
            org_id="o", number=1, at=now(), actor_id="u", action="organisation.founded", subject="", detail={}, address="",
            previous=audit.BEGINNING,
        )  # fmt: skip
        event.hash = audit.hash_of(event)
        session.add(event)
    migrate(database)
    with database.read("o") as session:
        assert session.execute(select(Membership.role)).scalar_one() == "owner"
        assert not list(audit.broken(session, "o"))
        assert session.execute(select(AuditEvent)).scalars().all()
        assert session.execute(select(Invite)).first() is None
    database.close()


def test_of_two_starters_one_migrates(database_url: str) -> None:
    databases, failures, barrier = [Database(database_url) for _ in range(2)], [], threading.Barrier(2)

    def start(database: Database) -> None:
        barrier.wait()
        try:
            migrate(database)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=start, args=(each,)) for each in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with databases[0].engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_heads() == (HEAD,)
    for each in databases:
        each.close()


def test_a_database_of_a_later_program_is_left_alone(database_url: str) -> None:
    database = Database(database_url)
    migrate(database)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="9999"):
        migrate(database)
    database.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "no address"])
def test_other_databases_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="LL_DATABASE_URL"):
        Database(url)
