"""Under which names a row may hold a field, and the one error that says that it does not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from augment_correction.errors import InputError

Field = Literal[
    "question", "reference", "answer", "bad", "corrected", "critique", "category", "context", "demonstration"
]

NAMES: Mapping[Field, tuple[str, ...]] = {
    "question": ("question", "instruction", "prompt", "query"),
    "reference": (
        *("reference", "reference_answer", "golden", "golden_answer", "expected", "expected_answer"),
        *("corrected_output", "correction", "corrected", "chosen"),
        *("answer", "response", "completion", "output"),
    ),
    "answer": ("answer", "response", "completion", "output", "model_output"),
    "bad": ("input", "bad_output", "wrong_answer", "model_output", "previous_output", "bad", "rejected"),
    "corrected": ("output", "corrected_output", "correction", "corrected", "chosen"),
    "critique": ("critique", "meta", "feedback"),
    "category": ("category", "topic", "subject"),
    "context": ("context",),
    "demonstration": ("context", "demonstration", "privileged_context", "follow_up"),
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
    "demonstration": "context for the teacher",
}
OTHER_NAMES = frozenset(
    [
        "id",
        "group",
        "flawed",
        "evidence",
        "passage",
        "source",
        "kind",
        "messages",
        "conversations",
        "segments",
        "system",
        "model",
        "finish_reason",
        "probe",
        "old_answer",
        "context_kind",
        "verdict",
    ]
)
"""Names that rows have besides, which are no misspelt ones."""
WRONG = frozenset(["bad", "wrong", "incorrect", "false", "flawed", "mistake", "mistaken", "erroneous", "failed"])
"""A word of these in a key says that what stands under it is a wrong answer, and never that it is a right one."""


class RowError(InputError):
    """A row that cannot be used. `place` is `file:line:column`, and what in it where that is known; `detail` reads on from
    it; `key` is the one of the row that is to blame; `reason` is a short closed word, by which such rows are counted; `at` is
    `line:column`."""

    def __init__(
        self, place: str, detail: str, hint: str = "", *, key: str | None = None, reason: str = "not_text"
    ) -> None:
        super().__init__(f"{place} {detail}", hint=hint or None)
        self.place, self.detail, self.key, self.reason = place, detail, key, reason
        self.row, self.at = place, ""

    def found_at(self, row: str, file: str, line: int, column: int) -> RowError:
        """The same of a row that `row` named, which stands there; column 0 is not known."""
        at = f"{line}:{column}" if column else f"{line}"
        where = f"{file}:{at}"
        found = RowError(
            where + self.place.removeprefix(row), self.detail, self.hint or "", key=self.key, reason=self.reason
        )
        found.row, found.at = where, at
        return found

    def read_by(self, reader: object) -> RowError:
        """The same of a row that a registered format made, whose keys stand nowhere in the file."""
        detail = f"{self.detail} (as the {reader} reads it)"
        return RowError(self.place, detail, self.hint or "correct the row, or the format", reason=self.reason)

    @property
    def of_the_row(self) -> str:
        """What is wrong, without the place of the row: `message 2 of 'messages' has no content`. A place that ends with a
        colon is followed by a sentence of its own."""
        inside = self.place.removeprefix(self.row)
        return self.detail if inside == ":" else f"{inside.lstrip(': ') or 'it'} {self.detail}"


def group_of(row: Mapping[str, Any]) -> str:
    """What the row says that it belongs to (a document, a correction); empty where it says nothing."""
    return str(row.get("group") or "")


def columns(row: Mapping[str, Any], fields: Sequence[Field]) -> dict[Field, str]:
    """The name under which the row holds each of `fields`, without those that it lacks. A name that two fields share
    (`output`) belongs to the one that comes first; one that holds nothing, to a field that has no better one."""
    found: dict[Field, str] = {}
    for field in fields:
        names = [name for name in NAMES[field] if name in row and name not in found.values()]
        name = next((name for name in names if text_in(row[name], field) != ""), names[0] if names else None)
        if name is not None:
            found[field] = name
    return found


def text_in(value: Any, field: Field) -> str | None:
    """What a field says; None where it is no text. A number is one, and so are parts with a text each; a list of texts is
    none (of several answers nobody says which is right). A critique may lie in an object (`meta: {critique: ...}`), and be
    several."""
    if field == "critique" and isinstance(value, Mapping):
        value = next((value[name] for name in NAMES["critique"] if name in value), "")
    if field in ("critique", "category") and isinstance(value, list):
        value = (" " if field == "critique" else ", ").join(str(each).strip() for each in value)
    if value is None:
        return ""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value).strip()
    if isinstance(value, list) and all(
        isinstance(part, Mapping) and isinstance(part.get("text"), str) for part in value
    ):
        return "\n".join(part["text"] for part in value).strip()
    return str(value) if field == "category" else None


def text_of(row: Mapping[str, Any], field: Field, place: str) -> str:
    """What stands under the first of the field's names that holds anything.

    Raises: RowError where there is none, or what stands there is no text.
    """
    for name in NAMES[field]:
        text = text_in(row.get(name), field)
        if text is None:
            raise not_text(place, name, row[name])
        if text:
            return text
    raise missing(row, field, place)


def question_of(row: Mapping[str, Any], place: str) -> str:
    """Raises: RowError where nothing is asked, or two things are."""
    texts = {name: text for name in NAMES["question"] if (text := text_in(row.get(name), "question"))}
    if len(set(texts.values())) > 1:
        named = " and ".join(texts)
        raise RowError(
            place, f"has different texts under {named}, so that the question is ambiguous", "put them into one field",
            key=[*texts][1], reason="two_questions",
        )  # fmt: skip
    return text_of(row, "question", place)


def not_text(place: str, name: str, value: Any) -> RowError:
    return RowError(f"{place}: {name}", f"is not a text: {str(value)[:60]}", f"write '{name}' as a string", key=name)


def missing(row: Mapping[str, Any], field: Field, place: str, why: str = "") -> RowError:
    """Names the key of the row that was probably meant. `why` reads on from the field's title."""
    known = NAMES[field]
    empty = next((name for name in known if name in row), None)
    what = f"has an empty {TITLES[field]}{why}" if empty else f"has no {TITLES[field]}{why}"
    reason = f"{'empty' if empty else 'missing'}_{field}"
    for key in (key for key in row if isinstance(key, str)):
        if meant := _meant(key, known):
            what += f"; it has '{key}': did you mean '{meant}'?"
            return RowError(place, what, f"call it '{meant}'", key=key, reason=reason)
    return RowError(place, what, f"write it under one of: {', '.join(known)}", key=empty, reason=reason)


def unused_keys(row: Mapping[str, Any], found: Mapping[Field, str], fields: Sequence[Field]) -> dict[str, str | None]:
    """The keys of the row with a text under them that none of `fields` is read from, each with the name that was probably
    meant; None where it resembles none. `found` are the names under which the row holds fields, as `columns` has them."""
    lacking = [name for field in fields if field not in found for name in NAMES[field]]
    left = (key for key in row if isinstance(key, str) and key not in found.values())
    texts = (key for key in left if isinstance(row[key], str) and row[key].strip())
    return {key: _meant(key, lacking) for key in texts if key not in OTHER_NAMES or _says_wrong(key)}


def _meant(key: str, known: Collection[str]) -> str | None:
    """One that says "wrong" stands for a wrong answer, and so for no name of a right one."""
    wrong, bad = _says_wrong(key), NAMES["bad"][1]
    if any(key in names for names in NAMES.values()) or (key in OTHER_NAMES and not wrong):
        return None
    close = difflib.get_close_matches(_spelt(key), NAMES["bad"] if wrong else known, 1, 0.75)
    meant = close[0] if close else bad if wrong else None
    return meant if meant in known else None


def _says_wrong(key: str) -> bool:
    return not WRONG.isdisjoint(_spelt(key).split("_"))


def _spelt(key: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key.strip()).casefold().replace("-", "_").replace(" ", "_")


def plain(value: Any, place: str, *, key: str | None = None) -> str:
    """A text, a number, or a list of texts and parts with a text, a line each: what a message says.

    Raises: RowError for anything else: nothing is asked, or graded, that nobody wrote.
    """
    if isinstance(value, list):
        return "\n".join(plain(part.get("text") if isinstance(part, dict) else part, place, key=key) for part in value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    remedy = 'write "..." there, or [{"type": "text", "text": "..."}]'
    raise RowError(place, f"is not a text: {str(value)[:60]}", remedy, key=key)
