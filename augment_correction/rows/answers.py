"""A model's own answers, of which nobody says that they are right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from augment_correction.rows.items import asked_of, context_of, in_context
from augment_correction.rows.names import NAMES, missing, not_text, text_in


@dataclass(frozen=True, slots=True)
class Answer:
    """`question` is what was asked, with its context; `ended` is None where the row does not say whether the model came
    to its end."""

    question: str
    answer: str
    model: str = ""
    finish_reason: str = "stop"
    ended: bool | None = None


def answer_of(row: Mapping[str, Any], place: str) -> Answer:
    """A model may have answered nothing, but the row must say so.

    Raises: RowError.
    """
    name = next((name for name in NAMES["answer"] if name in row), None)
    if name is None:
        raise missing(row, "answer", place)
    if text_in(row[name], "answer") is None:
        raise not_text(place, name, row[name])
    given = "" if row[name] is None else row[name] if isinstance(row[name], str) else text_in(row[name], "answer") or ""
    ended = row.get("ended") if isinstance(row.get("ended"), bool) else None
    asked, finish = in_context(asked_of(row, place), context_of(row, place)), str(row.get("finish_reason") or "stop")
    return Answer(asked, given, str(row.get("model") or ""), finish, ended)
