"""Which account somebody has whom the identity provider names."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from augment_correction.workspace import accounts, audit
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.oidc import IdentityClaims
from augment_correction.workspace.problems import Forbidden
from augment_correction.workspace.tables import Identity, Invite, User, now


def owner_of(session: Session, issuer: str, subject: str) -> User | None:
    """The account that it is joined to."""
    return session.execute(
        select(User)
        .join(Identity, Identity.user_id == User.id)
        .where(Identity.issuer == issuer, Identity.subject == subject, User.deleted.is_(None))
    ).scalar_one_or_none()


def account_of(session: Session, told: IdentityClaims, address: str, *, may_register: bool) -> tuple[User, bool]:
    """The account that belongs to it; else the one with the address that the provider has verified; else a new one for who is invited.
    And whether the identity is the account's already: where a password was set, somebody may have registered with an address that is
    not his, so that who signs in here first gives that password (`join`).

    Raises: Forbidden; Invalid where the provider's name or address is none."""
    if (known := owner_of(session, told.issuer, told.subject)) is not None:
        return known, True
    if not told.verified or not told.email:
        raise Forbidden("Your identity provider does not vouch for your e-mail address.")
    user = session.execute(select(User).where(User.email == told.email, User.deleted.is_(None))).scalar_one_or_none()
    if user is None:
        user = _added(session, told, address, may_register=may_register)
    elif user.password:
        return user, False
    else:
        _refuse_another(session, user, told)
    join(session, user, told.issuer, told.subject, address)
    return user, True


def join(session: Session, user: User, issuer: str, subject: str, address: str) -> None:
    """From now on the identity leads to the account.

    Raises: Forbidden where it leads to another one meanwhile."""
    known = owner_of(session, issuer, subject)
    if known is not None and known.id != user.id:
        raise Forbidden("You have another account here already. Sign in through your provider again.")
    if known is None:
        session.add(Identity(user_id=user.id, issuer=issuer, subject=subject))
        session.flush()
        audit.note(session, Actor(user.id, address), "identity.linked", user.id, issuer=issuer)


def _refuse_another(session: Session, user: User, told: IdentityClaims) -> None:
    """A provider may give the address of somebody who has gone to somebody else (OpenID Connect Core 5.7)."""
    asked = select(Identity.subject).where(Identity.user_id == user.id, Identity.issuer == told.issuer)
    if set(session.execute(asked).scalars()) - {told.subject}:
        raise Forbidden(
            f"The account of {told.email} belongs to another person of your identity provider. If it is yours, ask whoever runs this "
            "workspace for a link to a new password (workspace new-password)."
        )


def _added(session: Session, told: IdentityClaims, address: str, *, may_register: bool) -> User:
    invited = select(Invite.id).where(Invite.email == told.email, Invite.ended.is_(None), Invite.expires > now())
    if not may_register and session.execute(invited).first() is None:
        raise Forbidden(
            f"There is no account for {told.email} here. Ask a member of your organisation for an invitation."
        )
    name = (
        " ".join("".join(sign for sign in told.name if sign.isprintable()).split())[:80].strip()
        or told.email.partition("@")[0]
    )
    user = User(email=accounts.email_of(told.email), name=accounts.name_of(name), password="")
    session.add(user)
    session.flush()
    audit.note(session, Actor(user.id, address), "account.made", user.id)
    return user
