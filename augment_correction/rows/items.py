"""Questions with their references: what a model is asked by an evaluation, a monitor, `answers` and `from-failures`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from augment_correction.records import content_id
from augment_correction.rows.chats import RowMessage, chat, right_answer, said_by
from augment_correction.rows.names import NAMES, plain, question_of, text_in, text_of
from augment_correction.rows.pairs import flat
from augment_correction.rows.probes import ASKS_AGAIN, FORM_ALONE, Probe, probed

OPTIONAL = ("flawed", "evidence", "passage", "source", "kind")


@dataclass(frozen=True, slots=True)
class Item:
    """`id` is the row's own, else made of the texts. `group` is what is resampled together (a document); the question
    itself where the row names none. `context` is what stands before the question where it is asked, and not where it is
    graded: its words are no evidence against an answer. `correction` is the id of the one that a `probe` belongs to, and
    `old_answer` what it retracts; to the corrected question that is a known wrong answer, too. `place` is `file:line`, where it came from a file."""

    question: str
    reference: str
    category: str = ""
    id: str = ""
    group: str = ""
    context: str | None = None
    flawed: str | None = None
    evidence: Any = None
    passage: str | None = None
    source: str | None = None
    kind: str | None = None
    probe: Probe | None = None
    correction: str = ""
    old_answer: str | None = None
    place: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.id or self._own_id)
        object.__setattr__(self, "group", self.group or self.id)
        object.__setattr__(self, "flawed", self.flawed or self._retracted)

    @property
    def asked(self) -> str:
        return in_context(self.question, self.context)

    @property
    def key(self) -> str:
        """Of the two texts, whatever the row calls itself."""
        return content_id(self.asked, self.reference)

    @property
    def _retracted(self) -> str | None:
        """What was retracted is wrong as an answer to the corrected question, and may be right beside it."""
        return self.old_answer if self.probe in (None, "paraphrase", *ASKS_AGAIN) else None

    @property
    def _own_id(self) -> str:
        """One question may be several probes, of several corrections."""
        return content_id(self.key, self.probe, self.correction) if self.probe else self.key


def item_of(row: Mapping[str, Any], place: str) -> Item:
    """Of a chat the first turn of the user and the first answer (`right_answer`); else the fields of the table.

    Raises: RowError.
    """
    row, of = flat(row, place), probed(row, place)
    if of.probe:
        row = {name: value for name, value in row.items() if name != "correction"}  # elsewhere the right answer
    spoken = chat(row, place)
    question = _first(spoken, place) or question_of(row, place)
    reference = right_answer(spoken, place) or _reference(row, of.probe, place)
    context = context_of(row, place)
    category = next((text for name in NAMES["category"] if (text := text_in(row.get(name), "category"))), "")
    more = {name: row[name] for name in OPTIONAL if row.get(name)}
    id_, group = (str(row.get(name) or "") for name in ("id", "group"))
    return Item(question, reference, category, id_, group, context, **more, **of._asdict(), place=place)


def _reference(row: Mapping[str, Any], probe: Probe | None, place: str) -> str:
    if probe == FORM_ALONE and not any(row.get(name) for name in NAMES["reference"]):
        return ""
    return text_of(row, "reference", place)


def asked_of(row: Mapping[str, Any], place: str) -> str:
    """The question alone.

    Raises: RowError.
    """
    row = flat(row, place)
    return _first(chat(row, place), place) or question_of(row, place)


def context_of(row: Mapping[str, Any], place: str) -> str | None:
    """Raises: RowError where it is no text."""
    return next((plain(row[name], f"{place}: {name}", key=name) for name in NAMES["context"] if row.get(name)), None)


def in_context(question: str, context: str | None) -> str:
    return f"{context}\n\n{question}" if context else question


def _first(spoken: tuple[RowMessage, ...], place: str) -> str:
    return next(said_by(spoken, "user", place), "").strip()
