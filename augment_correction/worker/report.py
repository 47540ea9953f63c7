"""The report that a gate leaves: kept with the round, and read for why it decided as it did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from augment_correction.folders import size_of

LONGEST = 200_000


def read_report(path: Path) -> Any:
    """None where there is none, it is longer than LONGEST bytes, or no JSON."""
    if (size_of(path) or 0) > LONGEST:
        return None
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def why(report: Any, *, accepted: bool) -> str | None:
    """The limits that decided, or the gain of what was accepted, as `evaluate` says it in `evaluation.json`; None for the
    report of another acceptance test, or one that says something else than the acceptance test's exit code."""
    try:
        outcomes = {decision["outcome"] for decision in report["decisions"].values()}
        if not outcomes or (outcomes == {"accept"}) != accepted:
            return None
        told = {name: _decisive(report, name) for name in report["decisions"]}
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return "; ".join(f"{name}: {text}" if len(told) > 1 else text for name, text in told.items())


def _decisive(report: Any, model: str) -> str:
    decision = report["decisions"][model]
    if decision["outcome"] == "accept":
        if not report["gate"].get("questions", True):  # a report of an earlier version does not say
            return f"{len(report['probes']['corrections'])} corrections were learned, and nothing else changed"
        gain = report["gate"]["against_base"][model]["all"]["difference"]["accuracy_t2"]
        value, low, high = (f"{100 * gain[name]:+.1f}" for name in ("value", "low", "high"))
        return f"right second answers {value} points ({low} to {high})"
    if decision["outcome"] == "undecided":
        return f"undecided: {_texts(decision, None)}"
    return _texts(decision, False)


def _texts(decision: Any, holds: bool | None) -> str:
    return "; ".join(reason["text"] for reason in decision["reasons"] if reason["holds"] is holds)
