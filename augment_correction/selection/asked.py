"""What a row of somebody's file asks: a chat in either spelling, Axolotl's segments, or a question under a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from augment_correction.errors import InputError

QUESTION_NAMES = ("question", "instruction", "prompt", "query")
"""Under which of them a row has its question; the first with a text in it is taken."""
SPOKEN = ("messages", "conversations")
USERS = ("user", "human")


@dataclass(frozen=True, slots=True)
class Asked:
    """`texts` are all turns of the user; `rendered` is the whole row where it does not say who speaks."""

    texts: tuple[str, ...]
    rendered: str = ""


def asked(row: Mapping[str, Any], place: str) -> Asked:
    """Raises: InputError where nothing is asked, or what is asked is no text."""
    texts = tuple(said_by(row, USERS, place))
    if texts:
        return Asked(texts)
    rendered = _rendered(row, place)
    if rendered and not any(row.get(name) for name in QUESTION_NAMES):
        return Asked((), rendered)
    return Asked((text_of(row, QUESTION_NAMES, place),), rendered)


def said_by(row: Mapping[str, Any], roles: Sequence[str], place: str) -> Iterator[str]:
    """The turns of these roles in a chat that are not blank; none where the row is no chat."""
    turns = (each for each in _chat(row, place) if each.get("role", each.get("from")) in roles)
    texts = (plain(each.get("content", each.get("value")), f"{place}: what the {roles[0]} says") for each in turns)
    return (text for text in texts if text.strip())


def text_of(row: Mapping[str, Any], names: Sequence[str], place: str) -> str:
    """Raises: InputError where the row has none of the names with a text, or a number, in it."""
    for name in names:
        if row.get(name) is not None and (text := plain(row[name], f"{place}: {name}").strip()):
            return text
    raise InputError(f"{place} has no {names[0]}", hint=f"write it under one of: {', '.join(names)}")


def plain(value: Any, place: str) -> str:
    """A text, a number, or a list of texts and parts with a text, a line each.

    Raises: InputError for anything else: nothing is asked, or graded, that nobody wrote.
    """
    if isinstance(value, list):
        return "\n".join(plain(part.get("text") if isinstance(part, dict) else part, place) for part in value)
    if isinstance(value, str | int | float):
        return str(value)
    raise InputError(
        f"{place} is no text: {str(value)[:60]}", hint='write "..." there, or [{"type": "text", "text": "..."}]'
    )


def _chat(row: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
    name = next((name for name in SPOKEN if row.get(name)), None)
    return _parts(row, name, place) if name else []


def _parts(row: Mapping[str, Any], name: str, place: str) -> list[dict[str, Any]]:
    parts = row[name]
    if not isinstance(parts, list) or not all(isinstance(each, dict) for each in parts):
        raise InputError(f"{place}: {name} is no list of {name}", hint='[{"role": "user", "content": "..."}, ...]')
    return parts


def _rendered(row: Mapping[str, Any], place: str) -> str:
    """Segments are cut anywhere in the text; messages are texts of their own."""
    if row.get("segments"):
        return "".join(str(each.get("text") or "") for each in _parts(row, "segments", place)).strip()
    told = (each.get("content", each.get("value")) for each in _chat(row, place))
    return "\n".join(plain(each, place) for each in told if each).strip()
