"""Which adapter is in use: one link, replaced atomically, and the way back to its parent."""

from __future__ import annotations

import time

from augment_correction.errors import InputError
from augment_correction.folders import to_disk
from augment_correction.worker.context import WorkerContext
from augment_correction.worker.jobs import Round


def current(context: WorkerContext) -> Round | None:
    """None: the base model."""
    if not context.places.current.is_symlink():
        return None
    target = str(context.places.current.readlink())
    return next((each for each in context.jobs.rounds() if each.adapter == target), None)


def point(context: WorkerContext, to: Round | None) -> None:
    link = context.places.current
    if to is None:
        link.unlink(missing_ok=True)
    else:
        fresh = link.with_name(".current.part")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(to.adapter)
        fresh.replace(link)
    to_disk(context.places.root)


def rollback(context: WorkerContext) -> tuple[Round, Round | None]:
    """Back to the current round's parent; its adapter stays where it is. Returns both.

    Raises: InputError where the base model is current.
    """
    now = current(context)
    if now is None:
        raise InputError("the base model is current, so that there is nothing to roll back")
    before = context.jobs.round(now.parent)
    point(context, before)
    context.jobs.change_round(now.number, rolled_back=time.time())
    context.log.say(f"Self-Correction: rolled back round {now.number}; current is {shown(before)}")
    return now, before


def shown(made: Round | None) -> str:
    return f"round {made.number}" if made else "the base model"
