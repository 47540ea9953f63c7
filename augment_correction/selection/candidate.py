"""A kept conversation on its way into the dataset, as the rules of the selection look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from augment_correction.records import Conversation
from augment_correction.selection.similar import ShingledText

Reason = Literal["in_gate", "in_benchmark", "duplicate", "over_document", "over_error_type", "over_kind"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a conversation does not go into the dataset; `detail` is for a person."""

    reason: Reason
    detail: str


@dataclass(frozen=True)
class Candidate:
    """`part` tells apart the conversations of one passage, which is in the provenance (`chunk_id`, `places`). `rendered` is
    the whole text of a row that does not say who speaks."""

    conversation: Conversation
    part: int = 0
    rendered: str = ""

    @cached_property
    def question(self) -> ShingledText:
        return ShingledText(question_of(self.conversation))

    @cached_property
    def questions(self) -> tuple[ShingledText, ...]:
        """All that the user says, the first of it being `question`."""
        later = [turn.text for turn in self.conversation.turns if turn.role == "user"][1:]
        return (self.question, *map(ShingledText, later))

    @property
    def chunk_id(self) -> str | None:
        """None for a conversation that was made from no passage."""
        return self.conversation.provenance.get("chunk_id")


def question_of(conversation: Conversation) -> str:
    """What the user says first; empty where no user speaks."""
    return next((turn.text for turn in conversation.turns if turn.role == "user"), "")


def document_of(place: Mapping[str, Any]) -> str:
    """The name by which a document is drawn for the held-out set and counted: what stays the same when the document is edited.

    That is a file's path, since its id is the hash of its text. The lines of a JSONL file are documents of their own;
    there it is the id, since one line put in or taken out gives all that follow another number, while an edited line is
    one document that is drawn anew.
    """
    source, id_ = str(place["source"]), str(place["document_id"])
    _, mark, line = source.rpartition("#L")
    return id_ if mark and line.isdigit() else source


def source_of(conversation: Conversation) -> str:
    """Where its passage stands first, as a person would look it up."""
    places = conversation.provenance.get("places")
    if not places:
        return "unknown source"
    page = f", page {places[0]['page']}" if places[0].get("page") else ""
    return f"{places[0]['source']}{page}"
