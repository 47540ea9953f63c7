"""Which account somebody has whom the identity provider names."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from augment_correction.workspace import accounts, audit
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.oidc import Told
from augment_correction.workspace.problems import Forbidden
from augment_correction.workspace.tables import Identity, Invite, User, now


def account_of(session: Session, told: Told, address: str, *, may_register: bool) -> User:
    """The account that belongs to it; else the one with the address that the provider has verified; else a new one for who is invited.

    Raises: Forbidden; Invalid where the provider's name or address is none."""
    known = session.execute(
        select(User)
        .join(Identity, Identity.user_id == User.id)
        .where(Identity.issuer == told.issuer, Identity.subject == told.subject, User.deleted.is_(None))
    ).scalar_one_or_none()
    if known is not None:
        return known
    if not told.verified or not told.email:
        raise Forbidden("Your identity provider does not vouch for your e-mail address.")
    user = session.execute(
        select(User).where(User.email == told.email, User.deleted.is_(None))
    ).scalar_one_or_none() or _added(session, told, address, may_register=may_register)
    session.add(Identity(user_id=user.id, issuer=told.issuer, subject=told.subject))
    audit.note(session, Actor(user.id, address), "identity.linked", user.id, issuer=told.issuer)
    return user


def _added(session: Session, told: Told, address: str, *, may_register: bool) -> User:
    invited = select(Invite.id).where(Invite.email == told.email, Invite.ended.is_(None), Invite.expires > now())
    if not may_register and session.execute(invited).first() is None:
        raise Forbidden(
            f"There is no account for {told.email} here. Ask a member of your organisation for an invitation."
        )
    name = " ".join(told.name.split())[:80] or told.email.partition("@")[0]
    user = User(email=accounts.email_of(told.email), name=accounts.name_of(name), password="")
    session.add(user)
    session.flush()
    audit.note(session, Actor(user.id, address), "account.made", user.id)
    return user
