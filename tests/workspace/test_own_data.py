"""Usage by member; what is kept of a person, taken along and deleted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import String, select

from augment_correction.workspace.tables import ChatMessage, CorrectionRow, Membership, Table, Thread, User
from tests.workspace.places import PASSWORD, Place
from tests.workspace.test_chat import ask
from tests.workspace.test_corrections import SCRIPT, flagged


@pytest.fixture
def chat(open_place: Callable[..., Place], tmp_path: Path) -> Iterator[Place]:
    script = tmp_path / "script.yaml"
    script.write_text(SCRIPT)
    place = open_place(model=str(script))
    with ExitStack() as running:
        running.enter_context(place.live())
        yield place


def test_usage_counts_each_members_replies_and_tokens(chat: Place) -> None:
    ada = chat.owner()
    bob = chat.join(ada, "member", "Bob")
    path = ask(ada, "Who opened the museum?")
    ask(ada, "And the museum next door?", path)
    ask(bob, "Who opened the museum?")
    page = ada.get(ada.at("/usage"))
    rows = [line for line in page.splitlines() if 'data-label="Member"' in line]
    assert 'data-label="answers in 30 days">2<' in rows[0] and "Ada Owner" in rows[0] and "Bob" in rows[1]
    assert "$0.0000" in rows[0]
    bob.get(ada.at("/usage"))
    assert bob.status == 403


def test_everything_that_is_kept_of_one_can_be_taken_along(chat: Place) -> None:
    ada = chat.owner()
    bob = chat.join(ada, "member", "Bob")
    flagged(ada)
    ask(bob, "A question of Bob about the museum")
    told = json.loads(ada.get("/account/data"))
    assert told["account"]["e-mail"] == ada.email and told["memberships"][0]["role"] == "owner"
    assert told["chats"][0]["messages"][0]["content"] == "Who opened the museum?"
    assert told["corrections"][0]["right"] == "Ida Brandt" and "Bob" not in json.dumps(told)


def test_who_deletes_his_account_is_gone_and_his_confirmed_corrections_stay_without_his_name(chat: Place) -> None:
    ada = chat.owner()
    bob = chat.join(ada, "admin", "Robert Paulson", "robert@example.org")
    path = flagged(bob)
    ask(bob, "My private thoughts on the museum")
    bob.post("/account/delete", {"current": "not the password, no"})
    assert bob.status == 422
    bob.post("/account/delete", {"current": PASSWORD})
    assert "are deleted" in bob.text
    for needle in ("Robert Paulson", "robert@example.org", "private thoughts"):
        assert not _found(chat, needle), needle
    with chat.site.database.as_system() as session:
        assert len(session.execute(select(Membership)).all()) == 1
        assert session.execute(select(CorrectionRow.right)).scalar_one() == "Ida Brandt"
        assert not session.execute(select(Thread)).all() and not session.execute(select(ChatMessage)).all()
    assert "Deleted account" in ada.get(path)
    bob.sign_in("robert@example.org")
    assert bob.status == 422


def _found(place: Place, needle: str) -> bool:
    """In any text of any table."""
    with place.site.database.as_system() as session:
        return any(
            needle in str(value)
            for table in Table.metadata.tables.values()
            for column in table.columns
            if isinstance(column.type, String)
            for value in session.execute(select(column)).scalars()
        )


def test_the_last_owner_cannot_leave_his_organisation_without_one(chat: Place) -> None:
    ada = chat.owner()
    ada.post("/account/delete", {"current": PASSWORD})
    assert ada.status == 409 and "last owner of Bridges Ltd" in ada.text
    with chat.site.database.as_system() as session:
        assert session.execute(select(User.email)).scalar_one() == ada.email
