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
SPOKEN = ("messages", "conversations")
MAYBE_SPOKEN = ("conversation", "chat", "contents")
"""Names under which others keep an id or a text, too: a list alone is a chat."""
PROMPTED = (("prompt", "completion"), ("prompt", "chosen"))
"""Two lists of messages that make one chat, as TRL's conversational datasets have them."""
SPEAKER = ("role", "from")
WORDS = ("content", "value", "parts")
"""Names of a message's role and of what it says: OpenAI's, ShareGPT's, Gemini's."""
SHAPE = '[{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]'


@dataclass(frozen=True, slots=True)
class RowMessage:
    """One message. `role` is what the row calls it where ROLES does not know it; `row` is the message as it stands there,
    with flags such as `train`; `key` the one of the whole row that holds it."""

    role: str
    content: Any
    row: Mapping[str, Any]
    key: str | None = None

    @property
    def train(self) -> bool | None:
        """Whether the row says that it is trained (`train`, or OpenAI's `weight`); None where it says neither."""
        flag = self.row.get("train") if self.row.get("train") is not None else self.row.get("weight")
        return None if flag is None else bool(flag)


def chat(row: Mapping[str, Any], place: str) -> tuple[RowMessage, ...]:
    """The messages of a row; none where the row is no chat. A system prompt in a column of its own comes first.

    Raises: RowError where what should be a list of messages is none.
    """
    names = [name for name in SPOKEN if row.get(name)]
    names += [name for name in MAYBE_SPOKEN if row.get(name) and isinstance(row[name], list)]
    pair: tuple[str, ...] = next(
        (pair for pair in PROMPTED if all(isinstance(row.get(each), list) for each in pair)), ()
    )
    if not pair and all(isinstance(row.get(side), list) for side in ("chosen", "rejected")):
        pair = ("chosen",)  # the whole chat on each side
    parts = names[:1] or pair
    messages = tuple(said for name in parts for said in messages_of(row[name], name, place))
    system = row.get("system")
    if messages and isinstance(system, str) and system.strip() and messages[0].role != "system":
        return (RowMessage("system", system, {}), *messages)
    return messages


def said_by(messages: tuple[RowMessage, ...], role: str, place: str) -> Iterator[str]:
    """What a role says in messages that are not blank.

    Raises: RowError where it is no text.
    """
    said = (each for each in messages if each.role == role)
    texts = (plain(each.content, f"{place}: what the {role} says", key=each.key) for each in said)
    return (text for text in texts if text.strip())


def right_answer(messages: tuple[RowMessage, ...], place: str) -> str:
    """The first answer; where the row says which messages are trained, the first of these, without what is masked in it:
    an answer that is not trained may be a mistake. Empty where there is none.

    Raises: RowError where it is no text.
    """
    flagged = any(each.train is not None for each in messages)
    for each in messages:
        if each.role == "assistant" and (each.train or not flagged):
            text = plain(each.content, f"{place}: what the assistant says", key=each.key)
            masked = each.row.get("masked")
            text = text[masked:] if isinstance(masked, int) else text
            if text.strip():
                return text.strip()
    return ""


def messages_of(value: Any, name: str, place: str) -> tuple[RowMessage, ...]:
    """Raises: RowError."""
    if not isinstance(value, list):
        raise not_messages(f"{place}: {name}", "is not a list of messages", name)
    return tuple(_said(each, f"{place}: message {number} of '{name}'", name) for number, each in enumerate(value, 1))


def _said(value: Any, place: str, name: str) -> RowMessage:
    if not isinstance(value, Mapping):
        raise not_messages(place, f"is {value!r:.40}, not an object", name)
    role = next((value[each] for each in SPEAKER if each in value), None)
    content = next((value[each] for each in WORDS if each in value), None)
    return RowMessage(ROLES.get(str(role).strip().casefold(), str(role)), content, value, name)


def not_messages(place: str, detail: str, key: str | None = None) -> RowError:
    return RowError(place, detail, f"write {SHAPE}", key=key, reason="not_messages")
