"""Members, roles and invitations: nobody rises above whom he may, and one owner always remains."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from augment_correction.workspace import organisations
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.problems import NotThere, Problem
from augment_correction.workspace.tables import Invite, Membership, Organisation, User, now
from tests.workspace.places import PASSWORD, Person, Place, invited


def id_of(place: Place, person: Person) -> str:
    with place.site.database.as_system() as session:
        return session.execute(select(User.id).where(User.email == person.email)).scalar_one()


def role_of(place: Place, person: Person) -> str | None:
    with place.site.database.as_system() as session:
        asked = select(Membership.role).join(User, User.id == Membership.user_id).where(User.email == person.email)
        return session.execute(asked).scalar_one_or_none()


def test_an_invitation_is_for_one_address_and_works_once(place: Place) -> None:
    ada = place.owner()
    link = invited(ada, "bob@example.org", "reviewer")
    eve = place.owner("Eve Ltd", "Eve")
    eve.post(link)
    assert eve.status == 403 and "is for bob@example.org" in eve.text
    bob = place.person("bob@example.org")
    bob.get(link)
    bob.post(link, {"name": "Bob", "password": PASSWORD})
    assert bob.status == 200 and role_of(place, bob) == "reviewer"
    again = place.person()
    again.get(link)
    assert again.status == 404


def test_an_invitation_ends_after_seven_days_and_when_it_is_taken_back(place: Place) -> None:
    ada = place.owner()
    old, back = invited(ada, "old@example.org", "member"), invited(ada, "back@example.org", "member")
    with place.site.database.as_system(writes=True) as session:
        invite = session.execute(select(Invite).where(Invite.email == "back@example.org")).scalar_one()
        assert timedelta(days=6, hours=23) < invite.expires - now() <= timedelta(days=7)
        session.execute(
            update(Invite).where(Invite.email == "old@example.org").values(expires=now() - timedelta(seconds=1))
        )
    ada.post(ada.at(f"/members/invites/{invite.id}/end"))
    for link in (old, back):
        stranger = place.person()
        stranger.get(link)
        assert stranger.status == 404


def test_nobody_invites_above_himself_nor_an_owner(place: Place) -> None:
    ada = place.owner()
    admin = place.join(ada, "admin")
    for person in (admin, ada):
        person.post(person.at("/members/invites"), {"email": "me@example.org", "role": "owner"})
        assert person.status == 403
    reviewer = place.join(ada, "reviewer")
    reviewer.post(reviewer.at("/members/invites"), {"email": "x@example.org", "role": "member"})
    assert reviewer.status == 403


def test_an_invitation_gives_no_more_than_its_inviter_may_when_it_is_accepted(place: Place) -> None:
    ada = place.owner()
    admin = place.join(ada, "admin")
    link = invited(admin, "late@example.org", "admin")
    ada.post(ada.at(f"/members/{id_of(place, admin)}/role"), {"role": "member"})
    late = place.person("late@example.org")
    late.get(link)
    late.post(link, {"name": "Late", "password": PASSWORD})
    assert late.status == 403 and role_of(place, late) is None


def test_an_invitation_changes_no_role_that_is_there(place: Place) -> None:
    ada = place.owner()
    bob = place.join(ada, "member", email="bob@example.org")
    ada.post(ada.at("/members/invites"), {"email": "bob@example.org", "role": "admin"})
    assert ada.status == 422 and "already is a member" in ada.text
    assert role_of(place, bob) == "member"


def test_the_last_owner_stays(place: Place) -> None:
    ada = place.owner()
    place.join(ada, "admin")
    ada.post(ada.at(f"/members/{id_of(place, ada)}/role"), {"role": "member"})
    assert ada.status == 409 and "last owner" in ada.text
    ada.post(ada.at("/leave"))
    assert ada.status == 409
    assert role_of(place, ada) == "owner"


def test_ownership_is_given_by_an_owner_and_by_no_other_way(place: Place) -> None:
    ada = place.owner()
    admin = place.join(ada, "admin")
    own = id_of(place, admin)
    admin.post(admin.at(f"/members/{own}/role"), {"role": "owner"})
    assert admin.status == 403
    admin.post(admin.at(f"/members/{own}/owner"))
    assert admin.status == 403
    admin.post(admin.at(f"/members/{id_of(place, ada)}/role"), {"role": "member"})
    assert admin.status == 403
    ada.post(ada.at(f"/members/{own}/owner"), {"step_down": "yes"})
    assert (role_of(place, ada), role_of(place, admin)) == ("admin", "owner")


def test_of_two_owners_who_demote_each_other_at_once_one_remains(place: Place) -> None:
    ada = place.owner()
    bob = place.join(ada, "admin")
    ada.post(ada.at(f"/members/{id_of(place, bob)}/owner"))
    ids = [id_of(place, ada), id_of(place, bob)]
    with place.site.database.as_system() as session:
        organisation = session.execute(select(Organisation.id)).scalar_one()
    barrier, refused = threading.Barrier(2), []

    def demote(who: str, whom: str) -> None:
        database = place.site.database
        barrier.wait()
        try:
            with database.write(organisation) as session:
                own = organisations.membership(session, who)
                organisations.change_role(session, Actor(who), own, whom, "member")
        except Problem as problem:
            refused.append(problem)

    threads = [threading.Thread(target=demote, args=pair) for pair in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted([role_of(place, ada) or "", role_of(place, bob) or ""]) == ["member", "owner"]
    assert len(refused) == 1


def test_one_leaves_and_is_removed(place: Place) -> None:
    ada = place.owner()
    bob, eve = place.join(ada, "admin"), place.join(ada, "member")
    eve.post(eve.at(f"/members/{id_of(place, bob)}/remove"))
    assert eve.status == 403
    bob.post(bob.at(f"/members/{id_of(place, eve)}/remove"))
    assert role_of(place, eve) is None
    eve.get(ada.at("/members"))
    assert eve.status == 404
    bob.post(bob.at("/leave"))
    assert role_of(place, bob) is None


@pytest.mark.parametrize("role", ["member", "reviewer", "admin"])
def test_only_those_with_the_right_see_audit_and_settings(place: Place, role: str) -> None:
    ada = place.owner()
    person = place.join(ada, role)
    for page in ("/audit", "/settings"):
        person.get(ada.at(page))
        assert person.status == (200 if role == "admin" else 403)


def test_who_is_removed_while_he_acts_is_told_that_nothing_is_there(place: Place) -> None:
    """As PostgreSQL lets it: the membership was read, and is gone once the organisation is locked."""
    ada = place.owner()
    place.join(ada, "admin")
    with place.site.database.as_system() as session:
        [one] = session.execute(select(Membership).where(Membership.role == "admin")).scalars()
    with place.site.database.as_system(writes=True) as session:
        own = session.merge(one)
        session.execute(text("DELETE FROM memberships WHERE role = 'admin'"))
        with pytest.raises(NotThere):
            organisations.remove(session, Actor(one.user_id), own, one.user_id)


def test_a_new_link_for_an_address_ends_the_earlier_one(place: Place) -> None:
    ada = place.owner()
    first, second = (invited(ada, "grace@example.org", role) for role in ("member", "reviewer"))
    assert ada.text.count("grace@example.org reviewer") == 1 and "grace@example.org member" not in ada.text
    guest = place.person("grace@example.org")
    guest.get(first)
    assert guest.status == 404
    assert "as reviewer" in " ".join(guest.get(second).split()).replace("<strong>", "")


def test_settings_that_are_wrong_stand_there_again(place: Place) -> None:
    ada = place.owner()
    ada.post(ada.at("/settings?said=saved"), {"name": "Kept", "daily_messages": "0", "system_prompt": "Be brief."})
    assert ada.status == 422 and "from 1 to 100,000" in ada.text and "Saved." not in ada.text
    assert 'value="Kept"' in ada.page and "Be brief." in ada.page


@pytest.mark.parametrize(("page", "field"), [("/organisations", "organisation"), ("/account/name", "name")])
def test_a_name_that_cannot_be_seen_is_told_beside_its_field(place: Place, page: str, field: str) -> None:
    ada = place.owner()
    ada.post(page, {field: "Ada\u202egro"})
    assert ada.status == 422 and f'id="{field}-wrong"' in ada.page and "visible characters" in ada.text


def test_the_audit_says_in_words_what_an_event_is_about(place: Place) -> None:
    ada = place.owner()
    ada.post(ada.at("/members/invites"), {"email": "grace@example.org", "role": "reviewer"})
    assert re.search(r'aria-current="page">Members<', ada.page)
    [invitation] = re.findall(r'<li id="([0-9a-f]{16})"', ada.page)
    ada.get(ada.at("/audit"))
    assert f'href="{ada.at("/members#")}{invitation}" title="{invitation}">the invitation</a>' in ada.page
    founded = re.search(r"founded the organisation.*?</tr>", ada.page, re.DOTALL)
    assert founded and "Bridges Ltd" in founded[0]
