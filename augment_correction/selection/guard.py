"""Does a training row give away a question of a gate?"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from augment_correction.records import Conversation, content_id
from augment_correction.selection.candidate import Candidate
from augment_correction.selection.similar import QuestionIndex, ShingledText, Similar, normal

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
        self._phrases: list[tuple[int, str, frozenset[str]]] | None = None

    def add_item(self, item: Mapping[str, Any]) -> None:
        """Its `id` and `question`, and its `passage` where it was made from one."""
        passage = item.get("passage")
        chunk_id = content_id(str(passage)) if passage else None
        self.add(item["id"], chunk_id, ShingledText(item["question"]), item["question"])

    def add(self, id_: str, chunk_id: str | None, question: ShingledText, text: str) -> None:
        number = len(self._ids)
        self._ids.append(id_)
        self._questions.append(text)
        self._known[id_] = number
        if chunk_id is not None:
            self._passages.setdefault(chunk_id, number)
        self._index.add(question, number)
        self._phrases = None

    def overlap(self, candidate: Candidate, may: Container[str] = ()) -> Overlap | None:
        """By the surest sign there is. What the user says later in a conversation is compared as well. The questions of the
        items that `may` holds by id may stand in it."""
        id_ = candidate.conversation.id
        if id_ in self._known:
            return Overlap(id_, id_, "id")
        if candidate.chunk_id in self._passages:
            return Overlap(id_, self._ids[self._passages[candidate.chunk_id]], "passage")
        near = [found for each in candidate.questions if (found := self._nearest(each, may))]
        if near:
            found = max(near, key=lambda each: each.similarity)
            item, alike = self._ids[found.number], found.similarity
            return Overlap(id_, item, "question") if alike == 1 else Overlap(id_, item, "near", alike)
        number = self._told_in(candidate.rendered, may) if candidate.rendered else None
        return None if number is None else Overlap(id_, self._ids[number], "question")

    def _nearest(self, question: ShingledText, may: Container[str]) -> Similar | None:
        return self._index.nearest(question, lambda number: self._ids[number] in may)

    def _told_in(self, rendered: str, may: Container[str]) -> int | None:
        """In rendered text a question is found by its words alone: where it begins and ends there, to compare what is
        nearly the same, only the chat template knows."""
        if self._phrases is None:
            normals = ((number, normal(text)) for number, text in enumerate(self._questions))
            self._phrases = [(number, f" {text} ", frozenset(text.split())) for number, text in normals if text]
        text = f" {normal(rendered)} "
        there = set(text.split())  # rules most questions out, ten times as fast as a search
        found = (number for number, phrase, words in self._phrases if words <= there and phrase in text)
        return next((number for number in found if self._ids[number] not in may), None)


def overlap(gate_items: Iterable[Mapping[str, Any]], conversations: Iterable[Conversation]) -> list[Overlap]:
    """The conversations that must not be trained by a model that is measured with these items, each with the item that
    it gives away: the item itself, its passage, its question, or one that is nearly the same (from 0.8)."""
    guard = Guard()
    for item in gate_items:
        guard.add_item(item)
    found = (guard.overlap(Candidate(conversation)) for conversation in conversations)
    return [each for each in found if each is not None]
