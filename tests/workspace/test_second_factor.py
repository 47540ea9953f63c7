"""Secrets of second factors are encrypted at rest, and an organisation may ask for one."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from sqlalchemy import select, text

from augment_correction.workspace import tokens
from augment_correction.workspace.accounts import CODES, SignInAttempt, known, require_code
from augment_correction.workspace.database import Database
from augment_correction.workspace.encryption import Cipher, Unreadable
from augment_correction.workspace.migrating import migrate
from augment_correction.workspace.problems import Invalid
from augment_correction.workspace.serve import turn_second_factor_off
from augment_correction.workspace.tables import AuditEvent, User
from tests.workspace.places import PASSWORD, Person, Place

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def with_factor(person: Person) -> str:
    """Turned on; its secret."""
    secret = person.get("/account").split('name="secret" value="')[1].split('"')[0]
    code = tokens.totp(secret, int(time.time()) // 30)
    person.post("/account/totp", {"current": PASSWORD, "secret": secret, "code": code})
    assert "asks for a code" in person.text
    return secret


def next_code(secret: str) -> str:
    """The one after that of now: it counts already, and has not been used."""
    return tokens.totp(secret, int(time.time()) // 30 + 1)


def test_codes_are_not_guessed_from_many_addresses(place: Place) -> None:
    ada = place.owner()
    secret = with_factor(ada)
    for number in range(CODES):
        guesser = place.person(ada.email, address=f"203.0.113.{number}")
        guesser.sign_in(code="000000")
        assert guesser.status == 422
    there = place.person(ada.email, address="198.51.100.7")
    there.sign_in(code=next_code(secret))
    assert there.status == 429 and "wrong codes for this account" in there.text
    ada.post("/account/totp/off", {"current": PASSWORD, "code": next_code(secret)})
    assert ada.status == 429
    there.sign_in(password="not the password at all")
    assert there.status == 422  # who has not shown the password learns nothing of it


def test_a_code_that_comes_twice_at_a_time_counts_once(place: Place) -> None:
    ada = place.owner()
    attempt = SignInAttempt(ada.email, PASSWORD, next_code(with_factor(ada)), "")
    both = Barrier(2)

    def accepted(_: int) -> bool:
        with place.site.database.as_system(writes=True) as session:
            user = known(session, attempt)
            assert user is not None
            with suppress(BrokenBarrierError):
                both.wait(0.5)  # SQLite has one writer at a time
            try:
                require_code(session, user, attempt, place.site.cipher)
            except Invalid:
                return False
            return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(accepted, range(2))) == [False, True]


def kept(place: Place) -> str:
    with place.site.database.as_system() as session:
        return str(session.execute(select(User.totp).where(User.totp.is_not(None))).scalar_one())


def test_the_database_holds_it_encrypted(place: Place) -> None:
    secret = with_factor(place.owner())
    assert secret not in kept(place) and place.site.cipher.opened(kept(place)) == secret


def test_another_key_reads_nothing_and_the_earlier_one_still_does(
    place: Place, open_place: Callable[..., Place]
) -> None:
    ada = place.owner()
    secret = with_factor(ada)
    code = tokens.totp(secret, int(time.time()) // 30 + 1)
    for before, status in (((), 503), ((place.settings.secret,), 200)):
        other = open_place(secret=b"another secret " * 4, secrets_before=before).person(ada.email)
        other.sign_in(code=code)
        assert other.status == status and ("LL_SECRET_KEY_BEFORE" in other.text) is (status == 503)
    # From then on it is encrypted with the new key, and the earlier one can go.
    assert Cipher(b"another secret " * 4).opened(kept(place)) == secret
    with pytest.raises(Unreadable):
        place.site.cipher.opened(kept(place))


def test_what_earlier_versions_kept_as_it_is_is_encrypted_by_the_upgrade(database_url: str) -> None:
    database, cipher = Database(database_url), Cipher(b"s" * 40)
    migrate(database, "0003")
    columns = "id, email, name, password, created, totp_secret, totp_step"
    values = f"'0123456789abcdef', 'a@b.cd', 'A', '', '2026-01-01 00:00:00+00:00', '{SECRET}', 0"
    with database.engine.begin() as connection:
        connection.execute(text(f"INSERT INTO users ({columns}) VALUES ({values})"))
    migrate(database, cipher=cipher)
    with database.as_system() as session:
        user = session.execute(select(User)).scalar_one()
    assert user.totp is not None and SECRET not in user.totp and cipher.opened(user.totp) == SECRET
    database.close()


def test_an_organisation_lets_nobody_in_without_one(place: Place) -> None:
    ada = place.owner()
    bob = place.join(ada, "member")
    settings = {"name": "Bridges", "daily_messages": "9", "second_factor": "yes"}
    ada.post(ada.at("/settings"), settings)
    assert ada.status == 422 and "locked out" in ada.text
    with_factor(ada)
    ada.post(ada.at("/settings"), settings)
    assert "Saved" in ada.text and "checked" in ada.page
    bob.get(ada.at("/threads"))
    assert bob.url == "/account" and "asks for a second factor" in bob.text
    bob.post(ada.at("/threads"), {"text": "hello"})
    assert bob.status == 403
    bob.get("/account/data")
    assert bob.url == "/account"  # chats of the organisation are in it
    bob.client.headers["accept"] = "application/json"
    bob.get(ada.at("/threads"))
    assert bob.status == 403
    del bob.client.headers["accept"]
    secret = with_factor(bob)
    bob.get(ada.at("/threads"))
    assert bob.url == ada.at("/threads")
    bob.post("/account/totp/off", {"current": PASSWORD})
    assert bob.status == 422 and "six digits" in bob.text  # the password alone is not enough
    bob.post("/account/totp/off", {"current": PASSWORD, "code": "000000"})
    assert bob.status == 422 and "wrong or was already used" in bob.text
    bob.post("/account/totp/off", {"current": PASSWORD, "code": next_code(secret)})
    assert "no longer asks for a code" in bob.text
    bob.get(ada.at("/threads"))
    assert bob.url == "/account"


def test_a_session_from_before_the_factor_was_set_up_does_not_do(place: Place) -> None:
    ada = place.owner()
    elsewhere = place.person(ada.email)
    elsewhere.sign_in()
    with_factor(ada)
    elsewhere.get(ada.at("/threads"))
    assert "Sign in" in elsewhere.text  # setting it up ended the other sessions


def test_who_runs_the_machine_turns_off_the_factor_of_who_lost_it(place: Place) -> None:
    ada = place.owner()
    with_factor(ada)
    assert turn_second_factor_off(place.site.database, ada.email.upper())
    assert not turn_second_factor_off(place.site.database, "nobody@example.org")
    ada.get(ada.at("/members"))
    assert "Sign in" in ada.text
    ada.sign_in()
    assert "Members" in ada.text
    with place.site.database.as_system() as session:
        assert "totp.reset" in session.execute(select(AuditEvent.action)).scalars().all()


@pytest.mark.parametrize("sealed", ["", "x", SECRET])
def test_what_is_no_sealed_secret_is_unreadable(sealed: str) -> None:
    with pytest.raises(Unreadable):
        Cipher(b"s" * 40).opened(sealed)
