"""Which adapter is in use: one link, replaced atomically, and the way back to its parent."""

from __future__ import annotations

import time

from augment_correction.errors import InputError
from augment_correction.worker.jobs import Round
from augment_correction.worker.places import sync
from augment_correction.worker.site import Site


def current(site: Site) -> Round | None:
    """None: the base model."""
    if not site.places.current.is_symlink():
        return None
    target = str(site.places.current.readlink())
    return next((each for each in site.jobs.rounds() if each.adapter == target), None)


def point(site: Site, to: Round | None) -> None:
    link = site.places.current
    if to is None:
        link.unlink(missing_ok=True)
    else:
        fresh = link.with_name(".current.part")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(to.adapter)
        fresh.replace(link)
    sync(site.places.root)


def rollback(site: Site) -> tuple[Round, Round | None]:
    """Back to the current round's parent; its adapter stays where it is. Returns both.

    Raises: InputError where the base model is current.
    """
    now = current(site)
    if now is None:
        raise InputError("the base model is current, so that there is nothing to roll back")
    before = site.jobs.round(now.parent)
    point(site, before)
    site.jobs.change_round(now.number, rolled_back=time.time())
    site.log.say(f"Self-Correction: rolled back round {now.number}; current is {shown(before)}")
    return now, before


def shown(made: Round | None) -> str:
    return f"round {made.number}" if made else "the base model"
