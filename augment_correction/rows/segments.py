"""Axolotl's own rows: a text in parts, each with the flag that says whether it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def segments_problem(row: Any) -> str:
    """What keeps a row of `segments` from being trained; empty where nothing does."""
    parts = row.get("segments") if isinstance(row, Mapping) else None
    if not isinstance(parts, list) or not parts:
        return "no row of segments, as others here are"
    for index, part in enumerate(parts, 1):
        if (
            not isinstance(part, Mapping)
            or type(part.get("label")) is not bool
            or not isinstance(part.get("text"), str)
        ):
            return f"part {index} has no 'label' (true or false) and 'text'"
    return "" if any(part["label"] for part in parts) else "nothing in it is trained"
