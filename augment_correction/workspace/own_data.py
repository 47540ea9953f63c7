"""What is kept of a person: all of it for him to take along, and most of it gone when he goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from augment_correction.workspace import accounts, threads
from augment_correction.workspace.audit import Actor, note
from augment_correction.workspace.organisations import locked
from augment_correction.workspace.problems import Conflict
from augment_correction.workspace.tables import (
    CorrectionRow,
    Identity,
    Invite,
    LoginSession,
    Membership,
    Organisation,
    Thread,
    User,
    now,
)


def everything(session: Session, user: User) -> dict[str, Any]:
    """By the system's session: of all organisations."""
    memberships = session.execute(
        select(Organisation.name, Membership.role, Membership.created)
        .join(Membership, Membership.org_id == Organisation.id)
        .where(Membership.user_id == user.id)
    ).all()
    logins = session.execute(select(LoginSession).where(LoginSession.user_id == user.id)).scalars()
    return {
        "account": {
            "e-mail": user.email,
            "name": user.name,
            "created": user.created.isoformat(),
            "identity providers": list(
                session.execute(select(Identity.issuer).where(Identity.user_id == user.id)).scalars()
            ),
            "second factor": bool(user.totp),
        },
        "memberships": [{"organisation": row[0], "role": row[1], "since": row[2].isoformat()} for row in memberships],
        "sessions": [
            {"address": each.address, "browser": each.agent, "last used": each.seen.isoformat()} for each in logins
        ],
        "chats": list(_chats(session, user)),
        "corrections": [
            {"question": row.question, "wrong": row.wrong, "right": row.right, "said": row.said, "state": row.state}
            for row in session.execute(select(CorrectionRow).where(CorrectionRow.author_id == user.id)).scalars()
        ],
    }


def _chats(session: Session, user: User) -> Iterator[dict[str, Any]]:
    for each in session.execute(select(Thread).where(Thread.author_id == user.id).order_by(Thread.created)).scalars():
        yield threads.as_row(each, threads.messages(session, each.id, replaced=True))


def erase(session: Session, actor: Actor, user_id: str) -> None:
    """Account, sessions, memberships and chats. A correction that was confirmed stays with its organisation, whose model may have
    learned it, and the audit stays: both know only that a deleted account did it.

    Raises: Conflict for the last owner of an organisation."""
    own = list(session.execute(select(Membership).where(Membership.user_id == user_id)).scalars())
    for each in own:
        _require_other_owner(session, each)
    for each in own:
        session.delete(each)
        note(session, actor, "member.removed", user_id, organisation=each.org_id, role=each.role)
    for thread in session.execute(select(Thread).where(Thread.author_id == user_id)).scalars():
        threads.delete(session, actor, thread)
    session.execute(delete(CorrectionRow).where(CorrectionRow.author_id == user_id, ~CorrectionRow.confirmed))
    session.execute(update(Invite).where(Invite.inviter_id == user_id, Invite.ended.is_(None)).values(ended=now()))
    accounts.end_sessions(session, user_id)
    session.execute(delete(Identity).where(Identity.user_id == user_id))
    gone = session.get_one(User, user_id)
    session.execute(update(Invite).where(Invite.email == gone.email).values(email=f"{user_id}@deleted.invalid"))
    gone.email, gone.name, gone.password = f"{user_id}@deleted.invalid", "Deleted account", ""
    gone.totp, gone.deleted = None, now()
    note(session, actor, "account.deleted", user_id)


def _require_other_owner(session: Session, own: Membership) -> None:
    organisation = locked(session, own.org_id)
    others = select(func.count()).select_from(Membership).where(
        Membership.org_id == own.org_id, Membership.role == "owner", Membership.user_id != own.user_id
    )  # fmt: skip
    if own.role == "owner" and not session.execute(others).scalar_one():
        raise Conflict(f"You are the last owner of {organisation.name}. Give ownership to another member first.")
