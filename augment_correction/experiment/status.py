"""Where an experiment stands, from its files alone: it may run in another process, or have been killed."""

from __future__ import annotations

from typing import Any

from augment_correction.experiment.current import rolled_back, versions
from augment_correction.experiment.phase_report import PHASES
from augment_correction.experiment.places import Places, read_json
from augment_correction.experiment.sealing import sealed_in
from augment_correction.launching.slot import Slot
from augment_correction.store import RunFolder


def snapshot(places: Places) -> dict[str, Any]:
    """Raises: InputError where no experiment was begun there."""
    sealed = sealed_in(places.root)
    progress = read_json(places.progress) or {}
    result = read_json(places.result)
    return {
        "folder": str(places.root),
        "hypothesis": sealed["hypothesis"],
        "rounds": sealed["rounds"],
        "round": progress.get("round"),
        "phase": progress.get("number"),
        "phase_name": PHASES.get(progress.get("number", 0)),
        "runs": RunFolder(places.root).busy(),
        "trains": Slot(places.slot).busy if places.slot.exists() else False,
        "trained": sorted(
            str(path.parent.relative_to(places.root))
            for path in places.root.glob("arms/*/seed_*/round_*/training_summary.json")
        ),
        "versions": versions(places),
        "rolled_back": rolled_back(places),
        "outcome": result["hypothesis"] if result else None,
    }


def lines(seen: dict[str, Any]) -> list[str]:
    """For a person."""
    made = [seen["folder"], f"hypothesis: {seen['hypothesis']}"]
    if seen["outcome"]:
        made.append(f"HYPOTHESIS {seen['outcome']['outcome']}: {seen['outcome']['why']}")
    elif seen["phase"]:
        state = "it is running" if seen["runs"] else "it is not running: the same `experiment run` resumes it"
        made.append(f"round {seen['round']} of {seen['rounds']}, phase {seen['phase']}: {seen['phase_name']}; {state}")
    else:
        made.append("sealed; no model has been asked yet")
    made += [f"trained: {each}" for each in seen["trained"]]
    if seen["trains"]:
        made.append("a training is running")
    current = seen["versions"][-1] if seen["versions"] else None
    made.append(
        f"current: {current['adapter']} (round {current['round']})"
        if current
        else "current: the student model without an adapter"
    )
    made += [f"rolled back: round {each['round']}" for each in seen["rolled_back"]]
    return made
