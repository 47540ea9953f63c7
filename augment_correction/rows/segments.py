"""Axolotl's own rows: a text in parts, each with the flag that says whether it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from augment_correction.rows.names import RowError

REMEDY = 'write {"segments": [{"label": true, "text": "..."}, ...]}'


def segments_of(row: Mapping[str, Any], place: str) -> list[tuple[bool, str]]:
    """(label, text) of each part.

    Raises: RowError where the row cannot be trained.
    """
    parts = row.get("segments")
    if not isinstance(parts, list) or not parts:
        raise _refused(place, "is not a row of segments, unlike other rows of the file")
    made = []
    for number, part in enumerate(parts, 1):
        label, text = (part.get("label"), part.get("text")) if isinstance(part, Mapping) else (None, None)
        if type(label) is not bool or not isinstance(text, str):
            raise _refused(f"{place}: part {number}", "has no 'label' (true or false) and 'text'")
        made.append((label, text))
    if not any(label for label, _ in made):
        raise _refused(place, "has no segment that is trained")
    return made


def _refused(place: str, detail: str) -> RowError:
    return RowError(place, detail, REMEDY, key="segments", reason="segments")
