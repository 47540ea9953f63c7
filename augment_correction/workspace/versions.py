"""Versions of an organisation's model, and which one is active: the last activation that was not rolled back."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from augment_correction.workspace.problems import NotThere
from augment_correction.workspace.tables import Activation, ModelVersion


def active(session: Session) -> int | None:
    """Its number; None: the base model."""
    asked = select(Activation.version).where(~Activation.rolled_back).order_by(Activation.number.desc()).limit(1)
    return session.execute(asked).scalar_one_or_none()


def version(session: Session, number: int) -> ModelVersion:
    """Raises: NotThere."""
    found = session.execute(select(ModelVersion).where(ModelVersion.number == number)).scalar_one_or_none()
    if found is None:
        raise NotThere()
    return found


def adapter_of(session: Session, number: int | None) -> str | None:
    """The folder of a version's adapter; None for the base model."""
    return None if number is None else version(session, number).adapter
