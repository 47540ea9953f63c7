"""Versions of an organisation's model, and which one is active: the last activation that was not rolled back."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from augment_correction.workspace.audit import Actor, note
from augment_correction.workspace.organisations import locked
from augment_correction.workspace.problems import Conflict, NotThere
from augment_correction.workspace.tables import Activation, ModelVersion


def active(session: Session) -> int | None:
    """Its number; None: the base model."""
    last = _last(session)
    return last.version if last else None


def _last(session: Session) -> Activation | None:
    asked = select(Activation).where(~Activation.rolled_back).order_by(Activation.number.desc()).limit(1)
    return session.execute(asked).scalar_one_or_none()


def version(session: Session, number: int) -> ModelVersion:
    """Raises: NotThere."""
    found = session.execute(select(ModelVersion).where(ModelVersion.number == number)).scalar_one_or_none()
    if found is None:
        raise NotThere()
    return found


def all_versions(session: Session) -> list[ModelVersion]:
    """The latest first."""
    return list(session.execute(select(ModelVersion).order_by(ModelVersion.number.desc())).scalars())


def activations(session: Session, most: int = 20) -> list[Activation]:
    return list(session.execute(select(Activation).order_by(Activation.number.desc()).limit(most)).scalars())


def adapter_of(session: Session, number: int | None) -> str | None:
    """The folder of a version's adapter; None for the base model."""
    return None if number is None else version(session, number).adapter


def activate(session: Session, actor: Actor, number: int, organisation: str) -> None:
    """From the next message on it answers.

    Raises: NotThere; Conflict where the acceptance test did not accept it."""
    locked(session, organisation)
    made = version(session, number)
    if made.outcome != "accept":
        why = f" {made.reasons[0]}" if made.reasons else ""
        raise Conflict(f"Version {number} cannot be activated: the acceptance test says {made.outcome}.{why}")
    if active(session) == number:
        raise Conflict(f"Version {number} already is active.")
    asked = select(func.coalesce(func.max(Activation.number), 0))
    session.add(
        Activation(
            number=session.execute(asked).scalar_one() + 1, version=number, who_id=actor.user_id, org_id=organisation
        )
    )
    note(session, actor, "version.activated", str(number), organisation=organisation)


def roll_back(session: Session, actor: Actor, organisation: str) -> int | None:
    """To what was active before: its number, None for the base model.

    Raises: Conflict where nothing is active."""
    locked(session, organisation)
    last = _last(session)
    if last is None:
        raise Conflict("No version is active: the base model already answers.")
    last.rolled_back = True
    session.flush()
    now = active(session)
    note(session, actor, "version.rolled_back", str(last.version), organisation=organisation, now=now)
    return now
