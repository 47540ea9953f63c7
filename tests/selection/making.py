"""Candidates as short as a test can say them."""

from __future__ import annotations

from typing import Any

from augment_correction.records import Conversation, Turn, content_id
from augment_correction.selection import Candidate


def conversation(
    question: str, *, passage: str = "", kind: str = "k", source: str = "a.txt", answer: str = "A.", **known: Any
) -> Conversation:
    """Made from `passage` (one of its own where there is none), which stands in `source`."""
    chunk_id = content_id(passage or f"{source} {question}")
    turns = (Turn("user", question, True), Turn("assistant", "Wrong.", False), Turn("assistant", answer, True))
    place = {"source": source, "document_id": content_id(source), "page": 3}
    known = {"chunk_id": chunk_id, "places": (place,)} | known
    return Conversation(content_id(chunk_id, kind, question, answer), kind, turns, True, known)


def candidate(question: str, **known: Any) -> Candidate:
    return Candidate(conversation(question, **known))
