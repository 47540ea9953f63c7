"""Files of failures that somebody curated, as failures and conversations. `rows` reads them and tells three schemas apart:

1. question, bad output, corrected output (or a reference answer), critique: a wrong answer, what is said to it, and the
   right one.
2. question, reference answer, category: nobody has answered yet.
3. `messages`, as our exports spell them, with `train` (or `weight`) and `masked`: a conversation already. Of messages without
   any such flag the last answer alone is trained, since the ones before it may be mistakes.

A row that is none of them is a problem with its file, line and column; it is counted and never stops the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from augment_correction.errors import InputError
from augment_correction.failures.failure import Failure, Verdict
from augment_correction.grading import error_codes
from augment_correction.records import Conversation, Role, Turn, content_id
from augment_correction.rows import (
    FIELDS,
    Field,
    RowError,
    RowMessage,
    chat,
    curated,
    each_row,
    fields_of,
    flat,
    graded,
    group_of,
    refuse_probe,
    turns_of,
    unused_keys,
)
from augment_correction.stages import neutral

Schema = Literal[1, 2, 3]


@dataclass(frozen=True, slots=True)
class CuratedRow:
    """`line` counts from 1: lines of JSONL, items of a JSON list. `group` is what the row says that it belongs to."""

    file: str
    line: int
    found: Failure | Conversation
    group: str = ""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that cannot be used. `line` counts like that of a `CuratedRow`; `at` is `line:column` in the file, where it is known."""

    file: str
    line: int
    reason: str
    detail: str
    remedy: str
    at: str = ""

    @property
    def place(self) -> str:
        return f"{self.file}:{self.at or self.line}"


_ALPACA = (
    "'input' is read as a bad output; where it is a part of the question, as in Alpaca's rows, put it into 'instruction' and "
    "name the bad output 'bad_output'"
)


_SPACED = (
    "control strings of chat templates (<|im_end|>, [INST], <think>) got a space inside, so that they are read as text; "
    "<think>...</think> stays as it is in an assistant's message of a row with 'messages'"
)


UNUSED = 6
"""Keys that are named; the others are counted."""


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
    unused: Counter[str] = field(default_factory=Counter)
    """Keys with a text that nothing is made of, with what was probably meant."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """Objects that are no rows, by the registered format that says so."""

    def __str__(self) -> str:
        """`question 10 of 10, critique 7 of 10 (2 empty)`, of the fields that any row has."""
        told = (
            f"{name} {self.filled[name]:,} of {self.rows:,}"
            + (f" ({self.empty[name]:,} empty)" if self.empty[name] else "")
            for name in FIELDS
            if self.filled[name] or self.empty[name]
        )
        said = ", ".join((*told, f"{self.duplicates:,} duplicates"))
        said += f"; not used: {self._not_used}" if self.unused else ""
        said += f"; note: in {self.plain_inputs:,} rows {_ALPACA}" if self.plain_inputs else ""
        return said + (f"; note: in {self.spaced:,} rows {_SPACED}" if self.spaced else "")

    @property
    def _not_used(self) -> str:
        """Those that were probably meant as something first."""
        listed = sorted(self.unused, key=lambda key: ("did you mean" not in key, -self.unused[key], key))
        more = f" and {len(listed) - UNUSED:,} more" if len(listed) > UNUSED else ""
        return ", ".join(f"{key} {self.unused[key]:,} of {self.rows:,}" for key in listed[:UNUSED]) + more


def read_curated(
    path: Path, schema: Literal[1, 2] | None = None, seen: dict[str, str] | None = None
) -> tuple[list[CuratedRow], FieldCoverage, list[RowProblem]]:
    """The rows of a JSONL file, or of a JSON list; `schema` where the caller knows it. `seen` is what other files have
    said already, and is added to.

    Raises: InputError where the file itself cannot be read.
    """
    file, coverage = str(path), FieldCoverage()
    rows, problems = list[CuratedRow](), list[RowProblem]()
    seen = {} if seen is None else seen
    reading = each_row(
        path, lambda row, place: (_found(row, place, schema, coverage), group_of(row)), coverage.passed_over
    )
    for line, read in reading:
        if isinstance(read, RowError):
            problems.append(RowProblem(file, line, read.reason, read.of_the_row, read.hint or "", read.at))
            continue
        found, group = read
        if first := seen.get(found.id):
            coverage.duplicates += 1
            remedy = "nothing to do: the first row is used"
            problems.append(RowProblem(file, line, "duplicate", f"says the same as {first}", remedy))
        else:
            seen[found.id] = f"{path}:{line}"
            rows.append(CuratedRow(file, line, found, group))
    if not rows and problems and all(each.reason == "not_json" for each in problems):
        raise InputError(
            f"no line of {path} is JSON: line {problems[0].line} {problems[0].detail.removeprefix('it ')}",
            hint="write one JSON object per line (.jsonl), or one list of objects (.json); CSV is not supported",
        )
    return rows, coverage, problems


# --------------------------------------------------------------------------------------------------- reading


def _found(
    row: Mapping[str, Any], place: str, schema: Literal[1, 2] | None, coverage: FieldCoverage
) -> Failure | Conversation:
    coverage.rows += 1
    refuse_probe(row, place)
    row = graded(flat(row, place))
    messages = chat(row, place)
    if messages or "messages" in row:
        coverage.schemas[3] += 1
        if schema == 1:
            detail = "is a conversation, and the file is named as one of schema 1"
            raise RowError(place, detail, "train on the file directly: train --data FILE", reason="conversation")
        return _spoken(messages, place, coverage)
    fields = fields_of(row)
    for name, (_, text) in fields.items():
        (coverage.filled if text else coverage.empty)[name] += 1
    found = curated(row, fields, place, schema)
    read = {name: key for name, (key, text) in fields.items() if text}
    coverage.unused.update(
        f"{key} (did you mean {meant}?)" if meant else key for key, meant in unused_keys(row, read, FIELDS).items()
    )
    texts = {name: text for name, (_, text) in fields.items() if text}
    coverage.schemas[1 if found.bad else 2] += 1
    coverage.spaced += any(neutral(text) != text for text in texts.values())
    coverage.plain_inputs += bool(found.bad) and fields["bad"][0] == "input" and "critique" not in fields
    verdict: Verdict = "wrong" if found.bad else "unanswered"
    codes = error_codes(found.bad, found.reference, question=found.question) if found.bad else ()
    return Failure(
        found.question, found.reference, found.bad, verdict, codes, critique=found.critique, category=found.category,
        item=place, origin="imported",
    )  # fmt: skip


def _spoken(messages: tuple[RowMessage, ...], place: str, coverage: FieldCoverage) -> Conversation:
    said = turns_of(messages, place)
    turns = tuple(map(_harmless_turn, said))
    coverage.spaced += turns != said
    id_ = content_id("messages", *(f"{turn.role} {turn.train} {turn.masked} {turn.text}" for turn in turns))
    return Conversation(id_, "messages", turns, False, {"origin": "imported"})


def _harmless_turn(turn: Turn) -> Turn:
    """What is made harmless moves the mask along."""
    head, rest = (_harmless(part, turn.role) for part in (turn.text[: turn.masked], turn.text[turn.masked :]))
    return replace(turn, text=head + rest, masked=len(head))


def _harmless(text: str, role: Role) -> str:
    """What an assistant thinks is its own words, and marked as such by whoever wrote the row."""
    if role != "assistant":
        return neutral(text)
    return "".join(part if _THOUGHT.fullmatch(part) else neutral(part) for part in _THOUGHT.split(text))


_THOUGHT = re.compile(r"(</?think>)")
