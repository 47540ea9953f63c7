"""Who did what, in the same transaction as the deed. Each event holds the hash of the one before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from augment_correction.workspace.tables import AuditEvent, Organisation, now

BEGINNING = "0" * 64


@dataclass(frozen=True)
class Actor:
    """Who does it, and from which address."""

    user_id: str | None
    address: str = ""


def note(
    session: Session, actor: Actor, action: str, subject: str = "", *, organisation: str | None = None, **detail: Any
) -> AuditEvent:
    """Into the caller's transaction. `detail` holds no secret and no word of a chat."""
    if organisation is not None:
        locked = session.execute(
            select(Organisation)
            .where(Organisation.id == organisation)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).scalar_one()
        locked.audited += 1
        number = locked.audited
    else:
        number = 0
    before = session.execute(
        select(AuditEvent.hash).where(AuditEvent.org_id == organisation, AuditEvent.number == number - 1)
    ).scalar_one_or_none()
    made = AuditEvent(
        org_id=organisation, number=number, at=now(), actor_id=actor.user_id, action=action, subject=subject,
        detail=detail, address=actor.address[:64], previous=before or BEGINNING,
    )  # fmt: skip
    made.hash = hash_of(made)
    session.add(made)
    session.flush()
    return made


def hash_of(event: AuditEvent) -> str:
    said = [
        event.org_id, event.number, event.at.isoformat(timespec="microseconds"), event.actor_id, event.action, event.subject,
        event.detail, event.address, event.previous,
    ]  # fmt: skip
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def events(session: Session, organisation: str, *, before: int | None = None, most: int = 100) -> list[AuditEvent]:
    """The latest ones first."""
    asked = select(AuditEvent).where(AuditEvent.org_id == organisation)
    if before is not None:
        asked = asked.where(AuditEvent.number < before)
    return list(session.execute(asked.order_by(AuditEvent.number.desc()).limit(most)).scalars())


def broken(session: Session, organisation: str, most: int = 1000) -> Iterator[int]:
    """Numbers of events, of the latest so many, that are not what was written, or whose predecessor is gone; at the end that of one that is
    gone itself, with all after it."""
    # First: an event that comes meanwhile is no missing one.
    written = session.execute(select(Organisation.audited).where(Organisation.id == organisation)).scalar_one()
    found = list(reversed(events(session, organisation, most=most)))
    expected, previous = (found[0].number, found[0].previous) if len(found) == most else (1, BEGINNING)
    for event in found:
        if event.number != expected or event.previous != previous or event.hash != hash_of(event):
            yield event.number
        expected, previous = event.number + 1, event.hash
    if written >= expected:
        yield expected


_DEEDS = {
    "account.made": "made an account", "correction.approved": "approved a correction", "correction.confirmed": "handed in a correction",
    "correction.edited": "edited a correction", "correction.flagged": "flagged an answer", "correction.rejected": "rejected a correction",
    "correction.withdrawn": "withdrew a correction", "invite.accepted": "accepted an invitation", "invite.ended": "withdrew an invitation",
    "invite.made": "made an invitation", "job.cancelled": "cancelled a job", "job.queued": "started a job", "member.removed": "removed a member",
    "member.role": "changed a role", "organisation.founded": "founded the organisation", "ownership.given": "gave ownership",
    "refused": "tried what is not allowed", "settings.changed": "changed the settings", "thread.deleted": "deleted a chat",
    "version.activated": "activated a version", "version.rolled_back": "rolled back", "versions.compared": "compared versions",
}  # fmt: skip
_PAGES = {
    "correction": ("/corrections/", "the correction"),
    "invite": ("/members#", "the invitation"),
    "job": ("/jobs/", "the job"),
    "version": ("/versions/", "version"),
}


def deed(action: str) -> str:
    """What was done, in words; the action's own name where there are none."""
    return _DEEDS.get(action, action)


def page_of(event: AuditEvent) -> tuple[str, str] | None:
    """The path, inside the organisation, of what an event is about, and what to call it; None where it has no page."""
    found = _PAGES.get(event.action.split(".")[0])
    if not found or not event.subject:
        return None
    place, name = found
    return place + event.subject, f"{name} {event.subject}" if name == "version" else name


def words(detail: Mapping[str, Any]) -> str:
    """For a table that a person reads; a version that is none is the base model."""
    return ", ".join(f"{name}: {'base model' if value is None else value}" for name, value in detail.items())
