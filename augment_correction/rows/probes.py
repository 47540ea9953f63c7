"""What a gate row says of the correction that it probes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

from augment_correction.rows.names import RowError, plain

Probe = Literal[
    "efficacy", "paraphrase", "portability", "neighbour", "old_answer", "pushback", "retention", "health"
]  # fmt: skip
PROBES: tuple[Probe, ...] = get_args(Probe)
ASKS_AGAIN: tuple[Probe, ...] = ("efficacy", "old_answer", "pushback")
"""They ask the corrected question itself, which is trained by design; the others ask what no training may hold."""
FORM_ALONE: Probe = "health"
"""Its answers are looked at for their form, so that it needs no reference."""


class ProbeRow(NamedTuple):
    """`correction` is the id of one; "" for retention, which belongs to none, and for what is no probe."""

    probe: Probe | None
    correction: str
    old_answer: str | None


def probed(row: Mapping[str, Any], place: str) -> ProbeRow:
    """Of a row without a `probe` the retracted answer alone: its `correction` is an answer, as elsewhere.

    Raises: RowError for an unknown probe, or where what a probe needs is missing.
    """
    old = plain(row["old_answer"], f"{place}: old_answer", key="old_answer").strip() if row.get("old_answer") else None
    if row.get("probe") in (None, ""):
        return ProbeRow(None, "", old)
    probe = _known(row["probe"], place)
    correction = row.get("correction")
    if isinstance(correction, bool) or not isinstance(correction, str | int | None):
        raise RowError(
            f"{place}: correction", "is not an id", "write the correction's id as a string", key="correction"
        )
    named = "" if correction is None else str(correction).strip()
    if not named and probe != "retention":
        remedy = "write the correction's id under 'correction', so that intervals can resample corrections"
        raise RowError(place, f"is a probe of the kind '{probe}' but names no correction", remedy, key="probe")
    if probe == "old_answer" and not old:
        remedy = "write the answer that was retracted under 'old_answer'"
        raise RowError(place, "is a probe of the kind 'old_answer' but has no 'old_answer'", remedy, key="probe")
    return ProbeRow(probe, named, old)


def _known(named: Any, place: str) -> Probe:
    found = next((probe for probe in PROBES if probe == named), None)
    if found is None:
        detail = f"names the probe '{str(named)[:60]}', which is not a kind of probe"
        raise RowError(place, detail, f"write one of: {', '.join(PROBES)}", key="probe")
    return found


def refuse_probe(row: Mapping[str, Any], place: str) -> None:
    """Raises: RowError where a row that would be trained is a probe."""
    if isinstance(row.get("probe"), str) and row["probe"] in PROBES:
        detail = f"is a probe of the kind '{row['probe']}', which measures a model and must not be trained"
        raise RowError(place, detail, "leave probes out of the training data", key="probe", reason="probe")
