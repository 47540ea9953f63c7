"""To the identity provider and back."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from augment_correction.workspace import cookies, pending, tokens
from augment_correction.workspace.accounts import SignInAttempt
from augment_correction.workspace.entering import Entered
from augment_correction.workspace.here import Here
from augment_correction.workspace.identities import account_of, join, owner_of
from augment_correction.workspace.oidc import IdentityClaims, OpenIdConnect
from augment_correction.workspace.pending import Pending
from augment_correction.workspace.problems import Forbidden, NotThere, Problem
from augment_correction.workspace.routes.entrance import authenticated, enter_as, local_path
from augment_correction.workspace.tables import User

router = APIRouter(prefix="/oidc")
MINUTES = 10


def _oidc(here: Here) -> OpenIdConnect:
    """Raises: NotThere."""
    if here.site.oidc is None:
        raise NotThere("No identity provider is set up here (LL_OIDC_ISSUER).")
    return here.site.oidc


def _cookie(here: Here) -> str:
    return "__Host-oidc" if here.site.settings.cookie_secure else "oidc"


@router.get("/start")
def start(here: Entered) -> Response:
    oidc, ticket = _oidc(here), tokens.new_token()
    then = base64.urlsafe_b64encode(local_path(here.query("then")).encode()).decode()
    response = RedirectResponse(oidc.address(ticket), status_code=303)
    told = cookies.spelled(here.site.settings, _cookie(here), f"{ticket}.{then}", MINUTES * 60)
    response.headers.append("set-cookie", told)
    return response


@router.get("/callback")
def callback(here: Entered) -> Response:
    """The session is new, whoever was signed in before. What the account itself asks for, besides the provider's word, is asked next."""
    ticket, _, then = here.request.cookies.get(_cookie(here), "").partition(".")
    told = _oidc(here).told(ticket, here.request.query_params)
    settings, then = here.site.settings, _decoded(then) or "/"
    user, joined = _account_of(here, told)
    if joined and (told.strong or not user.totp):
        response = enter_as(here, user, then, strong=told.strong)
    else:
        proven = Pending(user.id, told.issuer, told.subject, then)
        response = pending.keep(settings, here.go("/oidc/confirm"), proven)
    response.headers.append("set-cookie", cookies.spelled(settings, _cookie(here), "", 0))
    return response


def _account_of(here: Here, told: IdentityClaims) -> tuple[User, bool]:
    """Of two first sign-ins of one identity at a time, the later one finds what the earlier one made."""
    may_register = here.site.settings.registration == "open"
    for again in (False, True):
        try:
            with here.site.database.as_system(writes=True) as session:
                return account_of(session, told, here.address, may_register=may_register)
        except IntegrityError:
            if again:
                raise
    raise AssertionError("unreachable")


@dataclass(frozen=True)
class Proven:
    """By the provider: `user`, to whose account the identity is joined already or not."""

    pending: Pending
    user: User
    joined: bool


@router.get("/confirm")
def confirm_page(here: Entered) -> Response:
    return _confirm_page(here, _proven(here))


def _confirm_page(here: Here, proven: Proven, problem: Problem | None = None) -> Response:
    return here.page(
        "confirm.html", status=problem.status if problem else 200, problem=problem, email=proven.user.email,
        asks_password=not proven.joined, asks_code=proven.user.totp is not None,
    )  # fmt: skip


@router.post("/confirm")
def confirm(here: Entered) -> Response:
    """The account's own proof after the provider's word: its password before they are joined, its code where it has a second factor."""
    proven = _proven(here)
    given = here.form.get("password", "")[:1000]
    attempt = SignInAttempt(proven.user.email, given, here.text("code", most=20), here.address)
    try:
        user = authenticated(here, attempt, by_password=not proven.joined)
    except Problem as problem:
        return _confirm_page(here, proven, problem)
    with here.site.database.as_system(writes=True) as session:
        join(session, user, proven.pending.issuer, proven.pending.subject, here.address)
    return pending.end(here.site.settings, enter_as(here, user, proven.pending.then, strong=user.totp is not None))


def _proven(here: Here) -> Proven:
    """Raises: Forbidden."""
    found = pending.of(here)
    if found is None:
        raise Forbidden("This sign-in was not begun in this browser, or too long ago. Begin it again.")
    with here.site.database.as_system() as session:
        asked = select(User).where(User.id == found.user, User.deleted.is_(None))
        user = session.execute(asked).scalar_one_or_none()
        owner = owner_of(session, found.issuer, found.subject)
    if user is None:
        raise Forbidden("This account does not exist any more.")
    return Proven(found, user, owner is not None and owner.id == user.id)


def _decoded(then: str) -> str:
    try:
        return local_path(base64.urlsafe_b64decode(then).decode())
    except ValueError:
        return ""
