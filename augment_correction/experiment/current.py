"""Which adapter is to be used: one pointer, moved by an accepted round and moved back by `rollback`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from augment_correction.errors import InputError
from augment_correction.experiment.places import Places, read_json
from augment_correction.store import RunFolder
from augment_correction.store.json_files import write_json


def versions(places: Places) -> list[dict[str, Any]]:
    """Accepted ones in their order; the last is current."""
    known = read_json(places.current)
    return list(known["versions"]) if known else []


def point(places: Places, version: Mapping[str, Any]) -> None:
    """Once, however often the round is gone through, and never again after it was rolled back."""
    known = versions(places)
    if all(each["round"] != version["round"] for each in (*known, *rolled_back(places))):
        write_json(places.current, {"versions": [*known, dict(version)], "rolled_back": rolled_back(places)})


def rolled_back(places: Places) -> list[dict[str, Any]]:
    known = read_json(places.current)
    return list(known["rolled_back"]) if known else []


def roll_back(places: Places) -> dict[str, Any] | None:
    """The version that is current then; None where it is the student as it came.

    Raises: InputError where nothing was accepted, or the experiment is running: it may be about to move the pointer itself.
    """
    if RunFolder(places.root).busy():
        raise InputError(f"the experiment in {places.root} is running", hint="wait for its end, or interrupt it")
    known = versions(places)
    if not known:
        raise InputError(f"no round of {places.root} was accepted, so that there is no adapter to roll back")
    *rest, last = known
    with RunFolder(places.root).held():
        write_json(places.current, {"versions": rest, "rolled_back": [*rolled_back(places), last]})
    return rest[-1] if rest else None
