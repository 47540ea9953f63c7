"""What a page costs the database: few questions, and no more of them the more rows there are."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, select

from augment_correction.workspace.tables import Activation, CorrectionRow, Job, Membership, ModelVersion, Thread, User
from tests.workspace.places import Place
from tests.workspace.test_versions import organisation_of

MOST = {
    "/threads": 5, "/corrections": 5, "/versions": 8, "/versions/3": 5, "/datasets": 3, "/jobs": 4, "/members": 4,
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
