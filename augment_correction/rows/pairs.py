"""Rows whose question or answers are messages, of one turn each, as rows of texts: preference pairs, and prompts that
TRL's datasets write so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from augment_correction.rows.chats import chat, messages_of, not_messages, said_by
from augment_correction.rows.names import NAMES, RowError, text_in

SIDES = ("chosen", "rejected")
ANSWERS = (*SIDES, "completion")


def flat(row: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """With texts in place of messages: {"question", "chosen", "rejected"}; a chat as it is, and so is a pair of several
    questions, whose chosen side is one. A side may be the whole chat or the answer alone.

    Raises: RowError where a side has no answer or nothing is asked.
    """
    sides = [side for side in ANSWERS if _spoken(row, side)]
    pair = {*SIDES} <= {*sides}
    if not (sides or _spoken(row, "prompt")) or (chat(row, place) and not pair):
        return row
    made = {name: value for name, value in row.items() if not _spoken(row, name)}
    for side in sides:
        answers = _said(row, side, "assistant", place)
        if not answers:
            raise not_messages(f"{place}: {side}", "holds no answer of the assistant", side)
        made[side] = answers[-1]
    spoken = (_said(row, name, "user", place) for name in ("prompt", *sides) if _spoken(row, name))
    asked = next((said for said in spoken if said), [])
    if len(asked) > 1 and pair:
        return row
    if any(text_in(made.get(name), "question") for name in NAMES["question"]):
        return made
    if not asked:
        detail = "has no user message before the answers"
        raise RowError(place, detail, key="prompt", reason="missing_question")
    if len(asked) > 1:
        detail = "has several turns, of which only the last one would be asked"
        raise RowError(f"{place}: prompt", detail, "write the turns and the answer as messages", key="prompt")
    return {**made, "question": asked[0]}


def _spoken(row: Mapping[str, Any], name: str) -> bool:
    """Whether it is a list of messages, and not of parts of a text, or of texts."""
    value = row.get(name)
    messages = isinstance(value, list) and all(isinstance(each, Mapping) and "text" not in each for each in value)
    return messages and bool(value)


def _said(row: Mapping[str, Any], name: str, role: str, place: str) -> list[str]:
    return list(said_by(messages_of(row[name], name, place), role, f"{place}: {name}"))
