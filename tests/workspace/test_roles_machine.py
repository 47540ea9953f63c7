"""Any sequence of invitations, changes of role, removals and transfers, by anybody anywhere: nobody rises above what an owner gave
him, every organisation keeps an owner, and no one reads or writes where he is no member."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from augment_correction.workspace import audit, organisations
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.database import Database
from augment_correction.workspace.migrating import migrate
from augment_correction.workspace.permissions import ACTIONS, ROLES, allows, rank
from augment_correction.workspace.problems import Problem
from augment_correction.workspace.tables import Invite, Membership, User

PEOPLE = st.integers(0, 4)
PLACES = st.integers(0, 1)
ROLE = st.sampled_from((*ROLES, "emperor"))


class Roles(RuleBasedStateMachine):
    """`model` holds, by organisation and person, the role that the rules of the game give."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database(f"sqlite:///{Path(self.folder.name)}/w.db")
        migrate(self.database)
        self.links: list[tuple[int, str]] = []
        with self.database.as_system(writes=True) as session:
            self.users = [User(email=f"p{n}@example.org", name=f"P{n}", password="x") for n in range(5)]
            session.add_all(self.users)
            session.flush()
            made = [organisations.found(session, Actor(self.users[n].id), self.users[n], f"Org {n}") for n in range(2)]
        self.places = [each.id for each in made]
        self.model: dict[tuple[int, int], str] = {(0, 0): "owner", (1, 1): "owner"}

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            self.folder.cleanup()

    def _try(self, place: int, who: int, deed: Any) -> bool:
        try:
            with self.database.write(self.places[place]) as session:
                own = organisations.membership(session, self.users[who].id)
                deed(session, Actor(self.users[who].id), own)
        except Problem:
            return False
        return True

    @rule(place=PLACES, who=PEOPLE, whom=PEOPLE, role=ROLE)
    def invite(self, place: int, who: int, whom: int, role: str) -> None:
        token: list[str] = []
        done = self._try(
            place, who, lambda s, a, own: token.append(organisations.invite(s, a, own, self.users[whom].email, role)[1])
        )
        own = self.model.get((place, who))
        allowed = (
            own in ("admin", "owner") and role in ROLES and role != "owner" and rank(role) <= rank(own or "member")
            and (place, whom) not in self.model
        )  # fmt: skip
        assert done == allowed
        if done:
            self.links.append((place, token[0]))

    @rule(who=PEOPLE, number=st.integers(0, 30))
    def accept(self, who: int, number: int) -> None:
        if not self.links:
            return
        place, token = self.links[number % len(self.links)]
        try:
            with self.database.as_system(writes=True) as session:
                invite, _ = organisations.invite_of(session, token)
                role, inviter = invite.role, invite.inviter_id
                organisations.accept(session, Actor(self.users[who].id), self.users[who], token)
        except Problem:
            return
        by = self.model.get((place, [user.id for user in self.users].index(inviter)))
        assert by in ("admin", "owner") and rank(role) <= rank(by or "member") and (place, who) not in self.model
        self.model[place, who] = role

    @rule(place=PLACES, who=PEOPLE, whom=PEOPLE, role=ROLE)
    def change_role(self, place: int, who: int, whom: int, role: str) -> None:
        own, other = self.model.get((place, who)), self.model.get((place, whom))
        done = self._try(place, who, lambda s, a, o: organisations.change_role(s, a, o, self.users[whom].id, role))
        allowed = own in ("admin", "owner") and other is not None and role in ROLES
        allowed = allowed and max(rank(role), rank(other or "member")) <= rank(own or "member")
        allowed = allowed and not (role == "owner" and other != "owner")
        allowed = allowed and not (other == "owner" and self._owners(place) == 1)
        assert done == allowed
        if done:
            self.model[place, whom] = role

    @rule(place=PLACES, who=PEOPLE, whom=PEOPLE, step_down=st.booleans())
    def give_ownership(self, place: int, who: int, whom: int, step_down: bool) -> None:
        done = self._try(
            place, who, lambda s, a, o: organisations.give_ownership(s, a, o, self.users[whom].id, step_down=step_down)
        )
        assert done == (self.model.get((place, who)) == "owner" and (place, whom) in self.model and who != whom)
        if done:
            self.model[place, whom] = "owner"
            if step_down:
                self.model[place, who] = "admin"

    @rule(place=PLACES, who=PEOPLE, whom=PEOPLE)
    def remove(self, place: int, who: int, whom: int) -> None:
        own, other = self.model.get((place, who)), self.model.get((place, whom))
        done = self._try(place, who, lambda s, a, o: organisations.remove(s, a, o, self.users[whom].id))
        allowed = own is not None and other is not None and (
            who == whom or (own in ("admin", "owner") and rank(other) <= rank(own))
        )  # fmt: skip
        assert done == (allowed and not (other == "owner" and self._owners(place) == 1))
        if done:
            del self.model[place, whom]

    def _owners(self, place: int) -> int:
        return sum(role == "owner" for (at, _), role in self.model.items() if at == place)

    @invariant()
    def the_tables_say_what_the_rules_say(self) -> None:
        if not hasattr(self, "places"):
            return
        ids = [user.id for user in self.users]
        with self.database.as_system() as session:
            rows = session.execute(select(Membership)).scalars()
            found = {(self.places.index(row.org_id), ids.index(row.user_id)): row.role for row in rows}
        assert found == self.model
        assert all(self._owners(place) >= 1 for place in (0, 1))

    @invariant()
    def nobody_sees_the_rows_of_another_organisation(self) -> None:
        if not hasattr(self, "places"):
            return
        for place in (0, 1):
            with self.database.read(self.places[place]) as session:
                for kind in (Membership, Invite):
                    assert {row.org_id for row in session.execute(select(kind)).scalars()} <= {self.places[place]}
                assert not list(audit.broken(session, self.places[place]))


Roles.TestCase.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRoles = Roles.TestCase


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_a_higher_role_may_what_a_lower_one_may(action: str) -> None:
    may = [allows(role, action) for role in ROLES]
    assert may == sorted(may) and may[-1] and not allows(None, action)
