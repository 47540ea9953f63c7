"""To the identity provider and back."""

from __future__ import annotations

import base64

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from augment_correction.workspace import cookies, tokens
from augment_correction.workspace.entering import Entered
from augment_correction.workspace.here import Here
from augment_correction.workspace.identities import account_of
from augment_correction.workspace.oidc import OpenIdConnect
from augment_correction.workspace.problems import NotThere
from augment_correction.workspace.routes.entrance import enter_as, local_path

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
    response = enter_as(here, user, _decoded(then) or "/", strong=told.strong)
    response.headers.append("set-cookie", cookies.spelled(settings, _cookie(here), "", 0))
    return response


def _decoded(then: str) -> str:
    try:
        return local_path(base64.urlsafe_b64decode(then).decode())
    except ValueError:
        return ""
