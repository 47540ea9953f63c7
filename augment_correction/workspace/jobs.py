"""Jobs: rows that say what is wanted. A worker takes one by a lease, which it renews while it lives; each ends once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from augment_correction.workspace.audit import Actor, note
from augment_correction.workspace.organisations import locked
from augment_correction.workspace.problems import Conflict, NotThere
from augment_correction.workspace.tables import Job, now

LEASE = timedelta(seconds=30)
MOST_TRIES = 3
OPEN = ("queued", "running")
KINDS = ("train", "run", "estimate")


def listed(session: Session, most: int = 100) -> list[Job]:
    """The latest first."""
    return list(session.execute(select(Job).order_by(Job.created.desc()).limit(most)).scalars())


def job(session: Session, id_: str) -> Job:
    """Raises: NotThere."""
    found = session.execute(select(Job).where(Job.id == id_)).scalar_one_or_none()
    if found is None:
        raise NotThere()
    return found


def queue(session: Session, actor: Actor, organisation: str, kind: str, about: dict[str, Any]) -> Job:
    """Raises: Conflict where one of this kind is under way."""
    locked(session, organisation)
    if session.execute(select(Job.id).where(Job.kind == kind, Job.state.in_(OPEN))).first():
        raise Conflict("Another one is running. Wait until it has ended.")
    made = Job(org_id=organisation, kind=kind, about=about, author_id=actor.user_id)
    session.add(made)
    session.flush()
    note(session, actor, "job.queued", made.id, organisation=organisation, kind=kind)
    return made


def cancel(session: Session, actor: Actor, id_: str) -> Job:
    """Its worker sees it, ends the process, and takes nothing that it made.

    Raises: NotThere; Conflict where it has ended."""
    wanted = session.execute(select(Job).where(Job.id == id_).with_for_update()).scalar_one_or_none()
    if wanted is None:
        raise NotThere()
    if wanted.state not in OPEN:
        raise Conflict(f"The job already is {wanted.state}.")
    wanted.state, wanted.ended, wanted.result = "cancelled", now(), "Cancelled by a member."
    note(session, actor, "job.cancelled", id_, organisation=wanted.org_id)
    return wanted


# -------------------------------------------------------------------------------------------------- for workers


def take(session: Session, lease: str, kinds: Sequence[str] = KINDS) -> Job | None:
    """The oldest of these kinds that waits, or whose worker is gone, as ours; by the system's session. Of two workers one gets it."""
    gone = now() - LEASE
    asked = (
        select(Job)
        .where(Job.kind.in_(kinds), or_(Job.state == "queued", (Job.state == "running") & (Job.beat < gone)))
        .order_by(Job.created)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = session.execute(asked).scalar_one_or_none()
    if found is not None:
        found.state, found.lease, found.beat, found.began = "running", lease, now(), found.began or now()
        session.flush()
    return found


def beat(session: Session, id_: str, lease: str, **more: Any) -> bool:
    """False where it is no longer ours: cancelled, or another worker's."""
    result = session.execute(
        update(Job).where(Job.id == id_, Job.lease == lease, Job.state == "running").values(beat=now(), **more)
    )
    return bool(getattr(result, "rowcount", 0))


def finish(session: Session, id_: str, lease: str, state: str, result: str) -> bool:
    """Once: False where it is no longer ours."""
    return beat(session, id_, lease, state=state, result=result, ended=now())
