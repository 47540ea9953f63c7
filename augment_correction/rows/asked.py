"""What a training row of somebody's file asks: a chat, Axolotl's segments, or a question under a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from augment_correction.rows.chats import chat, said_by
from augment_correction.rows.names import NAMES, RowError, group_of, plain, question_of, text_in
from augment_correction.rows.pairs import flat


@dataclass(frozen=True, slots=True)
class Asked:
    """`texts` are all turns of the user; `rendered` is the whole row where it does not say who speaks. `group` is what the row
    says that it belongs to."""

    texts: tuple[str, ...]
    rendered: str = ""
    group: str = ""


def asked(row: Mapping[str, Any], place: str) -> Asked:
    """Raises: RowError where nothing is asked, or what is asked is no text."""
    row, group = flat(row, place), group_of(row)
    texts = tuple(said_by(chat(row, place), "user", place))
    if texts:
        return Asked(texts, group=group)
    rendered = _rendered(row, place)
    named = (text for name in NAMES["question"] if (text := text_in(row.get(name), "question")))
    found = tuple(dict.fromkeys(named))  # whichever of two was meant
    if found or rendered:
        return Asked(found, rendered, group)
    return Asked((question_of(row, place),), group=group)


def _rendered(row: Mapping[str, Any], place: str) -> str:
    """Segments are cut anywhere in the text; messages are texts of their own."""
    if row.get("segments"):
        parts = row["segments"]
        if not isinstance(parts, list) or not all(isinstance(each, dict) for each in parts):
            remedy = 'write [{"label": true, "text": "..."}, ...]'
            raise RowError(f"{place}: segments", "is not a list of segments", remedy, key="segments")
        return "".join(str(each.get("text") or "") for each in parts).strip()
    return "\n".join(plain(each.content, place) for each in chat(row, place) if each.content).strip()
