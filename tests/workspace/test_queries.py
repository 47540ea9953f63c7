"""What a page costs the database: few questions, and no more of them the more rows there are."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, select, text

from augment_correction.workspace import accounts, audit, corrections, threads
from augment_correction.workspace.tables import Activation, CorrectionRow, Job, Membership, ModelVersion, Thread, User
from tests.workspace.places import Place
from tests.workspace.test_versions import organisation_of

MOST = {
    "/threads": 7, "/corrections": 5, "/versions": 8, "/versions/3": 5, "/datasets": 3, "/jobs": 4, "/members": 4,
    "/usage": 7, "/audit": 6, "/settings": 2,
}  # fmt: skip
"""Of each page, signing in included: who asks, where, and what is shown."""


@pytest.fixture
def full(place: Place) -> Any:
    """An organisation with thirty of everything."""
    ada = place.owner()
    organisation = organisation_of(place, ada)
    with place.site.database.as_system(writes=True) as session:
        me = session.execute(select(User.id)).scalar_one()
        for number in range(1, 31):
            who = User(email=f"p{number}@example.org", name=f"Person {number}", password="")
            session.add(who)
            session.flush()
            given: dict[str, Any] = {"org_id": organisation}
            session.add_all(
                [
                    Membership(user_id=who.id, role="member", **given),
                    Thread(author_id=me, title=f"Chat {number}", **given),
                    CorrectionRow(author_id=who.id, question="?", wrong="a", right="b", evidence=[], **given),
                    ModelVersion(
                        number=number, model="base", adapter="a", data="h", corrections=[], outcome="accept", reasons=[],
                        figures={}, **given,
                    ),
                    Activation(number=number, version=number, who_id=who.id, **given),
                    Job(kind="run", about={"dataset": f"{number:016x}", "name": "x", "files": []}, author_id=who.id, **given),
                ]
            )  # fmt: skip
    return place, ada


def test_a_page_asks_the_database_little_however_much_is_there(full: Any) -> None:
    place, ada = full
    asked: list[str] = []

    def note(_: Any, __: Any, statement: str, *more: Any) -> None:
        if not statement.startswith(("BEGIN", "SELECT set_config", "SELECT pg_catalog", "show ", "select ")):
            asked.append(statement)

    event.listen(place.site.database.engine, "before_cursor_execute", note)
    cost = {}
    for path in MOST:
        ada.get(ada.at(path))
        asked.clear()
        ada.get(ada.at(path))
        assert ada.status == 200
        cost[path] = len(asked)
        assert not [each for each in asked if each.startswith(("INSERT", "UPDATE"))], (
            "a page that is read writes nothing"
        )
    event.remove(place.site.database.engine, "before_cursor_execute", note)
    assert {path: count for path, count in cost.items() if count > MOST[path]} == {}


MANY = 20_000
EVENTS = """INSERT INTO audit_events (id, org_id, number, at, actor_id, action, subject, detail, address, previous, hash)
  SELECT 'e' || i, CASE WHEN i % 10 = 0 THEN NULL ELSE :organisation END, i + 10, :at, :user,
         CASE WHEN i % 10 = 0 THEN 'login' ELSE 'thread.deleted' END, '', '{}', '', '', '' FROM numbers"""
NUMBERS = "WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < :many) "


def test_a_long_audit_is_never_read_whole(place: Place) -> None:
    """What is asked at every message, refusal, registration and look at the audit finds its events by an index."""
    ada = place.owner()
    organisation, database = organisation_of(place, ada), place.site.database
    with database.as_system(writes=True) as session:
        me = session.execute(select(User.id)).scalar_one()
        given = {"organisation": organisation, "user": me, "at": "2026-01-01 00:00:00+00:00", "many": MANY}
        statement = EVENTS.replace("INSERT", f"{NUMBERS}INSERT", 1) if not database.is_sqlite else NUMBERS + EVENTS
        session.execute(text(statement), given)
    with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE"))
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *more: Any) -> None:
        if statement.startswith("SELECT") and "FROM audit_events" in statement:
            asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    with database.write(organisation) as session:
        threads.refuse_more(session, me)
        row = CorrectionRow(author_id=me, question="?", wrong="a", right="b", evidence=[])
        session.add(row)
        session.flush()
        corrections.writers(session, row)
        corrections.waiting(session, me, row)
        list(audit.broken(session, organisation))
        audit.events(session, organisation, before=100)
        audit.note(session, audit.Actor(me), "tried", organisation=organisation)
        audit.note(session, audit.Actor(me), "tried")
    with database.as_system() as session:
        accounts.refuse_registering(session, "192.0.2.1")
    place.join(ada, "member").get(ada.at("/settings"))  # refused
    event.remove(database.engine, "before_cursor_execute", note)
    assert len({statement for statement, _ in asked}) >= 7
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.engine.connect() as connection:
        for statement, parameters in asked:
            plan = " ".join(str(row) for row in connection.exec_driver_sql(explain + statement, parameters))
            by_action = "audit_events.action =" in statement
            assert "audit_events_by_action" in plan or not by_action, plan
            assert "SCAN audit" not in plan and "Seq Scan on audit" not in plan, plan
