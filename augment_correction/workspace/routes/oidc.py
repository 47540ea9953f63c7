"""To the identity provider and back."""

from __future__ import annotations

import base64

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from augment_correction.workspace import accounts, cookies, pending, tokens
from augment_correction.workspace.accounts import Attempt
from augment_correction.workspace.entering import Entered
from augment_correction.workspace.here import Here
from augment_correction.workspace.identities import account_of
from augment_correction.workspace.oidc import OpenIdConnect
from augment_correction.workspace.pending import Pending
from augment_correction.workspace.problems import Forbidden, Invalid, NotThere
from augment_correction.workspace.routes.entrance import enter_as, local_path, sign_in_page
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
    """The session is new, whoever was signed in before."""
    oidc = _oidc(here)
    ticket, _, then = here.request.cookies.get(_cookie(here), "").partition(".")
    told = oidc.told(ticket, here.request.query_params)
    settings = here.site.settings
    with here.site.database.as_system(writes=True) as session:
        user = account_of(session, told, here.address, may_register=settings.registration == "open")
    then = _decoded(then) or "/"
    if user.totp and not told.strong:
        proven = Pending(user.id, told.issuer, told.subject, told.strong, True, then)
        response = pending.keep(settings, here.go("/oidc/code"), proven)
    else:
        response = enter_as(here, user, then, strong=told.strong)
    response.headers.append("set-cookie", cookies.spelled(settings, _cookie(here), "", 0))
    return response


@router.get("/code")
def code_page(here: Entered) -> Response:
    """The step that follows a password, too: an account with a second factor of its own is asked for it."""
    proven = _proven(here)
    with here.site.database.as_system() as session:
        user = _owner(session, proven)
    return sign_in_page(here, proven.then, Invalid(accounts.CODE, field="code"), user.email, provider_done=True)


@router.post("/code")
def give_code(here: Entered) -> Response:
    proven, code = _proven(here), here.text("code", most=20)
    with here.site.database.as_system(writes=True) as session:
        user = _owner(session, proven)
        attempt = Attempt(user.email, "", code, here.address)
        accounts.refuse_guessing(session, attempt)
        try:
            accounts.require_code(session, user, attempt, here.site.cipher)
        except Invalid as problem:
            return sign_in_page(here, proven.then, problem, user.email, provider_done=True)
    return pending.end(here.site.settings, enter_as(here, user, proven.then, strong=user.totp is not None))


def _proven(here: Here) -> Pending:
    """Raises: Forbidden."""
    found = pending.of(here)
    if found is None or not found.joined:
        raise Forbidden("This sign-in was not begun in this browser, or too long ago. Begin it again.")
    return found


def _owner(session: Session, proven: Pending) -> User:
    """Raises: Forbidden where the account was deleted meanwhile."""
    asked = select(User).where(User.id == proven.user, User.deleted.is_(None)).with_for_update()
    user = session.execute(asked).scalar_one_or_none()
    if user is None:
        raise Forbidden("This account does not exist any more.")
    return user


def _decoded(then: str) -> str:
    try:
        return local_path(base64.urlsafe_b64decode(then).decode())
    except ValueError:
        return ""
