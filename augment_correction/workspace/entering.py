"""What every request passes before its route: who it is, whether the form is ours, and the table of permissions."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from augment_correction.workspace import audit, tokens
from augment_correction.workspace.accounts import session_of
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.here import Here, csrf_token
from augment_correction.workspace.permissions import PUBLIC, ROUTES, SIGNED_IN, allows
from augment_correction.workspace.problems import Forbidden, NotThere, SecondFactorFirst, SignInFirst
from augment_correction.workspace.site import Site
from augment_correction.workspace.tables import AuditEvent, LoginSession, Membership, Organisation, now

SEEN_EVERY = 300
"""Seconds between two notes of when a session was used."""
MAX_FIELDS = 200
REFUSALS = 200
"""Of one person in an hour that an organisation's audit is told of: a stranger must not fill it."""


async def enter(request: Request) -> Here:
    """Raises: SignInFirst, Forbidden, NotThere."""
    site: Site = request.app.state.site
    cookies = request.cookies
    cookie = cookies.get(site.settings.session_cookie) or cookies.get(site.settings.visitor_cookie) or ""
    here = Here(site, request, cookie)
    request.state.here = here
    await run_in_threadpool(_identify, here)  # first: of a stranger nothing is read
    if request.method not in ("GET", "HEAD"):
        form = await request.form(max_files=20, max_fields=MAX_FIELDS, max_part_size=200_000)
        here.form = {_written(name): _written(value) for name, value in form.items() if isinstance(value, str)}
        here.files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        given = here.form.get("csrf") or request.headers.get("x-csrf-token", "")
        if not cookie or not tokens.same(given, csrf_token(site, cookie)):
            raise Forbidden(
                "This form has grown old, or it was not made by the workspace. Go back, reload the page and send it again."
            )
    return here


def _written(text: str) -> str:
    """Without halves of characters, which no database takes: a sender may name an encoding that makes them (UTF-7)."""
    return text.encode(errors="replace").decode()


Entered = Annotated[Here, Depends(enter)]


def rule_of(request: Request) -> str:
    return ROUTES[f"{'GET' if request.method == 'HEAD' else request.method} {request.scope['route'].path}"]


def _identify(here: Here) -> None:
    """In one transaction, for every page begins with it."""
    rule = rule_of(here.request)
    inside = rule not in (PUBLIC, SIGNED_IN)
    token = here.request.cookies.get(here.site.settings.session_cookie)
    organisation, own = None, None
    if token:
        with here.site.database.as_system() as session:
            found = session_of(session, here.site.settings, token)
            if found:
                here.login, here._user = found
                organisation, own = _asked_for(session, here) if inside else (None, None)
        if found:
            _note_seen(here)
    if rule == PUBLIC:
        return
    if not here.signed_in:
        raise SignInFirst("Sign in first." if here.request.method == "GET" else "Your session has ended.")
    if inside:
        _join(here, rule, organisation, own)


def _asked_for(session: Session, here: Here) -> tuple[Organisation | None, Membership | None]:
    """The organisation of the address, and the user's place in it."""
    asked = select(Organisation, Membership).outerjoin(
        Membership, (Membership.org_id == Organisation.id) & (Membership.user_id == here.user.id)
    )
    found = session.execute(asked.where(Organisation.slug == here.path("slug"))).one_or_none()
    return (found[0], found[1]) if found else (None, None)


def _note_seen(here: Here) -> None:
    assert here.login is not None
    if (now() - here.login.seen).total_seconds() > SEEN_EVERY:
        with here.site.database.as_system(writes=True) as session:
            session.execute(update(LoginSession).where(LoginSession.id == here.login.id).values(seen=now()))


def _join(here: Here, action: str, organisation: Organisation | None, own: Membership | None) -> None:
    """A stranger learns as little of an organisation that is there as of one that is not; its audit is told of him."""
    if organisation is None:
        raise NotThere()
    if own is None or not allows(own.role, action):
        _note_refused(here, organisation.id, action)
    if own is None:
        raise NotThere()
    here.own, here._organisation = own, organisation
    here.require(action)
    require_factor(organisation, here.login)


def require_factor(organisation: Organisation, login: LoginSession | None) -> None:
    """Raises: SecondFactorFirst where the organisation asks for one and the session was begun without."""
    if organisation.second_factor and not (login and login.strong):
        raise SecondFactorFirst(
            "This organisation asks for a second factor. Set one up under Your account; if you have one, sign in anew with its code."
        )


def _note_refused(here: Here, organisation: str, action: str) -> None:
    with here.site.database.as_system(writes=True) as session:
        actor = Actor(here.user.id, here.address)
        noted = select(func.count()).select_from(AuditEvent).where(
            AuditEvent.org_id == organisation, AuditEvent.actor_id == here.user.id, AuditEvent.action == "refused",
            AuditEvent.at > now() - timedelta(hours=1),
        )  # fmt: skip
        if session.execute(noted).scalar_one() < REFUSALS:
            audit.note(session, actor, "refused", action, organisation=organisation, method=here.request.method)
