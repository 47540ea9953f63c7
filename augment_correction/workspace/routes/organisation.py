"""An organisation's front page, settings and audit."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select

from augment_correction.workspace import audit, usage
from augment_correction.workspace.accounts import name_of
from augment_correction.workspace.entering import Entered
from augment_correction.workspace.here import Here
from augment_correction.workspace.problems import Invalid, Problem
from augment_correction.workspace.tables import Organisation, User

router = APIRouter(prefix="/o/{slug}")


@router.get("")
def front(here: Entered) -> Response:
    said = here.query("said")
    return here.go(f"{here.root}/threads", **({"said": said} if said else {}))


@router.get("/settings")
def settings_page(here: Entered) -> Response:
    return _settings(here)


def _settings(here: Here, problem: Problem | None = None) -> Response:
    """What was written stands there again beside what is wrong with it."""
    values = here.form if problem else {}
    return here.page("settings.html", status=problem.status if problem else 200, problem=problem, values=values)


@router.post("/settings")
def save_settings(here: Entered) -> Response:
    try:
        _save(here)
    except Problem as problem:
        return _settings(here, problem)
    return here.go(f"{here.root}/settings", said="saved")


def _save(here: Here) -> None:
    daily = here.text("daily_messages", most=6)
    if not daily.isdecimal() or not 0 < int(daily) <= 100_000:
        raise Invalid("The number of messages per day must be from 1 to 100,000.", field="daily_messages")
    forced = here.text("second_factor", most=3) == "yes"
    if forced and not (here.login and here.login.strong):
        raise Invalid(
            "Set up your own second factor first, or sign in with it: you would be locked out.",
            field="second_factor",
        )
    with here.write() as session:
        organisation = session.get_one(Organisation, here.organisation.id)
        organisation.name = name_of(here.text("name"), "organisation's name")
        organisation.daily_messages = int(daily)
        organisation.system_prompt = here.text("system_prompt", most=4000)
        organisation.second_factor = forced
        audit.note(
            session, here.actor, "settings.changed", organisation.id, organisation=organisation.id, second_factor=forced
        )


@router.get("/usage")
def usage_page(here: Entered) -> Response:
    known = usage.price(here.site.settings, here.organisation.id)
    with here.read() as session:
        spent = usage.by_member(session, known)
    return here.page("usage.html", spent=spent, price=known)


@router.get("/audit")
def audit_page(here: Entered) -> Response:
    with here.read() as session:
        events = audit.events(session, here.organisation.id, before=here.number("before"))
        broken = list(audit.broken(session, here.organisation.id))
        named = {event.actor_id for event in events} | {event.subject for event in events}
        people = {user.id: user for user in session.execute(select(User).where(User.id.in_(named))).scalars()}
    return here.page("audit.html", events=events, people=people, broken=broken, audit=audit)
