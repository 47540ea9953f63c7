"""A link to a new password, for who has lost the old one, or whose address somebody else has registered. Whoever runs the workspace makes
it, and sends it to the address: there is nobody else here who could prove that it is theirs.

Nothing is kept of it: it is signed, together with the password that it replaces, and so works once."""

from __future__ import annotations

import time

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from augment_correction.workspace import accounts, audit, tokens
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.problems import NotThere
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.tables import Identity, User

HOURS = 24


def token_for(settings: Settings, user: User) -> str:
    until = int(time.time()) + HOURS * 3600
    return f"{user.id}.{until}.{_signature(settings, user, str(until))}"


def _signature(settings: Settings, user: User, until: str) -> str:
    return tokens.signed(settings.secret, "new password", f"{user.id}\0{until}\0{user.password}")


def account_of(session: Session, settings: Settings, token: str, *, lock: bool = False) -> User:
    """Raises: NotThere where it was used, is old, or never was one."""
    id_, _, rest = token.partition(".")
    until, _, signature = rest.partition(".")
    asked = select(User).where(User.id == id_, User.deleted.is_(None))
    user = session.execute(asked.with_for_update() if lock else asked).scalar_one_or_none()
    fits = user is not None and tokens.same(signature, _signature(settings, user, until))
    if user is None or not fits or int(until) < time.time():
        raise NotThere(
            "This link was already used, or it is older than a day. Ask whoever runs the workspace for a new one."
        )
    return user


def use(session: Session, settings: Settings, token: str, made: str, address: str) -> None:
    """Whoever knew the old password, or came through an identity provider, is out until he gives the new one.

    Raises: NotThere."""
    user = account_of(session, settings, token, lock=True)
    user.password = made
    accounts.end_sessions(session, user.id)
    session.execute(delete(Identity).where(Identity.user_id == user.id))
    audit.note(session, Actor(user.id, address), "password.reset", user.id)
