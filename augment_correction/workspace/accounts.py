"""Accounts, signing in and out, and the throttle on guessing."""

from __future__ import annotations

import ipaddress
import re
import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from augment_correction.workspace import audit, passwords, tokens
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.encryption import Cipher
from augment_correction.workspace.problems import Invalid, NotThere, TooMany
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.tables import AuditEvent, LoginFailure, LoginSession, SetupLink, User, now

FAILURES, FAILURE_WINDOW = 8, timedelta(minutes=5)
"""Wrong passwords for one account from one address; an account itself is never locked: a stranger could lock it."""
FAILURES_BY_ADDRESS = 40
CODES = 8
"""Wrong codes for one account in the same time, from wherever: who may give one has shown the password, or is whom the provider names."""
SETUP_HOURS = 24
ACCOUNTS_BY_ADDRESS = 20
"""In an hour, where anybody may register."""
_EMAIL = re.compile(r"[^@\s<>\"'()]{1,64}@[^@\s<>\"'()]{1,180}\.[a-z0-9-]{2,24}")
WRONG = "The e-mail address or the password is wrong."
CODE = "Enter the six digits that your authenticator app shows."


def small(email: str) -> str:
    """As the database has it. Only ASCII's capitals: others may become the letters of another address (the Kelvin sign, a k)."""
    return "".join(sign.lower() if sign.isascii() else sign for sign in email.strip())


def email_of(text: str) -> str:
    """Raises: Invalid."""
    email = small(text)
    if not _EMAIL.fullmatch(email):
        raise Invalid("This is not an e-mail address.", field="email")
    return email


def name_of(text: str, what: str = "name", field: str = "name") -> str:
    """Raises: Invalid."""
    name = " ".join(text.split())
    if not name or len(name) > 80 or not name.isprintable():
        raise Invalid(f"The {what} needs 1 to 80 visible characters.", field=field)
    return name


def add_user(session: Session, email: str, name: str, password: str) -> User:
    """Raises: Invalid; also where the address is taken."""
    email, name = email_of(email), name_of(name)
    passwords.check(password, email=email, name=name)
    user = User(email=email, name=name, password=passwords.hashed(password))
    session.add(user)
    try:
        session.flush()
    except IntegrityError:
        raise Invalid("An account with this e-mail address already exists. Sign in with it.", field="email") from None
    return user


def network_of(address: str) -> str:
    """Whoever has one address of IPv6 has the 2^64 of its network, so that it is the network that is throttled."""
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(found.ipv4_mapped or ipaddress.IPv6Network((found, 64), strict=False))


def refuse_registering(session: Session, address: str) -> None:
    """Raises: TooMany where very many accounts came from this address in the last hour."""
    made = select(AuditEvent.address).where(
        AuditEvent.org_id.is_(None), AuditEvent.action == "account.made", AuditEvent.at > now() - timedelta(hours=1)
    )
    if [network_of(each) for each in session.execute(made).scalars()].count(network_of(address)) >= ACCOUNTS_BY_ADDRESS:
        raise TooMany("Too many accounts were created from your address. Try again in an hour.")


# -------------------------------------------------------------------------------------------------- sessions


def begin_session(
    session: Session, settings: Settings, user: User, address: str, agent: str, *, strong: bool = False
) -> str:
    """The token for the cookie. It is new at every login, so that a token from before is worth nothing."""
    token = tokens.new_token()
    session.add(
        LoginSession(
            user_id=user.id, token=tokens.digest(token), address=address[:64], agent=agent[:200],
            expires=now() + timedelta(hours=settings.session_hours), strong=strong,
        )
    )  # fmt: skip
    return token


def session_of(session: Session, settings: Settings, token: str) -> tuple[LoginSession, User] | None:
    """None where it has ended: signed out, too old, or not used for too long."""
    found = session.execute(
        select(LoginSession, User).join(User, User.id == LoginSession.user_id).where(
            LoginSession.token == tokens.digest(token), LoginSession.expires > now(),
            LoginSession.seen > now() - timedelta(hours=settings.idle_hours), User.deleted.is_(None),
        )
    ).one_or_none()  # fmt: skip
    return (found[0], found[1]) if found else None


def end_sessions(session: Session, user_id: str, *, but: str = "", only: str = "") -> int:
    """All of a user's, all `but` one, or `only` one; how many they were."""
    asked = delete(LoginSession).where(LoginSession.user_id == user_id, LoginSession.id != but)
    result = session.execute(asked.where(LoginSession.id == only) if only else asked)
    return int(getattr(result, "rowcount", 0))


# -------------------------------------------------------------------------------------------------- signing in


@dataclass(frozen=True)
class SignInAttempt:
    """What somebody typed, and from where."""

    email: str
    password: str
    code: str
    address: str

    @property
    def account(self) -> str:
        return tokens.digest(small(self.email))

    @property
    def network(self) -> str:
        return network_of(self.address)


def refuse_guessing(session: Session, attempt: SignInAttempt) -> None:
    """Raises: TooMany."""
    recent = select(func.count()).select_from(LoginFailure).where(
        LoginFailure.address == attempt.network, LoginFailure.at > now() - FAILURE_WINDOW
    )  # fmt: skip
    by_account = session.execute(recent.where(LoginFailure.account == attempt.account)).scalar_one()
    if by_account >= FAILURES or session.execute(recent).scalar_one() >= FAILURES_BY_ADDRESS:
        raise TooMany("Too many wrong attempts from your address. Wait five minutes and try again.")


def note_failure(session: Session, attempt: SignInAttempt, account: str = "") -> None:
    session.execute(delete(LoginFailure).where(LoginFailure.at < now() - 10 * FAILURE_WINDOW))
    session.add(LoginFailure(account=account or attempt.account, address=attempt.network))
    audit.note(session, Actor(None, attempt.address), "login.failed", attempt.account[:16])


def known(session: Session, attempt: SignInAttempt) -> User | None:
    """The account of this address, whatever the password is."""
    return session.execute(
        select(User).where(User.email == small(attempt.email), User.deleted.is_(None))
    ).scalar_one_or_none()


def require_code(session: Session, user: User, attempt: SignInAttempt, cipher: Cipher) -> None:
    """Of an account with a second factor, whose row is locked meanwhile: a code that was used is used up. A wrong one is noted, and the
    transaction committed with it.

    Raises: Invalid, TooMany, Unreadable."""
    session.refresh(user, with_for_update=True)
    if user.totp is None:
        return
    guessed = tokens.digest(f"code {user.id}")
    wrong = select(func.count()).select_from(LoginFailure).where(
        LoginFailure.account == guessed, LoginFailure.at > now() - FAILURE_WINDOW
    )  # fmt: skip
    if session.execute(wrong).scalar_one() >= CODES:
        raise TooMany("Too many wrong codes for this account. Wait five minutes and try again.")
    step = tokens.totp_step_of(cipher.opened(user.totp), attempt.code, time.time(), user.totp_step)
    if step is None:
        if attempt.code:
            note_failure(session, attempt, guessed)
            session.commit()
        raise Invalid("The code is wrong or was already used." if attempt.code else CODE, field="code")
    user.totp, user.totp_step = cipher.renewed(user.totp), step


# ------------------------------------------------------------------------------------------- the first owner


def new_setup_link(session: Session) -> str | None:
    """The token of a one-time link while there is no account; None from then on. An earlier link no longer works."""
    if session.execute(select(func.count()).select_from(User)).scalar_one():
        return None
    session.execute(delete(SetupLink))
    token = tokens.new_token()
    session.add(SetupLink(token=tokens.digest(token)))
    return token


def use_setup_link(session: Session, token: str, *, up: bool = True) -> None:
    """Raises: NotThere where it was used, is old, or never was one."""
    found = session.execute(
        select(SetupLink).where(
            SetupLink.token == tokens.digest(token), SetupLink.created > now() - timedelta(hours=SETUP_HOURS)
        ).with_for_update()
    ).scalar_one_or_none()  # fmt: skip
    if found is None:
        raise NotThere(
            "This link was already used, or it is older than a day. Start the workspace again for a new one."
        )
    if up:
        session.delete(found)
