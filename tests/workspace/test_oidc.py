"""Signing in through an identity provider, against one that keeps to the standard and lies on demand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.responses import Response
from joserfc.jwk import ECKey, OctKey
from sqlalchemy import select

from augment_correction.errors import ConfigError
from augment_correction.workspace import identities, oidc
from augment_correction.workspace.pending import Pending, keep
from augment_correction.workspace.serve import new_password_link
from augment_correction.workspace.settings import Provider, read_settings
from augment_correction.workspace.tables import Identity, User
from tests.workspace.places import PASSWORD, Person, Place, invited
from tests.workspace.provider import CLIENT, SECRET, IdentityProvider
from tests.workspace.test_second_factor import next_code, with_factor

OCT = {"kty": "oct", "k": "c2VjcmV0IG9mIG5vYm9keSBhdCBhbGw", "kid": "one"}


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider() as running:
        yield running


@pytest.fixture
def place(open_place: Callable[..., Place], provider: IdentityProvider) -> Place:
    return open_place(provider=Provider(provider.issuer, CLIENT, SECRET, "Example ID"))


def begun(person: Person, then: str = "") -> str:
    """Where the browser is sent."""
    answer = person.client.get(f"/oidc/start?then={then}", follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def through(person: Person, provider: IdentityProvider, then: str = "", **claims: Any) -> None:
    person.get(provider.authorize(begun(person, then), **claims))


def joined(person: Person, provider: IdentityProvider, then: str = "", **claims: Any) -> None:
    """Whoever has a password gives it once."""
    through(person, provider, then, email=person.email, **claims)
    assert person.url == "/oidc/confirm", person.text
    person.post("/oidc/confirm", {"password": PASSWORD})


def accounts_of(place: Place) -> list[User]:
    with place.site.database.as_system() as session:
        return list(session.execute(select(User)).scalars())


def test_who_has_an_account_with_a_password_gives_it_once(place: Place, provider: IdentityProvider) -> None:
    ada = place.owner()
    again = place.person(ada.email.upper())
    assert "Continue with Example ID" in again.get("/login")
    joined(again, provider, "/account")
    assert again.url == "/account" and ada.email in again.text
    moved = place.person()
    through(moved, provider, email="other@example.org", email_verified=False)  # the identity counts, not the address
    assert "Members" in moved.text
    with place.site.database.as_system() as session:
        [identity] = session.execute(select(Identity)).scalars()
    assert (identity.issuer, identity.subject) == (provider.issuer, "sub-1")
    assert (
        "identity.linked" not in ada.get(ada.at("/audit")) and provider.issuer in ada.client.get("/account/data").text
    )


def test_an_address_that_somebody_registered_beforehand_leads_nobody_into_his_account(
    open_place: Callable[..., Place], provider: IdentityProvider
) -> None:
    """A victim who shared the account of whoever had taken his address would have worked under that one's eyes."""
    place = open_place(provider=Provider(provider.issuer, CLIENT, SECRET, "Example ID"), registration="open")
    squatter, victim = place.person("vera@example.org"), place.person("vera@example.org")
    squatter.post("/register", place.filled(squatter, "Vera", "Vera Ltd"))
    through(victim, provider, "/account", email=victim.email, amr=["mfa"])
    assert victim.url == "/oidc/confirm" and "Enter it once" in victim.text and victim.email in victim.text
    victim.get("/account")
    assert "Sign out" not in victim.text
    for given in ("", "not the password of it"):
        victim.post("/oidc/confirm", {"password": given})
        assert victim.status == 422 and "is wrong" in victim.text
    with place.site.database.as_system() as session:
        assert session.execute(select(Identity)).first() is None
    link = new_password_link(place.site.database, place.settings, victim.email)
    assert link is not None
    victim.get(link)
    victim.post(link, {"password": "short"})
    assert victim.status == 422
    victim.post(link, {"password": "velvet onion harvest drum"})
    assert victim.url == "/login" and "new password is set" in victim.text
    victim.post(link, {"password": PASSWORD})
    assert victim.status == 404 and "already used" in victim.text
    squatter.get("/account")
    assert squatter.url == "/login"
    squatter.sign_in()
    assert squatter.status == 422
    through(victim, provider, "/account", email=victim.email)
    victim.post("/oidc/confirm", {"password": "velvet onion harvest drum"})
    assert victim.url == "/account" and "Sign out" in victim.text


def test_before_they_are_joined_the_account_asks_for_its_second_factor_too(
    place: Place, provider: IdentityProvider
) -> None:
    ada = place.owner()
    secret = with_factor(ada)
    again = place.person(ada.email)
    through(again, provider, "/account", email=ada.email, amr=["mfa"])
    again.post("/oidc/confirm", {"password": PASSWORD})
    assert again.status == 422 and "six digits" in again.text
    again.post("/oidc/confirm", {"password": PASSWORD, "code": next_code(secret)})
    assert again.url == "/account" and "Turn it off" in again.text


def test_an_address_that_the_provider_gives_to_somebody_else_leads_him_into_no_account(
    place: Place, provider: IdentityProvider
) -> None:
    ada = place.owner()
    link = invited(ada, "desk@example.org", "admin")
    gone, comes = place.person(), place.person()
    through(gone, provider, link, email="desk@example.org", sub="gone")
    through(comes, provider, "/account", email="desk@example.org", sub="comes")
    assert comes.status == 403 and "another person" in comes.text
    again = place.person()
    through(again, provider, "/account", sub="gone", email="desk@example.org")
    assert again.url == "/account" and again.status == 200


@pytest.mark.parametrize("step", ["owner_of", "_added"])
def test_two_first_sign_ins_of_one_identity_at_a_time_make_one_account(
    place: Place, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The other one comes between the look and the writing, as PostgreSQL lets it."""
    ada = place.owner()
    link = invited(ada, "grace@example.org", "member")
    first, second = place.person(), place.person()
    goes_on, early = getattr(identities, step), iter([True])

    def after_the_other(session: Any, *given: Any, **named: Any) -> User | None:
        if next(early, False):
            session.rollback()  # SQLite has one writer at a time
            through(first, provider, link, email="grace@example.org", sub="grace")
            if step == "owner_of":
                return None
        found: User | None = goes_on(session, *given, **named)
        return found

    monkeypatch.setattr(identities, step, after_the_other)
    through(second, provider, link, email="grace@example.org", sub="grace")
    assert (first.url, second.url) == (link, link) and "Join" in second.text
    assert sorted(user.email for user in accounts_of(place)) == ["grace@example.org", ada.email]


def test_strangers_get_no_account_and_the_invited_get_one(place: Place, provider: IdentityProvider) -> None:
    ada = place.owner()
    eve = place.person()
    through(eve, provider, email="eve@example.org", sub="eve")
    assert eve.status == 403 and "invitation" in eve.text
    link = invited(ada, "grace@example.org", "reviewer")
    grace = place.person()
    assert "Continue with Example ID" in grace.get(link)
    through(grace, provider, link, email="grace@example.org", sub="grace", name="Grace \u200d Hopper\n")
    assert grace.url == link and "Join" in grace.text
    grace.post(link)
    assert "Welcome" in grace.text
    with place.site.database.as_system() as session:
        made = session.execute(select(User).where(User.email == "grace@example.org")).scalar_one()
    assert (made.name, made.password) == ("Grace Hopper", "")
    grace.sign_in("grace@example.org", "")
    assert grace.status == 422  # no password is none, and not the empty one


def test_an_address_that_nobody_vouches_for_opens_no_account(place: Place, provider: IdentityProvider) -> None:
    ada = place.owner()
    for claims in ({"email_verified": False}, {"email_verified": "false"}, {"email": ""}):
        thief = place.person()
        through(thief, provider, **{"email": ada.email, **claims})
        assert thief.status == 403 and "vouch" in thief.text


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-program"},
        {"aud": [CLIENT, "another-program"], "azp": "another-program"},
        {"iss": "https://evil.example"},
        {"nonce": "of another sign-in"},
        {"exp": int(time.time()) - 3600},
        {"sub": None},
        {"sub": "x" * 256},
    ],
    ids=["audience", "authorized party", "issuer", "nonce", "expired", "nobody", "too long"],
)
def test_what_is_said_for_others_is_refused(place: Place, provider: IdentityProvider, claims: dict[str, Any]) -> None:
    ada = place.owner()
    thief = place.person()
    through(thief, provider, email=ada.email, **claims)
    assert thief.status == 403 and "Members" not in thief.text


@pytest.mark.parametrize(
    ("key", "header"),
    [
        (ECKey.generate_key("P-256", {"kid": "one"}), {}),
        (OctKey.import_key(SECRET), {"alg": "HS256"}),
        ("nobody", {}),
    ],
    ids=["another key", "a shared secret", "none"],
)
def test_what_the_provider_has_not_signed_is_refused(
    place: Place, provider: IdentityProvider, key: Any, header: dict[str, Any]
) -> None:
    ada = place.owner()
    provider.signing, provider.header = key, header
    thief = place.person()
    through(thief, provider, email=ada.email)
    assert thief.status == 403 and "cannot be trusted" in thief.text


def test_keys_that_the_provider_has_changed_are_read_again(place: Place, provider: IdentityProvider) -> None:
    ada = place.owner()
    joined(place.person(ada.email), provider)
    provider.key = ECKey.generate_key("P-256", {"kid": "two"})
    again = place.person()
    through(again, provider, email=ada.email)
    assert "Members" in again.text


def test_an_answer_fits_only_the_browser_that_asked_and_once(place: Place, provider: IdentityProvider) -> None:
    ada = place.owner()
    victim, thief = place.person(), place.person()
    begun(victim)
    victim.get(provider.authorize(begun(thief), email=ada.email))  # the thief's answer, slipped to the victim
    assert victim.status == 403 and "not begun in this browser" in victim.text
    back = provider.authorize(begun(thief), email=ada.email)
    thief.get(back)
    assert thief.url == "/oidc/confirm"
    thief.get(back)
    assert thief.status == 403 and not provider.refused
    nobody = place.person()
    for ticket in ("", "chosen."):
        nobody.client.cookies.set("__Host-oidc", ticket)
        nobody.get("/oidc/callback?code=x&state=")
        assert nobody.status == 403 and "not begun in this browser" in nobody.text
    refused = place.person()
    state = begun(refused).split("state=")[1].split("&")[0]
    refused.get(f"/oidc/callback?error=access_denied&state={state}")
    assert refused.status == 403 and "access_denied" in refused.text


def test_a_provider_that_is_away_is_said(open_place: Callable[..., Place]) -> None:
    place = open_place(provider=Provider("http://127.0.0.1:9", CLIENT, name="Example ID"))
    person = place.person()
    assert "Example ID cannot be reached" in person.get("/oidc/start") and person.status == 502


def test_a_provider_that_is_away_is_not_asked_at_every_request(
    place: Place, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, person = place.owner(), place.person()
    provider.away = True
    for _ in range(3):
        assert "Example ID answered 503" in person.get("/oidc/start") and person.status == 502
    assert len(provider.asked) == 1
    provider.away = False
    monkeypatch.setattr(oidc, "AWAY_FOR", 0.0)
    through(person, provider, email=ada.email)
    assert person.url == "/oidc/confirm" and len(provider.asked) == 3
    begun(person)
    assert len(provider.asked) == 3


@pytest.mark.parametrize(
    "beside", [[], ["x"], [{"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"}], [{"kty": "EC"}], [OCT]], ids=range(5)
)
def test_of_the_providers_keys_those_count_that_can_be_read(
    place: Place, provider: IdentityProvider, beside: list[Any]
) -> None:
    key, provider.key, provider.beside = provider.key, None, beside
    ada, person = place.owner(), place.person()
    assert "names no key" in person.get("/oidc/start") and person.status == 502
    place.site.oidc._failed = -1000.0  # type: ignore[union-attr]
    provider.key = key
    through(person, provider, email=ada.email)
    assert person.url == "/oidc/confirm"


@pytest.mark.parametrize("methods", [None, ["private_key_jwt", "client_secret_post"], [*oidc.METHODS]], ids=str)
def test_our_secret_is_shown_as_the_provider_wants_it(
    place: Place, provider: IdentityProvider, methods: list[str] | None
) -> None:
    ada, person = place.owner(), place.person()
    provider.methods = methods
    through(person, provider, email=ada.email)
    assert person.url == "/oidc/confirm" and not provider.refused


def test_a_provider_that_takes_no_secret_that_we_can_show_is_said(place: Place, provider: IdentityProvider) -> None:
    provider.methods = ["private_key_jwt"]
    person = place.person()
    through(person, provider)
    assert person.status == 502 and "it names private_key_jwt" in person.text


@pytest.mark.parametrize(
    ("claims", "vouched"),
    [
        ({"email_verified": None, "xms_edov": True}, False),
        ({"email_verified": False, "xms_edov": True}, False),
        ({"xms_edov": True}, True),
        ({"xms_edov": "1"}, True),
        ({"xms_edov": "0"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_entra_vouches_for_an_address_in_its_own_way(claims: dict[str, Any], vouched: bool) -> None:
    assert oidc._vouched(claims) is vouched


def test_an_organisation_that_asks_for_a_second_factor_takes_the_providers(
    place: Place, provider: IdentityProvider
) -> None:
    ada = place.owner()
    joined(ada, provider)
    through(ada, provider, amr=["pwd", "otp"])
    ada.post(ada.at("/settings"), {"name": "Bridges", "daily_messages": "9", "second_factor": "yes"})
    assert "Saved" in ada.text
    for methods, there in (
        (["pwd"], False),
        (["mfa"], True),
        ("mfa", False),
        (["pwd", "pin"], False),
        (["pin", "hwk", {}], True),
    ):
        again = place.person()
        through(again, provider, ada.at("/members"), email=ada.email, amr=methods)
        assert (again.url == ada.at("/members")) is there


def test_an_account_with_a_second_factor_of_its_own_is_asked_for_it_after_the_provider(
    place: Place, provider: IdentityProvider
) -> None:
    ada = place.owner()
    link = invited(ada, "grace@example.org", "member")
    grace = place.person("grace@example.org")
    through(grace, provider, link, email=grace.email, sub="grace")
    secret = with_factor(grace)
    weak, strong = place.person(grace.email), place.person(grace.email)
    through(weak, provider, "/account", sub="grace", amr=["pwd"])
    assert weak.url == "/oidc/confirm" and "asks for a code as well" in weak.text and "Password" not in weak.text
    weak.post("/account/totp/off")
    assert weak.status == 401
    weak.post("/oidc/confirm", {"code": "000000"})
    assert weak.status == 422 and "wrong or was already used" in weak.text
    through(strong, provider, "/account", sub="grace", amr=["pwd", "otp"])
    assert strong.url == "/account" and strong.status == 200
    strong.post("/account/totp/off")  # however fresh and strong: never without a code
    assert strong.status == 422 and "six digits" in strong.text
    weak.post("/oidc/confirm", {"code": next_code(secret)})
    assert weak.url == "/account" and "Turn it off" in weak.text
    weak.get("/oidc/confirm")
    assert weak.status == 403  # used up


def test_a_pending_sign_in_of_our_own_making_is_none(place: Place, provider: IdentityProvider) -> None:
    ada = place.owner()
    with_factor(ada)
    thief = place.person()
    thief.get("/login")
    with place.site.database.as_system() as session:
        user = session.execute(select(User)).scalar_one().id
    sealed = keep(replace(place.settings, secret=b"t" * 40), Response(), Pending(user, "", "", then="/"))
    thief.client.cookies.set(
        place.settings.pending_cookie, sealed.headers["set-cookie"].partition("=")[2].split(";")[0]
    )
    thief.get("/oidc/confirm")
    assert thief.status == 403 and "not begun in this browser" in thief.text


def test_half_a_provider_is_a_mistake(tmp_path: Any) -> None:
    given = {"LL_MODEL_STORAGE_DIR": str(tmp_path), "LL_OIDC_ISSUER": "https://id.example.org"}
    with pytest.raises(ConfigError, match="LL_OIDC_CLIENT_ID"):
        read_settings(given)
    with pytest.raises(ConfigError, match="https"):
        read_settings({**given, "LL_OIDC_CLIENT_ID": "x", "LL_OIDC_ISSUER": "http://id.example.org"})
    made = read_settings({**given, "LL_OIDC_CLIENT_ID": "x"})
    assert made.provider == Provider("https://id.example.org", "x", "", "id.example.org")


def test_who_has_no_password_deletes_the_account_right_after_signing_in(
    place: Place, provider: IdentityProvider
) -> None:
    ada = place.owner()
    link = invited(ada, "grace@example.org", "member")
    grace = place.person()
    through(grace, provider, link, email="grace@example.org", sub="grace")
    grace.post("/account/password", {"current": "", "password": PASSWORD + " and more"})
    assert "password is changed" in grace.text
    grace.post("/account/delete", {"current": "wrong"})
    assert grace.status == 422
    grace.post("/account/delete", {"current": PASSWORD + " and more"})
    with place.site.database.as_system() as session:
        assert session.execute(select(Identity)).first() is None
