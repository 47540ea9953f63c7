"""Under which names a row may hold a field, and the one error that says that it does not."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from augment_correction.errors import InputError

Field = Literal["question", "reference", "answer", "bad", "corrected", "critique", "category", "context"]

NAMES: Mapping[Field, tuple[str, ...]] = {
    "question": ("question", "instruction", "prompt", "query"),
    "reference": (
        *("reference", "reference_answer", "golden", "golden_answer", "expected", "expected_answer"),
        *("answer", "response", "completion", "output"),
    ),
    "answer": ("answer", "response", "completion", "output", "model_output"),
    "bad": ("input", "bad_output", "wrong_answer", "model_output", "previous_output", "bad", "rejected"),
    "corrected": ("output", "corrected_output", "correction", "corrected", "chosen"),
    "critique": ("critique", "meta", "feedback"),
    "category": ("category", "topic", "subject"),
    "context": ("context",),
}
"""The first name that a row has a text under is taken. `answer` is a model's own, of which nobody says that it is right."""
TITLES: Mapping[Field, str] = {
    "question": "question",
    "reference": "reference",
    "answer": "answer",
    "bad": "bad output",
    "corrected": "corrected output",
    "critique": "critique",
    "category": "category",
    "context": "context",
}


class RowError(InputError):
    """A row that cannot be used. `place` is `file:line`, and what in it where that is known; `detail` reads on from it."""

    def __init__(self, place: str, detail: str, hint: str = "") -> None:
        super().__init__(f"{place} {detail}", hint=hint or None)


def columns(row: Mapping[str, Any], fields: Sequence[Field]) -> dict[Field, str]:
    """The name under which the row holds each of `fields`, without those that it lacks. A name that two fields share
    (`output`) belongs to the one that comes first."""
    found: dict[Field, str] = {}
    for field in fields:
        name = next((name for name in NAMES[field] if name in row and name not in found.values()), None)
        if name is not None:
            found[field] = name
    return found


def text_of(row: Mapping[str, Any], field: Field, place: str) -> str:
    """The first text, or number, that stands under one of the field's names.

    Raises: RowError where there is none, or what stands there is no text.
    """
    for name in NAMES[field]:
        if row.get(name) is not None and (text := plain(row[name], f"{place}: {name}").strip()):
            return text
    raise missing(row, field, place)


def missing(row: Mapping[str, Any], field: Field, place: str) -> RowError:
    """Names the key of the row that was probably meant."""
    known = NAMES[field]
    others = {name for names in NAMES.values() for name in names}
    for key in (key for key in row if isinstance(key, str) and key not in others):
        meant = difflib.get_close_matches(key.casefold(), known, 1, 0.75)
        if meant:
            return RowError(place, f"has no {TITLES[field]}; it has '{key}'", f"did you mean '{meant[0]}'?")
    return RowError(place, f"has no {TITLES[field]}", f"write it under one of: {', '.join(known)}")


def plain(value: Any, place: str) -> str:
    """A text, a number, or a list of texts and parts with a text, a line each.

    Raises: RowError for anything else: nothing is asked, or graded, that nobody wrote.
    """
    if isinstance(value, list):
        return "\n".join(plain(part.get("text") if isinstance(part, dict) else part, place) for part in value)
    if isinstance(value, str | int | float):
        return str(value)
    raise RowError(place, f"is no text: {str(value)[:60]}", 'write "..." there, or [{"type": "text", "text": "..."}]')
