"""What somebody corrected in a chat, and what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from augment_correction.failures import Failure
from augment_correction.grading.text import normal
from augment_correction.records import content_id

State = Literal["candidate", "approved", "rejected", "withdrawn"]
STATES: tuple[State, ...] = ("candidate", "approved", "rejected", "withdrawn")
"""Only what is approved is trained. `withdrawn` was approved once: the next version is trained without it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a correction or against it. `by` says who found it: a document with its place, a model, arithmetic."""

    by: str
    verdict: Literal["supports", "contradicts", "unknown"]
    reason: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What a correction says: to this `question` the assistant answered `wrong`, and it is `right`. `message` is what the user
    said, word for word."""

    question: str
    wrong: str
    right: str
    message: str = ""

    @property
    def subject(self) -> str:
        """Equal for questions that differ in spelling only."""
        return normal(self.question)

    @property
    def claim(self) -> str:
        """Equal for right answers that differ in spelling only."""
        return normal(self.right)


@dataclass(frozen=True, slots=True)
class Correction:
    """One row of the store. `chat` is what was said before the user's message, `source` where that stands; `forced`: a person
    approved it against the evidence."""

    id: int
    state: State
    statement: Statement
    author: str
    source: str
    chat: tuple[Mapping[str, str], ...] = ()
    evidence: tuple[Evidence, ...] = ()
    forced: bool = False
    created: str = ""

    @property
    def contradicted(self) -> tuple[Evidence, ...]:
        return tuple(each for each in self.evidence if each.verdict == "contradicts")

    @property
    def key(self) -> str:
        """Of what would be trained: it changes with an edit, and not with the state."""
        said = self.statement
        return content_id("correction", said.question, said.wrong, said.right, said.message)

    def failure(self) -> Failure:
        """The same as what every other source of mistakes hands on."""
        said = self.statement
        return Failure(
            said.question, said.right, said.wrong, "wrong",
            origin="user", critique=said.message, item=str(self.id), model="",
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        said = self.statement
        return {
            "id": self.id, "state": self.state, "question": said.question, "wrong": said.wrong, "right": said.right,
            "message": said.message, "author": self.author, "source": self.source, "forced": self.forced,
            "created": self.created, "chat": list(self.chat),
            "evidence": [{"by": each.by, "verdict": each.verdict, "reason": each.reason} for each in self.evidence],
        }  # fmt: skip
