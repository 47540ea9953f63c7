"""The tables. Rows of an organisation derive from `OwnedRow`, and only a session of that organisation sees them."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


def new_id() -> str:
    """64 random bits: an id tells nobody how many others there are."""
    return secrets.token_hex(8)


def now() -> datetime:
    return datetime.now(UTC)


class Moment(TypeDecorator[datetime]):
    """Aware, in UTC, from both databases; SQLite keeps no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Moment,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        str: String(200),
    }


def _id() -> Mapped[str]:
    return mapped_column(String(16), primary_key=True, default=new_id)


def _user() -> Mapped[str]:
    return mapped_column(String(16), ForeignKey("users.id"))


class OwnedRow:
    """A row of an organisation."""

    org_id: Mapped[str] = mapped_column(String(16), ForeignKey("organisations.id"), index=True)


# ------------------------------------------------------------------------------------------------- accounts


class User(Table):
    __tablename__ = "users"
    id: Mapped[str] = _id()
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """In small letters."""
    name: Mapped[str]
    password: Mapped[str]
    """Argon2id with its parameters and salt; empty where the account was deleted, or signs in through a provider alone."""
    created: Mapped[datetime] = mapped_column(default=now)
    deleted: Mapped[datetime | None]
    totp: Mapped[str | None] = mapped_column(String(255))
    """The secret of the second factor, encrypted (`encryption.py`)."""
    totp_step: Mapped[int] = mapped_column(default=0)
    """The last time step whose code was used: a code counts once."""


class LoginSession(Table):
    __tablename__ = "login_sessions"
    id: Mapped[str] = _id()
    user_id: Mapped[str] = _user()
    token: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of what the cookie holds."""
    created: Mapped[datetime] = mapped_column(default=now)
    seen: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(64))
    agent: Mapped[str]
    strong: Mapped[bool] = mapped_column(default=False)
    """Whether it was begun with a second factor."""


class Identity(Table):
    """Who an account is at an identity provider."""

    __tablename__ = "identities"
    id: Mapped[str] = _id()
    user_id: Mapped[str] = mapped_column(String(16), ForeignKey("users.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    created: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("issuer", "subject"),)


class LoginFailure(Table):
    """For the throttle. `account` is a digest: whatever was typed, an address or a password, is not kept."""

    __tablename__ = "login_failures"
    id: Mapped[str] = _id()
    account: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    __table_args__ = (Index("login_failures_by_account", "account", "address"),)


class SetupLink(Table):
    """The one-time link of the first owner."""

    __tablename__ = "setup_links"
    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    created: Mapped[datetime] = mapped_column(default=now)


# --------------------------------------------------------------------------------------------- organisations


class Organisation(Table):
    __tablename__ = "organisations"
    id: Mapped[str] = _id()
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=now)
    daily_messages: Mapped[int] = mapped_column(default=200)
    """The most that a member may ask in a day."""
    system_prompt: Mapped[str] = mapped_column(Text, default="")
    second_factor: Mapped[bool] = mapped_column(default=False)
    """Whether members get in only by a session that was begun with one."""
    audited: Mapped[int] = mapped_column(default=0)
    """How many events its audit has; it is counted up under the row's lock."""


class Membership(OwnedRow, Table):
    __tablename__ = "memberships"
    org_id: Mapped[str] = mapped_column(String(16), ForeignKey("organisations.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(16), ForeignKey("users.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(default=now)


class Invite(OwnedRow, Table):
    __tablename__ = "invites"
    id: Mapped[str] = _id()
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(16))
    token: Mapped[str] = mapped_column(String(64), unique=True)
    inviter_id: Mapped[str] = _user()
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime]
    ended: Mapped[datetime | None]
    """When it was accepted or taken back."""


class AuditEvent(Table):
    """`org_id` is None for what concerns no organisation. Rows are chained by their hashes and never change; the database itself
    refuses it."""

    __tablename__ = "audit_events"
    id: Mapped[str] = _id()
    org_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("organisations.id"))
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=now)
    actor_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("users.id"))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]
    address: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    __table_args__ = (UniqueConstraint("org_id", "number"), Index("audit_events_by_action", "org_id", "action", "at"))


# ------------------------------------------------------------------------------------------------------ chat


class Thread(OwnedRow, Table):
    __tablename__ = "threads"
    id: Mapped[str] = _id()
    author_id: Mapped[str] = _user()
    title: Mapped[str]
    shared: Mapped[bool] = mapped_column(default=False)
    """Whether other members may read it."""
    created: Mapped[datetime] = mapped_column(default=now)
    updated: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("org_id", "id"),)


class ChatMessage(OwnedRow, Table):
    """`role` is user or assistant; `state` is whole, streaming, stopped or failed; `why` says of a failed reply what happened.
    An edited question or a reply that was asked anew stays, `replaced`, and is no part of the conversation any more."""

    __tablename__ = "messages"
    id: Mapped[str] = _id()
    thread_id: Mapped[str] = mapped_column(String(16))
    position: Mapped[int]
    role: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16), default="whole")
    why: Mapped[str] = mapped_column(Text, default="")
    replaced: Mapped[bool] = mapped_column(default=False)
    author_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("users.id"))
    """Who wrote it; for a reply, who asked for it."""
    version: Mapped[int | None]
    """Of the model that answered; None: the base model."""
    tokens_in: Mapped[int] = mapped_column(default=0)
    tokens_out: Mapped[int] = mapped_column(default=0)
    beat: Mapped[datetime | None]
    """When whoever streams it last said that it still does."""
    created: Mapped[datetime] = mapped_column(default=now, index=True)
    __table_args__ = (
        ForeignKeyConstraint(["org_id", "thread_id"], ["threads.org_id", "threads.id"], ondelete="CASCADE"),
        UniqueConstraint("org_id", "id"),
        UniqueConstraint("thread_id", "position"),
    )


class DeletedReply(OwnedRow, Table):
    """What is left of a reply whose chat was deleted: that it was asked for and what it cost, and no word of it."""

    __tablename__ = "deleted_replies"
    id: Mapped[str] = _id()
    author_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("users.id"))
    tokens_in: Mapped[int]
    tokens_out: Mapped[int]
    created: Mapped[datetime] = mapped_column(index=True)


# ----------------------------------------------------------------------------------- corrections and versions


class CorrectionRow(OwnedRow, Table):
    """`state`: candidate, approved, rejected, withdrawn. `by_detector`: found, and not yet confirmed by its author where
    `confirmed` is False."""

    __tablename__ = "corrections"
    id: Mapped[str] = _id()
    thread_id: Mapped[str | None] = mapped_column(String(16))
    message_id: Mapped[str | None] = mapped_column(String(16), index=True)
    """The answer that is wrong."""
    author_id: Mapped[str] = _user()
    editor_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("users.id"))
    """Who wrote the words that stand there now, where that is not the author: nobody approves his own words."""
    question: Mapped[str] = mapped_column(Text)
    wrong: Mapped[str] = mapped_column(Text)
    right: Mapped[str] = mapped_column(Text)
    said: Mapped[str] = mapped_column(Text, default="")
    """The message that corrected it, word for word; empty where it was flagged by a click."""
    evidence: Mapped[list[Any]]
    by_detector: Mapped[bool] = mapped_column(default=False)
    confirmed: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(16), default="candidate", index=True)
    decider_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(Text, default="")
    created: Mapped[datetime] = mapped_column(default=now)
    decided: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("org_id", "id"),)


class ModelVersion(OwnedRow, Table):
    """What a training made; it never changes. `outcome` is the acceptance test's: accept, reject or undecided."""

    __tablename__ = "versions"
    id: Mapped[str] = _id()
    number: Mapped[int]
    parent: Mapped[int | None]
    model: Mapped[str] = mapped_column(Text)
    adapter: Mapped[str] = mapped_column(Text)
    data: Mapped[str] = mapped_column(String(64))
    corrections: Mapped[list[Any]]
    outcome: Mapped[str] = mapped_column(String(16))
    reasons: Mapped[list[Any]]
    figures: Mapped[dict[str, Any]]
    created: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("org_id", "number"),)


class Activation(OwnedRow, Table):
    """What was made active, one after the other; the last one counts. `version` None: the base model."""

    __tablename__ = "activations"
    id: Mapped[str] = _id()
    number: Mapped[int]
    version: Mapped[int | None]
    who_id: Mapped[str] = _user()
    rolled_back: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("org_id", "number"),)


class Job(OwnedRow, Table):
    """`state`: queued, running, done, failed, cancelled. Who runs it holds `lease` and says so by `beat`."""

    __tablename__ = "jobs"
    id: Mapped[str] = _id()
    kind: Mapped[str] = mapped_column(String(16))
    about: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16), default="queued", index=True)
    result: Mapped[str] = mapped_column(Text, default="")
    author_id: Mapped[str] = _user()
    lease: Mapped[str | None] = mapped_column(String(64))
    beat: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    created: Mapped[datetime] = mapped_column(default=now)
    began: Mapped[datetime | None]
    ended: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("org_id", "id"),)
