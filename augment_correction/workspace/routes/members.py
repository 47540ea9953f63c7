"""Members of an organisation, their roles, and invitations."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from augment_correction.workspace import organisations
from augment_correction.workspace.entering import Entered
from augment_correction.workspace.here import Here
from augment_correction.workspace.permissions import ROLES, rank
from augment_correction.workspace.problems import Problem

router = APIRouter(prefix="/o/{slug}")


@router.get("/members")
def members_page(here: Entered) -> Response:
    return _members(here)


def _members(here: Here, link: str = "", problem: Problem | None = None, email: str = "") -> Response:
    with here.read() as session:
        people = organisations.members(session)
        invites = organisations.open_invites(session) if here.may("members.invite") else []
    below = [role for role in ROLES if here.role and rank(role) <= rank(here.role) and role != "owner"]
    status = problem.status if problem else 200
    owners = sum(own.role == "owner" for own, _ in people)
    return here.page(
        "members.html", status=status, people=people, invites=invites, roles=below, link=link, problem=problem, email=email,
        rank=rank, owners=owners,
    )  # fmt: skip


@router.post("/members/invites")
def invite(here: Entered) -> Response:
    """The link is on the page that answers, and nowhere else: only its digest is kept."""
    try:
        with here.write() as session:
            own = organisations.membership(session, here.user.id)
            made, token = organisations.invite(session, here.actor, own, here.text("email"), here.text("role", most=16))
    except Problem as problem:
        return _members(here, problem=problem, email=here.text("email"))
    return _members(here, link=f"{here.site.settings.public_url}/invite/{token}", email=made.email)


@router.post("/members/invites/{invite}/end")
def end_invite(here: Entered) -> Response:
    with here.write() as session:
        organisations.end_invite(session, here.actor, here.path("invite"))
    return here.go(f"{here.root}/members", said="invite_ended")


@router.post("/members/{user}/role")
def change_role(here: Entered) -> Response:
    with here.write() as session:
        own = organisations.membership(session, here.user.id)
        organisations.change_role(session, here.actor, own, here.path("user"), here.text("role", most=16))
    return here.go(f"{here.root}/members", said="saved")


@router.post("/members/{user}/owner")
def give_ownership(here: Entered) -> Response:
    with here.write() as session:
        own = organisations.membership(session, here.user.id)
        step_down = bool(here.text("step_down"))
        organisations.give_ownership(session, here.actor, own, here.path("user"), step_down=step_down)
    return here.go(f"{here.root}/members", said="saved")


@router.post("/members/{user}/remove")
def remove_member(here: Entered) -> Response:
    with here.write() as session:
        own = organisations.membership(session, here.user.id)
        organisations.remove(session, here.actor, own, here.path("user"))
    return here.go(f"{here.root}/members", said="removed")


@router.post("/leave")
def leave(here: Entered) -> Response:
    with here.write() as session:
        own = organisations.membership(session, here.user.id)
        organisations.remove(session, here.actor, own, here.user.id)
    return here.go("/organisations", said="left")
