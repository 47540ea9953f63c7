"""Preference pairs: the same question with an answer that was chosen and one that was not, as DPO datasets have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from augment_correction.rows.chats import chat, said_by
from augment_correction.rows.names import RowError, plain

SIDES = ("chosen", "rejected")


def pair(row: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """A pair whose sides are messages as one whose sides are texts: {"question", "chosen", "rejected"}; other rows as they
    are. A side may be the whole chat or the answer alone.

    Raises: RowError where a side has no answer or nothing is asked.
    """
    if not all(isinstance(row.get(side), list) for side in SIDES):
        return row
    flat = {name: value for name, value in row.items() if not isinstance(value, list)}
    for side in SIDES:
        answers = list(said_by(chat({"messages": row[side]}, place), "assistant", place))
        if not answers:
            raise RowError(f"{place}: {side}", "holds no answer of the assistant")
        flat[side] = answers[-1]
    if isinstance(row.get("prompt"), str):
        return flat
    spoken = chat({"messages": row.get("prompt") or row["chosen"]}, place)
    asked = list(said_by(spoken, "user", place))
    if not asked:
        raise RowError(place, "asks nothing: no message of the user stands before the answers")
    return {**flat, "question": plain(asked[-1], place)}
