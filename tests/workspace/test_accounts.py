"""Signing in and out, the first owner, passwords, sessions, the second factor."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import select

from augment_correction.workspace import accounts, passwords, tokens
from augment_correction.workspace.accounts import new_setup_link
from augment_correction.workspace.problems import Invalid
from augment_correction.workspace.tables import LoginSession, User
from tests.workspace.places import PASSWORD, Place


def test_the_first_owner_comes_by_a_link_that_works_once(place: Place) -> None:
    with place.site.database.as_system(writes=True) as session:
        token = new_setup_link(session)
    link = f"/setup/{token}"
    first, late = place.person("ada@example.org"), place.person("eve@example.org")
    late.get(link)
    first.get(link)
    first.post(link, place.filled(first, "Ada", "Bridges & Sons"))
    assert first.status == 200 and "Bridges & Sons" in first.text and first.slug == "bridges-sons"
    late.post(link, place.filled(late, "Eve", "Mine"))
    assert late.status == 404
    with place.site.database.as_system(writes=True) as session:
        assert new_setup_link(session) is None
        assert len(session.execute(select(User)).scalars().all()) == 1


def test_one_signs_out_and_in_again(place: Place) -> None:
    ada = place.owner()
    ada.post("/logout")
    assert "signed out" in ada.text
    ada.get(ada.at("/members"))
    assert "Sign in" in ada.text
    ada.sign_in(password="a wrong password, long")
    assert ada.status == 422 and "is wrong" in ada.text
    ada.sign_in()
    assert "Members" in ada.text


def test_after_signing_in_one_is_where_one_wanted_to_be_and_nowhere_else(place: Place) -> None:
    ada = place.owner()
    for then, leads in (("/account", "/account"), ("//evil.example", "/o/"), ("https://evil.example", "/o/")):
        answer = ada.client.post(
            "/login", data={"csrf": ada.csrf, "email": ada.email, "password": PASSWORD, "then": then},
            headers=ada.headers, follow_redirects=False,
        )  # fmt: skip
        assert answer.status_code == 303
        assert answer.headers["location"] == (leads if leads == "/account" else "/")


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_only_its_digest_is_stored(place: Place) -> None:
    ada = place.owner()
    answer = ada.client.post(
        "/login", data={"csrf": ada.csrf, "email": ada.email, "password": PASSWORD}, headers=ada.headers,
        follow_redirects=False,
    )  # fmt: skip
    told = answer.headers["set-cookie"]
    assert told.startswith("__Host-session=")
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= set(told.split("; "))
    token = told.split("=", 1)[1].split(";")[0]
    with place.site.database.as_system() as session:
        kept = session.execute(select(LoginSession.token)).scalars().all()
    assert tokens.digest(token) in kept and token not in kept and len(token) >= 43


def test_a_login_gives_a_new_token_and_the_old_one_is_dead(place: Place) -> None:
    ada = place.owner()
    before = ada.client.cookies["__Host-session"]
    ada.sign_in()
    assert ada.client.cookies["__Host-session"] != before
    thief = place.person()
    thief.client.cookies.set("__Host-session", before)
    thief.get("/account")
    assert "Sign in" in thief.text


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "has 5 characters"),
        ("passwordpassword1", "common words"),
        ("aaaaaaaaaaaaaaaaaa", "common words"),
        ("owner1owner1owner1", "common words"),
        ("x" * 300, "longer than 256"),
    ],
)
def test_bad_passwords_are_refused_with_what_to_do(place: Place, password: str, why: str) -> None:
    ada = place.owner()
    ada.post("/account/password", {"current": PASSWORD, "password": password})
    assert ada.status == 422 and why in ada.text


def test_long_passwords_of_any_characters_are_taken(place: Place) -> None:
    ada = place.owner()
    wanted = "ein grüner Käse 🧀 auf dem Mond " * 3
    ada.post("/account/password", {"current": PASSWORD, "password": wanted})
    assert "password is changed" in ada.text
    ada.post("/logout")
    ada.sign_in(password=wanted)
    assert "Members" in ada.text


def test_a_changed_password_ends_all_other_sessions(place: Place) -> None:
    ada = place.owner()
    elsewhere = place.person(ada.email)
    elsewhere.sign_in()
    elsewhere.get("/account")
    assert "Your account" in elsewhere.text
    ada.post("/account/password", {"current": PASSWORD, "password": "quiet meadow lantern river"})
    assert ada.status == 200
    elsewhere.get("/account")
    assert "Sign in" in elsewhere.text
    ada.get("/account")
    assert "Your account" in ada.text


def test_sessions_are_listed_and_ended_one_by_one_and_only_ones_own(place: Place) -> None:
    ada = place.owner()
    eve = place.owner("Other Ltd", "Eve")
    elsewhere = place.person(ada.email, address="198.51.100.7")
    elsewhere.sign_in()
    assert "198.51.100.7" in ada.get("/account")
    with place.site.database.as_system() as session:
        found = session.execute(select(LoginSession).where(LoginSession.address == "198.51.100.7")).scalar_one()
    eve.post("/account/sessions/end", {"session": found.id})
    elsewhere.get("/account")
    assert "Your account" in elsewhere.text
    ada.post("/account/sessions/end", {"session": found.id})
    elsewhere.get("/account")
    assert "Sign in" in elsewhere.text


def test_wrong_attempts_elsewhere_lock_nobody_out(place: Place) -> None:
    ada = place.owner()
    stranger = place.person(ada.email, address="203.0.113.9")
    for _ in range(8):
        stranger.sign_in(password="not the password at all")
        assert stranger.status == 422
    stranger.sign_in()
    assert stranger.status == 429  # even the right one, from there
    at_home = place.person(ada.email, address="192.0.2.44")
    at_home.sign_in()
    assert at_home.status == 200 and "Members" in at_home.text


def test_another_address_of_ones_own_network_is_no_other_one(place: Place) -> None:
    ada = place.owner()
    for number in range(8):
        stranger = place.person(ada.email, address=f"2001:db8:0:7::{number:x}")
        stranger.sign_in(password="not the password at all")
    stranger = place.person(ada.email, address="2001:db8:0:7:ffff::1%eth0")
    stranger.sign_in()
    assert stranger.status == 429
    for elsewhere in ("2001:db8:0:8::1", "::ffff:192.0.2.9", "not an address"):
        somebody = place.person(ada.email, address=elsewhere)
        somebody.sign_in()
        assert somebody.status == 200


def test_the_throttle_outlives_a_restart(open_place: Callable[..., Place]) -> None:
    first = open_place()
    ada = first.owner()
    stranger = first.person(ada.email, address="203.0.113.9")
    for _ in range(8):
        stranger.sign_in(password="not the password at all")
    again = open_place().person(ada.email, address="203.0.113.9")
    again.sign_in()
    assert again.status == 429


def test_an_unknown_account_is_refused_with_the_same_words(place: Place) -> None:
    ada = place.owner()
    words = []
    for email in (ada.email, "nobody@example.org"):
        person = place.person(email)
        person.sign_in(password="not the password at all")
        words.append(person.text.replace(email, ""))
    assert words[0] == words[1]


def test_a_second_factor_is_asked_for_and_each_code_counts_once(place: Place) -> None:
    ada = place.owner()
    page = ada.get("/account")
    secret = page.split('name="secret" value="')[1].split('"')[0]
    step = int(time.time()) // 30
    ada.post("/account/totp", {"current": PASSWORD, "secret": secret, "code": "000000"})
    assert ada.status == 422
    ada.post("/account/totp", {"current": PASSWORD, "secret": secret, "code": tokens.totp(secret, step)})
    assert "asks for a code" in ada.text
    other = place.person(ada.email)
    other.sign_in()
    assert other.status == 422 and "six digits" in other.text
    other.sign_in(code=tokens.totp(secret, step))
    assert other.status == 422 and "already used" in other.text
    other.sign_in(code=tokens.totp(secret, step + 1))
    assert other.status == 200 and "Members" in other.text


def test_totp_is_that_of_the_standard() -> None:
    """RFC 6238, appendix B: the last six digits for its key of 20 bytes."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    found = [tokens.totp(secret, at // 30) for at in (59, 1111111109, 1234567890, 2000000000)]
    assert found == ["287082", "081804", "005924", "279037"]


def test_registration_is_by_invitation_unless_it_is_open(open_place: Callable[..., Place]) -> None:
    shut = open_place().person("eve@example.org")
    shut.get("/register")
    assert shut.status == 403
    shut.post("/register", Place.filled(shut, "Eve", "Mine"))
    assert shut.status == 403
    opened = open_place(registration="open").person("eve@example.org")
    opened.get("/register")
    opened.post("/register", Place.filled(opened, "Eve", "Mine"))
    assert opened.status == 200 and "Members" in opened.text


def test_who_asks_which_addresses_have_an_account_is_slowed_down(open_place: Callable[..., Place]) -> None:
    place = open_place(registration="open")
    ada, eve = place.owner(), place.person(address="203.0.113.9")
    for _ in range(8):
        eve.post("/register", {**Place.filled(eve, "Eve", "Mine"), "email": ada.email})
        assert eve.status == 422 and "already exists" in eve.text
    eve.post("/register", {**Place.filled(eve, "Eve", "Mine"), "email": ada.email})
    assert eve.status == 429


def test_a_password_is_judged_at_once() -> None:
    began = time.monotonic()
    for end in ("qx", ""):
        with suppress(Invalid):
            passwords.check("password" * 31 + end)
    assert time.monotonic() - began < 1  # an expression that tries all ways to cut it into words takes hours


def test_of_capitals_only_those_of_ascii_are_made_small() -> None:
    """The Kelvin sign's small letter is a k: whoever has that mailbox would be somebody else here."""
    assert accounts.small(" Kate@Example.ORG ") == "kate@example.org"
    assert accounts.small("\u212aate@example.org") != "kate@example.org"


def test_only_some_passwords_are_hashed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now: list[int] = []
    most: list[int] = []

    class Slow:
        def verify(self, *_: str) -> bool:
            now.append(1)
            most.append(len(now))
            time.sleep(0.02)
            now.pop()
            return True

    monkeypatch.setattr(passwords, "_hasher", Slow)
    with ThreadPoolExecutor(20) as threads:
        assert all(threads.map(lambda _: passwords.matches("kept", "given"), range(20)))
    assert max(most) <= max(2, os.cpu_count() or 1)


def test_one_address_does_not_register_without_end(
    open_place: Callable[..., Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("augment_correction.workspace.accounts.ACCOUNTS_BY_ADDRESS", 2)
    place = open_place(registration="open")
    for number in range(3):
        person = place.person(f"p{number}@example.org")
        person.post("/register", Place.filled(person, "Eve", "Mine"))
        assert person.status == (429 if number == 2 else 200)
    elsewhere = place.person("other@example.org", address="198.51.100.7")
    elsewhere.post("/register", Place.filled(elsewhere, "Eve", "Mine"))
    assert elsewhere.status == 200
