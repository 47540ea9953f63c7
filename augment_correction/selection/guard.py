"""Does a training row give away a question of a gate?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from augment_correction.records import Conversation, content_id
from augment_correction.selection.candidate import Candidate
from augment_correction.selection.similar import Question, QuestionIndex

By = Literal["id", "passage", "question", "near"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """`question`: the same but for case, spacing and punctuation; `near`: the similarity is less than 1."""

    conversation: str
    item: str
    by: By
    similarity: float | None = None

    @property
    def detail(self) -> str:
        told = {
            "id": f"it is the item {self.item}",
            "passage": f"made from the passage of the item {self.item}",
            "question": f"asks the question of the item {self.item}",
        }
        return told.get(self.by) or f"similarity {self.similarity:.2f} to the question of the item {self.item}"


class Guard:
    """Ids, passages and questions of a gate; no passage's text is kept, so that a large gate takes a kilobyte an item."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._questions: list[str] = []
        self._known: dict[str, int] = {}
        self._passages: dict[str, int] = {}
        self._index = QuestionIndex(self._questions.__getitem__)

    def add_item(self, item: Mapping[str, Any]) -> None:
        """Its `id` and `question`, and its `passage` where it was made from one."""
        passage = item.get("passage")
        chunk_id = content_id(str(passage)) if passage else None
        self.add(item["id"], chunk_id, Question(item["question"]), item["question"])

    def add(self, id_: str, chunk_id: str | None, question: Question, text: str) -> None:
        number = len(self._ids)
        self._ids.append(id_)
        self._questions.append(text)
        self._known[id_] = number
        if chunk_id is not None:
            self._passages.setdefault(chunk_id, number)
        self._index.add(question, number)

    def overlap(self, candidate: Candidate) -> Overlap | None:
        """By the surest sign there is."""
        id_ = candidate.conversation.id
        if id_ in self._known:
            return Overlap(id_, id_, "id")
        if candidate.chunk_id in self._passages:
            return Overlap(id_, self._ids[self._passages[candidate.chunk_id]], "passage")
        found = self._index.nearest(candidate.question)
        if found is None:
            return None
        item = self._ids[found.number]
        return Overlap(id_, item, "question") if found.similarity == 1 else Overlap(id_, item, "near", found.similarity)


def overlap(gate_items: Iterable[Mapping[str, Any]], conversations: Iterable[Conversation]) -> list[Overlap]:
    """The conversations that must not be trained by a model that is measured with these items, each with the item that
    it gives away: the item itself, its passage, its question, or one that is nearly the same (from 0.8)."""
    guard = Guard()
    for item in gate_items:
        guard.add_item(item)
    found = (guard.overlap(Candidate(conversation)) for conversation in conversations)
    return [each for each in found if each is not None]
