"""One's own account: name, password, second factor, sessions, organisations, one's data."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import quote

import orjson
import segno
from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup
from sqlalchemy import select, update

from augment_correction.workspace import accounts, audit, cookies, organisations, own_data, passwords, tokens
from augment_correction.workspace.entering import Entered, require_factor
from augment_correction.workspace.here import Here
from augment_correction.workspace.problems import Forbidden, Invalid
from augment_correction.workspace.tables import LoginSession, User, now

router = APIRouter()
FRESH = timedelta(minutes=10)


@router.get("/organisations")
def my_organisations(here: Entered) -> Response:
    return _organisations(here)


def _organisations(here: Here, problem: Invalid | None = None) -> Response:
    with here.site.database.as_system() as session:
        mine = organisations.memberships_of(session, here.user.id)
    return here.page(
        "organisations.html", status=problem.status if problem else 200, mine=mine, may_found=_may_found(here, mine), problem=problem,
        name=here.form.get("organisation", ""),
    )  # fmt: skip


@router.post("/organisations")
def found_organisation(here: Entered) -> Response:
    try:
        accounts.name_of(here.text("organisation"), "organisation's name", "organisation")
    except Invalid as problem:
        return _organisations(here, problem)
    with here.site.database.as_system(writes=True) as session:
        mine = organisations.memberships_of(session, here.user.id)
        if not _may_found(here, mine):
            raise Forbidden(
                "Organisations are founded by people who own one already. Ask the person who runs this workspace."
            )
        made = organisations.found(session, here.actor, here.user, here.text("organisation"))
    return here.go(f"/o/{made.slug}")


def _may_found(here: Here, mine: list) -> bool:  # type: ignore[type-arg]
    return here.site.settings.registration == "open" or any(own.role == "owner" for _, own in mine)


@router.get("/account")
def account_page(here: Entered) -> Response:
    return _account(here)


def _account(here: Here, problem: Invalid | None = None, totp: str = "") -> Response:
    with here.site.database.as_system() as session:
        asked = select(LoginSession).where(LoginSession.user_id == here.user.id).order_by(LoginSession.seen.desc())
        logins = list(session.execute(asked).scalars())
    totp = totp or tokens.new_totp_secret()
    link = f"otpauth://totp/{quote(here.site.settings.app_name)}:{quote(here.user.email)}?secret={totp}"
    status = problem.status if problem else 200
    with here.site.database.as_system() as session:
        mine = organisations.memberships_of(session, here.user.id)
    picture = Markup(segno.make(link, error="m").svg_inline(scale=4, border=3, light="#fff"))
    return here.page(
        "account.html", status=status, problem=problem, logins=logins, totp=totp, totp_link=link, picture=picture,
        mine=[organisation for organisation, _ in mine],
    )  # fmt: skip


@router.post("/account/name")
def rename(here: Entered) -> Response:
    try:
        name = accounts.name_of(here.text("name"))
    except Invalid as problem:
        return _account(here, problem)
    with here.site.database.as_system(writes=True) as session:
        session.get_one(User, here.user.id).name = name
    return here.go("/account", said="saved")


@router.post("/account/password")
def change_password(here: Entered) -> Response:
    """All other sessions end: whoever knew the old password is out."""
    try:
        _require_password(here, "current")
        new = here.form.get("password", "")
        passwords.check(new, email=here.user.email, name=here.user.name)
    except Invalid as problem:
        return _account(here, problem)
    made = passwords.hashed(new)
    assert here.login is not None
    with here.site.database.as_system(writes=True) as session:
        session.get_one(User, here.user.id).password = made
        accounts.end_sessions(session, here.user.id, but=here.login.id)
        audit.note(session, here.actor, "password.changed", here.user.id)
    return here.go("/account", said="password_changed")


@router.post("/account/sessions/end")
def end_sessions(here: Entered) -> Response:
    only = here.text("session", most=16)
    assert here.login is not None
    with here.site.database.as_system(writes=True) as session:
        accounts.end_sessions(session, here.user.id, but=here.login.id, only=only)
        audit.note(session, here.actor, "sessions.ended", here.user.id)
    return here.go("/account", said="sessions_ended")


@router.get("/account/data")
def my_data(here: Entered) -> Response:
    with here.site.database.as_system() as session:
        mine = organisations.memberships_of(session, here.user.id)
        found = own_data.everything(session, here.user)
    for organisation, _ in mine:
        require_factor(organisation, here.login)
    named = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    return Response(orjson.dumps(found, option=orjson.OPT_INDENT_2), media_type="application/json", headers=named)


@router.post("/account/delete")
def delete_account(here: Entered) -> Response:
    try:
        _require_password(here, "current")
    except Invalid as problem:
        return _account(here, problem)
    with here.site.database.as_system(writes=True) as session:
        own_data.erase(session, here.actor, here.user.id)
    settings = here.site.settings
    response = here.go("/login", said="deleted")
    response.headers.append("set-cookie", cookies.spelled(settings, settings.session_cookie, "", 0))
    return response


# --------------------------------------------------------------------------------------------- second factor


@router.post("/account/totp")
def turn_totp_on(here: Entered) -> Response:
    secret = here.text("secret", most=64)
    try:
        if here.user.totp:
            raise Invalid("A second factor is already set. Turn it off first.", field="code")
        _require_password(here, "current")
        step = _first_code(secret, here.text("code", most=20))
    except Invalid as problem:
        return _account(here, problem, secret if _is_secret(secret) else "")
    assert here.login is not None
    with here.site.database.as_system(writes=True) as session:
        user = session.get_one(User, here.user.id)
        user.totp, user.totp_step = here.site.cipher.sealed(secret), step
        session.get_one(LoginSession, here.login.id).strong = True
        accounts.end_sessions(session, here.user.id, but=here.login.id)
        audit.note(session, here.actor, "totp.on", here.user.id)
    return here.go("/account", said="totp_on")


@router.post("/account/totp/off")
def turn_totp_off(here: Entered) -> Response:
    """Always with a code: whoever signed in in another way does not get rid of it. For who has lost the device: serve.py."""
    attempt = accounts.SignInAttempt(here.user.email, "", here.text("code", most=20), here.address)
    try:
        _require_password(here, "current")
        with here.site.database.as_system(writes=True) as session:
            accounts.refuse_guessing(session, attempt)
            user = session.get_one(User, here.user.id)
            accounts.require_code(session, user, attempt, here.site.cipher)
            user.totp = None
            session.execute(update(LoginSession).where(LoginSession.user_id == here.user.id).values(strong=False))
            audit.note(session, here.actor, "totp.off", here.user.id)
    except Invalid as problem:
        return _account(here, problem)
    return here.go("/account", said="totp_off")


def _first_code(secret: str, code: str) -> int:
    step = tokens.totp_step_of(secret, code, time.time(), 0) if _is_secret(secret) else None
    if step is None:
        raise Invalid("This is not the code that the app shows now. Check the clock of both devices.", field="code")
    return step


def _is_secret(secret: str) -> bool:
    return len(secret) == 32 and set(secret) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def _require_password(here: Here, field: str) -> None:
    """Asked again for what a stranger at an open screen must not do, and throttled like a login. Who has none, and signs in through a
    provider, must have done so a moment ago.

    Raises: Invalid, TooMany."""
    if not here.user.password:
        assert here.login is not None
        if now() - here.login.created > FRESH:
            raise Invalid(
                "Your account has no password. Sign out, sign in through your provider, and do it then.", field=field
            )
        return
    attempt = accounts.SignInAttempt(here.user.email, here.form.get(field, "")[:1000], "", here.address)
    with here.site.database.as_system() as session:
        accounts.refuse_guessing(session, attempt)
    if not passwords.matches(here.user.password, attempt.password):
        with here.site.database.as_system(writes=True) as session:
            accounts.note_failure(session, attempt)
        raise Invalid("Your current password is wrong.", field=field)
