"""Files of failures that somebody curated, read row by row. Three schemas, told apart by their columns (docs/failures.md):

1. question, bad output, corrected output (or a reference answer), critique: a wrong answer, what is said to it, and the
   right one.
2. question, reference answer, category: nobody has answered yet.
3. `messages`, as our exports spell them, with `train` (or `weight`) and `masked`: a conversation already. Of messages without
   any such flag the last answer alone is trained, since the ones before it may be mistakes.

A row that is none of them is a problem with its file and line; it is counted and never stops the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from augment_correction.errors import InputError
from augment_correction.failures.failure import Failure
from augment_correction.grading import error_codes
from augment_correction.jsonlines import NoValue, Read, file_values
from augment_correction.records import Conversation, Role, Turn, content_id
from augment_correction.rows import NAMES, TITLES, Field, RowError, Said, chat, columns, pair, plain
from augment_correction.stages import neutral

Schema = Literal[1, 2, 3]

FIELDS: tuple[Field, ...] = ("question", "bad", "corrected", "critique", "reference", "category")
NEEDED: Mapping[Literal[1, 2], tuple[Field, ...]] = {
    1: ("question", "bad", "corrected"),
    2: ("question", "reference"),
}
NOT_SAID = ("prompt", "response")
"""Columns that say whose answer it is in neither way: some monitors write a model's own wrong answers so."""
ROLES: tuple[Role, ...] = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Row:
    """`line` counts from 1: lines of JSONL, items of a JSON list."""

    file: str
    line: int
    found: Failure | Conversation


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot be used."""

    file: str
    line: int
    reason: str
    detail: str
    remedy: str


_ALPACA = (
    "'input' is read as a bad output; where it is a part of the question, as in Alpaca's rows, put it into 'instruction' and "
    "name the bad output 'bad_output'"
)


_SPACED = (
    "control strings of chat templates (<|im_end|>, [INST], <think>) got a space inside, so that they are read as text; "
    "<think>...</think> stays as it is in an assistant's message of a row with 'messages'"
)


@dataclass
class FieldCoverage:
    """Of all rows that are JSON objects: how many have each field with a text in it, and how many with an empty one."""

    rows: int = 0
    filled: Counter[Field] = field(default_factory=Counter)
    empty: Counter[Field] = field(default_factory=Counter)
    schemas: Counter[Schema] = field(default_factory=Counter)
    duplicates: int = 0
    plain_inputs: int = 0
    """Rows spelled as Alpaca spells its own, whose `input` is a part of the question there."""
    spaced: int = 0
    """Rows that hold control strings of chat templates, which get a space inside."""

    def __str__(self) -> str:
        """`question 10 of 10, critique 7 of 10 (2 empty)`, of the fields that any row has."""
        told = (
            f"{name} {self.filled[name]:,} of {self.rows:,}"
            + (f" ({self.empty[name]:,} empty)" if self.empty[name] else "")
            for name in FIELDS
            if self.filled[name] or self.empty[name]
        )
        said = ", ".join((*told, f"{self.duplicates:,} duplicates"))
        said += f"; note: in {self.plain_inputs:,} rows {_ALPACA}" if self.plain_inputs else ""
        return said + (f"; note: in {self.spaced:,} rows {_SPACED}" if self.spaced else "")


def read_curated(
    path: Path, schema: Literal[1, 2] | None = None, seen: dict[str, str] | None = None
) -> tuple[list[Row], FieldCoverage, list[Problem]]:
    """The rows of a JSONL file, or of a JSON list; `schema` where the caller knows it. `seen` is what other files have
    said already, and is added to.

    Raises: InputError where the file itself cannot be read.
    """
    rows, coverage, problems = [], FieldCoverage(), []
    seen = {} if seen is None else seen
    for line, value in objects(path):
        found = _row(str(path), line, value, schema, coverage)
        if isinstance(found, Row) and (first := seen.get(found.found.id)):
            coverage.duplicates += 1
            remedy = "nothing to do: the first one is used"
            found = Problem(found.file, line, "duplicate", f"says the same as {first}", remedy)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            seen[found.found.id] = f"{path}:{line}"
            rows.append(found)
    if not rows and problems and all(each.reason == "not_json" for each in problems):
        raise InputError(
            f"no line of {path} is JSON: line {problems[0].line} is {problems[0].detail}",
            hint="write one JSON object a line (.jsonl), or a list of them (.json); CSV is not read",
        )
    return rows, coverage, problems


# --------------------------------------------------------------------------------------------------- reading


def objects(path: Path) -> Iterator[tuple[int, Any]]:
    """(line, value) of JSON lines, or (number, item) of a JSON list; what is no JSON comes as the ValueError that says why.

    Raises: InputError where the file cannot be read or is empty.
    """
    read, any_found = Read(), False
    for found in file_values(path, read):
        any_found = True
        if isinstance(found, NoValue):
            yield found.line, ValueError(found.detail)
        else:
            yield found.item if read.in_list else found.line, found.value
    if not any_found:
        raise InputError(f"{path} is empty", hint="write one JSON object a line (.jsonl)")


def _row(file: str, line: int, value: Any, schema: Literal[1, 2] | None, coverage: FieldCoverage) -> Row | Problem:
    if isinstance(value, ValueError):
        return Problem(file, line, "not_json", f"not valid JSON, or cut off: {value}", "write one JSON object a line")
    if not isinstance(value, dict):
        return Problem(
            file, line, "not_an_object", f"a {type(value).__name__}, not an object", 'write {"instruction": ...}'
        )
    coverage.rows += 1
    try:
        value = pair(value, "")
        messages = chat(value, "")
    except RowError as failure:
        return _no_conversation(file, line, failure.message.lstrip(": "))
    if messages or "messages" in value:
        coverage.schemas[3] += 1
        if schema is not None:
            detail = f"it is a conversation, and the file is named as one of schema {schema}"
            return Problem(file, line, "conversation", detail, "train with --data FILE: it takes such rows as they are")
        return _spoken(file, line, messages, coverage)
    named = columns(value, FIELDS)
    if schema is None and (named.get("question"), named.get("reference")) == NOT_SAID:
        return Problem(
            file,
            line,
            "right_or_wrong",
            "'prompt' and 'response' do not say whether the response is right, and a wrong one would be trained",
            "right answers: --hard_failures_data FILE; a model's own, of which some are wrong: `from-failures` makes rows",
        )
    asked = [name for name in NAMES["question"] if value.get(name)]
    if len({str(value[name]).strip() for name in asked}) > 1:
        detail = f"{' and '.join(asked)} both hold a text: which is asked?"
        return Problem(file, line, "two_questions", detail, "put them into one column")
    texts: dict[Field, str] = {}
    for name, column in named.items():
        text = _text(value[column], name)
        if text is None:
            detail = f"'{column}' is a {type(value[column]).__name__}, not a text"
            return Problem(file, line, "not_text", detail, f"write '{column}' as a string")
        texts[name] = text
        (coverage.filled if text else coverage.empty)[name] += 1
    if schema is None and named.get("bad") == "input" and "corrected" not in texts and "reference" in texts:
        detail = "'input' beside a reference answer: is it the bad output, or a part of the question?"
        remedy = "call it bad_output, or put it into the question; or name the file with --self_critique_data"
        return Problem(file, line, "input_or_output", detail, remedy)
    if named.get("bad") == "input" and "corrected" in texts and "critique" not in named:
        coverage.plain_inputs += 1
    return _checked(file, line, texts, schema or _schema(texts), coverage)


def _text(value: Any, name: Field) -> str | None:
    """A number is an answer, too; a critique may lie in an object (`meta: {critique: ...}`), and be several."""
    if name == "critique" and isinstance(value, dict):
        value = next((value[each] for each in NAMES["critique"] if each in value), "")
    if name in ("critique", "category") and isinstance(value, list):
        value = (" " if name == "critique" else ", ").join(str(each).strip() for each in value)
    if value is None:
        return ""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value).strip()
    return None


def _spoken(file: str, line: int, messages: tuple[Said, ...], coverage: FieldCoverage) -> Row | Problem:
    flagged = any(each.train is not None for each in messages)
    try:
        turns = tuple(_turn(each, number, flagged, number == len(messages)) for number, each in enumerate(messages, 1))
    except RowError as failure:
        return _no_conversation(file, line, failure.message)
    if not any(turn.train and turn.role == "assistant" for turn in turns) or (
        not flagged and turns[-1].role != "assistant"
    ):
        return Problem(
            file, line, "nothing_trained", "no message is to be trained", "end with an answer, or set train: true"
        )
    coverage.spaced += any(
        _harmless(plain(each.content, ""), turn.role) != plain(each.content, "")
        for each, turn in zip(messages, turns, strict=True)
    )
    id_ = content_id("messages", *(f"{turn.role} {turn.train} {turn.masked} {turn.text}" for turn in turns))
    return Row(file, line, Conversation(id_, "messages", turns, False, {"origin": "imported"}))


def _no_conversation(file: str, line: int, why: str) -> Problem:
    remedy = 'write [{"role": "user", "content": "...", "train": false}, ...]'
    return Problem(file, line, "not_messages", f"'messages' is no conversation: {why}", remedy)


def _turn(said: Said, number: int, flagged: bool, last: bool) -> Turn:
    """What is made harmless or stripped moves the mask along.

    Raises: RowError where it is none.
    """
    place = f"message {number}"
    role = next((role for role in ROLES if role == said.role), None)
    if role is None:
        raise RowError(place, f"has the role {said.role!r:.50}, not one of {', '.join(ROLES)}")
    if said.content is None:
        raise RowError(place, "has no content")
    content = plain(said.content, f"the content of {place}")
    masked, train = said.row.get("masked") or 0, said.train if flagged else last
    flag = said.row.get("train", said.row.get("weight"))
    if flag not in (None, True, False, 0, 1):
        raise RowError(f"{place}: train", f"is {flag!r:.50}, not true or false")
    if type(masked) is not int or not 0 <= masked <= len(content):
        raise RowError(f"{place}: masked", f"is {masked!r:.50}, not a number of characters of it")
    head, rest = content[:masked].lstrip(), content[masked:].rstrip()
    head, rest = _harmless(head, role), _harmless(rest if head else rest.lstrip(), role)
    return Turn(role, head + rest, bool(train), len(head))


def _harmless(text: str, role: Role) -> str:
    """What an assistant thinks is its own words, and marked as such by whoever wrote the row."""
    if role != "assistant":
        return neutral(text)
    return "".join(part if _THOUGHT.fullmatch(part) else neutral(part) for part in _THOUGHT.split(text))


_THOUGHT = re.compile(r"(</?think>)")


def _schema(texts: Mapping[Field, str]) -> Literal[1, 2]:
    return 2 if "reference" in texts and not {"bad", "corrected"} & texts.keys() else 1


def _checked(
    file: str, line: int, texts: Mapping[Field, str], schema: Literal[1, 2], coverage: FieldCoverage
) -> Row | Problem:
    coverage.schemas[schema] += 1
    coverage.spaced += any(neutral(text) != text for text in texts.values())
    if schema == 1 and "corrected" not in texts and "reference" in texts:
        texts = {**texts, "corrected": texts["reference"]}
    for name in NEEDED[schema]:
        if not texts.get(name):
            known = ", ".join(NAMES[name])
            what = "is empty" if name in texts else "is missing"
            detail = f"the {TITLES[name]} {what}, which schema {schema} needs"
            return Problem(file, line, f"{'empty' if name in texts else 'missing'}_{name}", detail, f"one of: {known}")
    question, category, item = texts["question"], texts.get("category", ""), f"{file}:{line}"
    if schema == 2:
        found = Failure(question, texts["reference"], "", "unanswered", category=category, item=item, origin="imported")
        return Row(file, line, found)
    bad, right = texts["bad"], texts["corrected"]
    if bad == right:
        detail = "the corrected output is the bad one"
        return Problem(file, line, "nothing_corrected", detail, "correct it, or leave the row out")
    found = Failure(
        question, right, bad, "wrong", error_codes(bad, right, question=question), critique=texts.get("critique", ""),
        category=category, item=item, origin="imported",
    )  # fmt: skip
    return Row(file, line, found)
