"""Organisations, their members and invites."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from augment_correction.workspace import accounts, audit, tokens
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.permissions import ROLES, require, require_no_higher
from augment_correction.workspace.problems import Conflict, Forbidden, Invalid, NotThere
from augment_correction.workspace.tables import Invite, Membership, Organisation, User, new_id, now

INVITE_DAYS = 7
INVITES_OPEN = 100
DEAD_INVITE = "This invitation was used or withdrawn, or it is older than seven days. Ask for a new one."


def found(session: Session, actor: Actor, owner: User, name: str) -> Organisation:
    """A new organisation with its first owner; the session must be the system's, since nobody is a member yet."""
    name = accounts.name_of(name, "organisation's name", "organisation")
    made = Organisation(name=name, slug=_slug(session, name))
    session.add(made)
    session.flush()
    session.add(Membership(org_id=made.id, user_id=owner.id, role="owner"))
    audit.note(session, actor, "organisation.founded", made.id, organisation=made.id)
    return made


def _slug(session: Session, name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "organisation"
    taken = session.execute(select(Organisation.id).where(Organisation.slug == slug)).first()
    return f"{slug}-{new_id()[:6]}" if taken else slug


def locked(session: Session, organisation: str) -> Organisation:
    """Nobody else changes its members meanwhile."""
    return session.execute(
        select(Organisation)
        .where(Organisation.id == organisation)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()


def members(session: Session) -> list[tuple[Membership, User]]:
    """Of the session's organisation, owners first."""
    rows = session.execute(select(Membership, User).join(User, User.id == Membership.user_id)).all()
    return sorted(((row[0], row[1]) for row in rows), key=lambda each: (-ROLES.index(each[0].role), each[1].name))


def membership(session: Session, user_id: str) -> Membership:
    """Raises: NotThere."""
    row = session.execute(select(Membership).where(Membership.user_id == user_id)).scalar_one_or_none()
    if row is None:
        raise NotThere("This person is not a member of the organisation.")
    return row


def memberships_of(session: Session, user_id: str) -> list[tuple[Organisation, Membership]]:
    """In all organisations; the session must be the system's."""
    rows = session.execute(
        select(Organisation, Membership)
        .join(Membership, Membership.org_id == Organisation.id)
        .where(Membership.user_id == user_id)
        .order_by(Organisation.name)
    ).all()
    return [(row[0], row[1]) for row in rows]


# --------------------------------------------------------------------------------------------------- members


def _lock_with(session: Session, own: Membership) -> None:
    """What the membership is once nobody else changes it.

    Raises: NotThere where it has ended meanwhile."""
    locked(session, own.org_id)
    try:
        session.refresh(own)
    except InvalidRequestError:
        raise NotThere() from None


def change_role(session: Session, actor: Actor, own: Membership, user_id: str, role: str) -> None:
    """Raises: Forbidden, Conflict for the last owner, NotThere."""
    _lock_with(session, own)
    require(own.role, "members.change")
    changed = membership(session, user_id)
    session.refresh(changed)
    require_no_higher(own.role, role, changed.role)
    if role == "owner" and changed.role != "owner":
        raise Forbidden("Ownership is given by an owner, on its own button.")
    if changed.role == "owner":
        _keep_an_owner(session, user_id)
    before, changed.role = changed.role, role
    audit.note(session, actor, "member.role", user_id, organisation=own.org_id, before=before, now=role)


def give_ownership(session: Session, actor: Actor, own: Membership, user_id: str, *, step_down: bool) -> None:
    """Makes another member an owner; with `step_down` the giver is an admin from then on."""
    _lock_with(session, own)
    require(own.role, "ownership.give")
    given = membership(session, user_id)
    if user_id == own.user_id:
        raise Conflict("You already are an owner.")
    before, given.role = given.role, "owner"
    audit.note(session, actor, "ownership.given", user_id, organisation=own.org_id, before=before)
    if step_down:
        own.role = "admin"
        audit.note(session, actor, "member.role", own.user_id, organisation=own.org_id, before="owner", now="admin")


def remove(session: Session, actor: Actor, own: Membership, user_id: str) -> None:
    """Also oneself: leaving."""
    _lock_with(session, own)
    gone = membership(session, user_id)
    session.refresh(gone)
    if user_id != own.user_id:
        require(own.role, "members.remove")
        require_no_higher(own.role, gone.role)
    if gone.role == "owner":
        _keep_an_owner(session, user_id)
    session.delete(gone)
    audit.note(session, actor, "member.removed", user_id, organisation=own.org_id, role=gone.role)


def _keep_an_owner(session: Session, but: str) -> None:
    others = session.execute(
        select(func.count()).select_from(Membership).where(Membership.role == "owner", Membership.user_id != but)
    ).scalar_one()
    if not others:
        raise Conflict("This is the last owner. Give ownership to another member first.")


# --------------------------------------------------------------------------------------------------- invites


def invite(session: Session, actor: Actor, own: Membership, email: str, role: str) -> tuple[Invite, str]:
    """The invite and the token of its link, which is shown once.

    Raises: Forbidden for a role above the inviter's, or that of an owner; Invalid; Conflict."""
    require(own.role, "members.invite")
    require_no_higher(own.role, role)
    if role == "owner":
        raise Forbidden("Nobody is invited as an owner. Invite as admin, then give ownership.")
    email = accounts.email_of(email)
    known = [user.email for _, user in members(session)]
    if email in known:
        raise Invalid("This person already is a member.", field="email")
    for earlier in open_invites(session):
        if earlier.email == email:  # one link at a time: a lost one opens nothing
            end_invite(session, actor, earlier.id)
    if len(open_invites(session)) >= INVITES_OPEN:
        raise Conflict(f"{INVITES_OPEN} invitations are open. Withdraw some first.")
    token = tokens.new_token()
    made = Invite(
        org_id=own.org_id, email=email, role=role, token=tokens.digest(token), inviter_id=own.user_id,
        expires=now() + timedelta(days=INVITE_DAYS),
    )  # fmt: skip
    session.add(made)
    session.flush()
    audit.note(session, actor, "invite.made", made.id, organisation=own.org_id, role=role)
    return made, token


def open_invites(session: Session) -> list[Invite]:
    asked = select(Invite).where(Invite.ended.is_(None), Invite.expires > now()).order_by(Invite.created.desc())
    return list(session.execute(asked).scalars())


def end_invite(session: Session, actor: Actor, invite_id: str) -> None:
    """Raises: NotThere."""
    row = session.execute(select(Invite).where(Invite.id == invite_id)).scalar_one_or_none()
    if row is None:
        raise NotThere()
    row.ended = row.ended or now()
    audit.note(session, actor, "invite.ended", row.id, organisation=row.org_id)


def invite_of(session: Session, token: str) -> tuple[Invite, Organisation]:
    """By the system's session: whoever has the link may not be a member of anything.

    Raises: NotThere."""
    row = session.execute(
        select(Invite, Organisation)
        .join(Organisation, Organisation.id == Invite.org_id)
        .where(Invite.token == tokens.digest(token), Invite.ended.is_(None), Invite.expires > now())
    ).one_or_none()
    if row is None:
        raise NotThere(DEAD_INVITE)
    return row[0], row[1]


def accept(session: Session, actor: Actor, user: User, token: str) -> Organisation:
    """Once, by the invited address, and with no more than the inviter may give now. A membership that is there is not changed.

    Raises: NotThere, Forbidden, Conflict."""
    _, organisation = invite_of(session, token)
    locked(session, organisation.id)
    opened, _ = invite_of(session, token)
    session.refresh(opened)
    if opened.ended is not None:
        raise NotThere(DEAD_INVITE)
    if opened.email != user.email:
        raise Forbidden(f"This invitation is for {opened.email}, and you are signed in as {user.email}.")
    _require_inviter(session, opened)
    there = session.execute(
        select(Membership).where(Membership.org_id == organisation.id, Membership.user_id == user.id)
    ).scalar_one_or_none()
    if there is not None:
        raise Conflict("You already are a member of this organisation.")
    session.add(Membership(org_id=organisation.id, user_id=user.id, role=opened.role))
    opened.ended = now()
    audit.note(session, actor, "invite.accepted", opened.id, organisation=organisation.id, role=opened.role)
    return organisation


def _require_inviter(session: Session, opened: Invite) -> None:
    """Who invited may have lost the right since."""
    inviter = session.execute(
        select(Membership).where(Membership.org_id == opened.org_id, Membership.user_id == opened.inviter_id)
    ).scalar_one_or_none()
    if inviter is None:
        raise NotThere(DEAD_INVITE)
    require(inviter.role, "members.invite")
    require_no_higher(inviter.role, opened.role)
