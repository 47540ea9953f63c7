"""What somebody puts together for a training: a question with its right answer, a wrong answer with the right one, or a
conversation with a flag at each message that says whether it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from augment_correction.records import Role, Turn
from augment_correction.rows.chats import RowMessage, not_messages
from augment_correction.rows.names import (
    Field,
    RowError,
    columns,
    missing,
    not_text,
    plain,
    question_of,
    text_in,
    text_of,
)

FIELDS: tuple[Field, ...] = ("question", "bad", "corrected", "critique", "reference", "category")
NOT_SAID = {("prompt", "response"), ("prompt", "output")}
"""Names that say whose answer it is in neither way: monitors and servers write a model's own wrong answers so."""
ROLES: tuple[Role, ...] = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Curated:
    """`bad` is empty where nobody has answered yet; `reference` is the right answer."""

    question: str
    reference: str
    bad: str = ""
    critique: str = ""
    category: str = ""


def graded(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row with its `answer` as a bad output, where its `verdict` says that it is wrong (`corrections export` writes it so)."""
    if row.get("verdict") != "wrong" or "answer" not in row:
        return row
    others = {name: value for name, value in row.items() if name != "answer"}
    return {**others, "bad_output": row["answer"]}


def fields_of(row: Mapping[str, Any]) -> dict[Field, tuple[str, str | None]]:
    """The name under which the row holds each field, and its text; None where that is not a text."""
    return {field: (name, text_in(row[name], field)) for field, name in columns(row, FIELDS).items()}


def curated(
    row: Mapping[str, Any], fields: Mapping[Field, tuple[str, str | None]], place: str, schema: Literal[1, 2] | None
) -> Curated:
    """`fields` are those of `fields_of`. In schema 1 the answer that is trained corrects a wrong one, in schema 2 nobody has
    answered; unset, a row with a wrong answer, or with what is said to it, is of schema 1. In schema 2 a wrong answer beside
    a reference is not looked at.

    Raises: RowError.
    """
    names = {field: name for field, (name, _) in fields.items()}
    texts = {field: text for field, (_, text) in fields.items()}
    if schema is None:
        _refuse_either(names, texts, row, place)
    question = question_of(row, place)
    if schema == 2 and texts.get("bad") and "corrected" in texts and "reference" not in texts:
        detail = "has a wrong output and its correction (schema 1), but the file was named as schema 2"
        raise RowError(place, detail, "name the file under --self-critique-data", key=names["bad"], reason="bad_output")
    if schema == 2 or (schema is None and not _corrects(texts)):
        return Curated(question, text_of(row, "reference", place), category=texts.get("category") or "")
    unread = next((name for field, name in names.items() if texts[field] is None), None)
    if unread is not None:
        raise not_text(place, unread, row[unread])
    bad, right = texts.get("bad"), texts.get("corrected") or texts.get("reference")
    why = "" if schema is None else f", which schema {schema} needs"
    if not bad:
        raise missing(row, "bad", place, why)
    if not right:
        raise missing(row, "corrected", place, why)
    if bad == right:
        detail = "has a corrected output that equals the wrong one"
        raise RowError(place, detail, "correct the row, or leave it out", key=names["bad"], reason="nothing_corrected")
    return Curated(question, right, bad, texts.get("critique") or "", texts.get("category") or "")


def _corrects(texts: Mapping[Field, str | None]) -> bool:
    """Whether a wrong answer, or what is said to one, stands there: in a text, or in what is none."""
    says = {field for field, text in texts.items() if text != ""}
    return "bad" in says or texts.get("corrected", "") is None or ("critique" in says and "corrected" in texts)


def _refuse_either(
    names: Mapping[Field, str], texts: Mapping[Field, str | None], row: Mapping[str, Any], place: str
) -> None:
    """Raises: RowError where a text may be a right answer or a wrong one, or no answer at all."""
    if "segments" in row and "question" not in names:
        detail = "is a row of segments, which only Axolotl can train"
        remedy = "put such a file into the inbox of a worker that trains with Axolotl (train.axolotl), or name the folder of the run"
        raise RowError(place, detail, remedy, key="segments", reason="segments")
    right = next(iter(columns(row, ["reference"]).values()), None)
    if (names.get("question"), right) in NOT_SAID and not (right == "output" and texts.get("bad")):
        raise RowError(
            place,
            f"has 'prompt' and '{right}', which do not tell whether the answer is right, so that a wrong answer could be trained",
            "for right answers use --hard-failures-data FILE; for a model's own answers use `from-failures`",
            key=right,
            reason="right_or_wrong",
        )
    if names.get("bad") == "input" and texts["bad"] and "corrected" not in texts and "reference" in texts:
        detail = "has 'input' beside a reference answer, which may be a wrong output or part of the question"
        remedy = "rename it to bad_output, or put it into the question, or name the file with --self-critique-data"
        raise RowError(place, detail, remedy, key="input", reason="input_or_output")


# ------------------------------------------------------------------------------------------------------ conversations


def turns_of(messages: tuple[RowMessage, ...], place: str) -> tuple[Turn, ...]:
    """With the flags of the messages; where none has any, the last answer alone is trained.

    Raises: RowError where one is no message, or nothing is trained.
    """
    flagged = any(each.train is not None for each in messages)
    trained = (each.train if flagged else each is messages[-1] and each.role == "assistant" for each in messages)
    turns = tuple(
        _turn(each, bool(train), f"{place}: message {number}")
        for number, (each, train) in enumerate(zip(messages, trained, strict=True), 1)
    )
    if not any(turn.train and turn.role == "assistant" for turn in turns):
        detail, remedy = (
            "has no message that is trained",
            "end the chat with an answer, or set train: true for a message",
        )
        raise RowError(place, detail, remedy, reason="nothing_trained")
    return turns


def _turn(said: RowMessage, train: bool, place: str) -> Turn:
    """Without the white space around it: the mask moves along."""
    role = next((role for role in ROLES if role == said.role), None)
    if role is None:
        raise not_messages(place, f"has the role {said.role!r:.50}, not one of {', '.join(ROLES)}", said.key)
    if said.content is None:
        raise not_messages(place, "has no content", said.key)
    content = plain(said.content, f"{place}: its content", key=said.key)
    masked = said.row.get("masked") or 0
    for name in ("train", "weight"):
        if said.row.get(name) not in (None, True, False, 0, 1):
            raise not_messages(f"{place}: {name}", f"is {said.row[name]!r:.50}, not true or false", said.key)
    if type(masked) is not int or not 0 <= masked <= len(content):
        raise not_messages(f"{place}: masked", f"is {masked!r:.50}, not a number of characters of it", said.key)
    head, rest = content[:masked].lstrip(), content[masked:].rstrip()
    if head and not rest:
        raise not_messages(f"{place}: masked", f"is {masked}, and nothing of it is left to train", said.key)
    return Turn(role, head + rest if head else rest.lstrip(), train, len(head))
