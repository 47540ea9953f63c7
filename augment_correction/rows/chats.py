"""Conversations in the shapes that chat datasets have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from augment_correction.rows.names import RowError, plain

ROLES: Mapping[str, str] = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model", "chatgpt", "bot"), "assistant"),
}
"""What others call a role, and what it is called here."""
SPOKEN = ("messages", "conversations", "conversation", "chat")
PROMPTED = (("prompt", "completion"), ("prompt", "chosen"))
"""Two lists of messages that make one chat, as TRL's conversational datasets have them."""
SHAPE = '[{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]'


@dataclass(frozen=True, slots=True)
class Said:
    """One message. `role` is what the row calls it where ROLES does not know it; `row` is the message as it stands there,
    with flags such as `train`."""

    role: str
    content: Any
    row: Mapping[str, Any]

    @property
    def train(self) -> bool | None:
        """Whether the row says that it is trained (`train`, or OpenAI's `weight`); None where it says neither."""
        flag = self.row.get("train") if self.row.get("train") is not None else self.row.get("weight")
        return None if flag is None else bool(flag)


def chat(row: Mapping[str, Any], place: str) -> tuple[Said, ...]:
    """The messages of a row; none where the row is no chat. A system prompt in a column of its own comes first.

    Raises: RowError where what should be a list of messages is none.
    """
    name = next((name for name in SPOKEN if row.get(name)), None)
    if name is not None:
        messages = _messages(row[name], name, place)
    else:
        pair = next((pair for pair in PROMPTED if all(isinstance(row.get(each), list) for each in pair)), ())
        messages = tuple(said for each in pair for said in _messages(row[each], each, place))
    system = row.get("system")
    if messages and isinstance(system, str) and system.strip() and messages[0].role != "system":
        return (Said("system", system, {}), *messages)
    return messages


def said_by(messages: tuple[Said, ...], role: str, place: str) -> Iterator[str]:
    """What a role says in messages that are not blank.

    Raises: RowError where it is no text.
    """
    texts = (plain(each.content, f"{place}: what the {role} says") for each in messages if each.role == role)
    return (text for text in texts if text.strip())


def right_answer(messages: tuple[Said, ...], place: str) -> str:
    """The first answer; where the row says which messages are trained, the first of these, without what is masked in it:
    an answer that is not trained may be a mistake. Empty where there is none.

    Raises: RowError where it is no text.
    """
    flagged = any(each.train is not None for each in messages)
    for each in messages:
        if each.role == "assistant" and (each.train or not flagged):
            text = plain(each.content, f"{place}: what the assistant says")
            masked = each.row.get("masked")
            text = text[masked:] if isinstance(masked, int) else text
            if text.strip():
                return text.strip()
    return ""


def _messages(value: Any, name: str, place: str) -> tuple[Said, ...]:
    if not isinstance(value, list):
        raise RowError(f"{place}: {name}", "is no list of messages", f"write {SHAPE}")
    return tuple(_said(each, f"{place}: message {number} of '{name}'") for number, each in enumerate(value, 1))


def _said(value: Any, place: str) -> Said:
    if not isinstance(value, Mapping):
        raise RowError(place, f"is {value!r:.40}, no object", f"write {SHAPE}")
    role = value.get("role", value.get("from"))
    content = value.get("content", value.get("value"))
    return Said(ROLES.get(str(role).strip().casefold(), str(role)), content, value)
