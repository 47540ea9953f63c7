"""A question with what a teacher sees besides it: rows of self-distillation, in which the same model is the student, who sees
the question alone, and the teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from augment_correction.records import Role, Turn
from augment_correction.rows.chats import RowMessage, chat, messages_of, not_messages, said_by
from augment_correction.rows.names import NAMES, RowError, columns, group_of, plain, question_of, text_in, text_of

Shown = Literal["demonstration", "follow_up"]
KIND = "context_kind"
ROLES = get_args(Role)


@dataclass(frozen=True, slots=True)
class Demonstrated:
    """`asked` ends with the user's question. `context` is a good answer to it (`demonstration`), or what the user said after an
    answer (`follow_up`); `answer` is what a right answer says, and empty where nobody told; `group` what the row belongs to."""

    asked: tuple[Turn, ...]
    context: str
    shown: Shown
    answer: str = ""
    group: str = ""


def demonstrated(row: Mapping[str, Any], place: str) -> Demonstrated:
    """A last message of the assistant is the answer, where the row has none under a name of its own.

    Raises: RowError.
    """
    name = next((name for name in NAMES["demonstration"] if text_in(row.get(name), "demonstration") != ""), None)
    context = text_of(row, "demonstration", place)
    asked, said = _asked(row, place)
    named = columns({key: value for key, value in row.items() if key != name}, ["reference"]).get("reference")
    answer = text_of({named: row[named]}, "reference", place) if named and row[named] not in (None, "") else said
    return Demonstrated(asked, context, _shown(row, name, place), answer, group_of(row))


def _asked(row: Mapping[str, Any], place: str) -> tuple[tuple[Turn, ...], str]:
    """What is asked, and the answer that stands behind it in a chat."""
    prompt = row.get("prompt")
    spoken = chat(row, place)
    if not spoken and isinstance(prompt, list) and all(isinstance(each, Mapping) for each in prompt):
        spoken = messages_of(prompt, "prompt", place)
    if not spoken:
        return (Turn("user", question_of(row, place), train=False),), ""
    *_, last = spoken
    answer = next(said_by((last,), "assistant", place), "").strip()
    turns = _turns(spoken[:-1] if last.role == "assistant" else spoken, place)
    if not turns or turns[-1].role != "user":
        raise not_messages(f"{place}: the prompt", "does not end with a user message", last.key)
    return turns, answer


def _turns(messages: Sequence[RowMessage], place: str) -> tuple[Turn, ...]:
    made = []
    for number, each in enumerate(messages, 1):
        at = f"{place}: message {number}"
        if each.role not in ROLES:
            raise not_messages(at, f"has the role {each.role!r:.50}, not one of {', '.join(ROLES)}", each.key)
        text = "" if each.content is None else plain(each.content, f"{at}: its content", key=each.key).strip()
        if not text:
            raise not_messages(at, "has no content", each.key)
        made.append(Turn(cast(Role, each.role), text, train=False))
    return tuple(made)


def _shown(row: Mapping[str, Any], name: str | None, place: str) -> Shown:
    wanted = row.get(KIND) or ("follow_up" if name == "follow_up" else "demonstration")
    if wanted not in get_args(Shown):
        detail, remedy = f"is {wanted!r:.40}", f"write one of {', '.join(get_args(Shown))}, or leave it out"
        raise RowError(f"{place}: {KIND}", detail, remedy, key=KIND, reason="unknown_context_kind")
    return cast(Shown, wanted)
