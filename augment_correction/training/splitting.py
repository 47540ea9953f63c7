"""Which rows are held out: whole groups, so that no question or document is on both sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from augment_correction.records import Conversation, content_id
from augment_correction.selection.candidate import document_of, question_of


def held_out(conversations: Sequence[Conversation], share: float, seed: int) -> tuple[set[int], str]:
    """Indices of about `share` of the conversations, and what they were held apart by. Under two rows: none.

    Documents are held apart where they are small enough to make up the share; otherwise passages are, and always
    questions. A group's place in the draw depends on the seed and its own name alone.
    """
    wanted = round(len(conversations) * share)
    if wanted < 2:
        return set(), ""
    by_document = _drawn([[*_documents(each), _question(each)] for each in conversations], wanted, seed)
    if len(by_document) >= max(2, wanted / 2):
        return by_document, "document and question" if any(map(_documents, conversations)) else "question"
    by_passage = _drawn([[*_passages(each), _question(each)] for each in conversations], wanted, seed)
    return (by_passage, "passage and question") if len(by_passage) >= 2 else (set(), "")


def _documents(conversation: Conversation) -> list[str]:
    """The first place alone: a passage that stands in every document would make one group of all."""
    places = conversation.provenance.get("places") or ()
    return [f"document {document_of(place)}" for place in places[:1]]


def _passages(conversation: Conversation) -> list[str]:
    passage = conversation.provenance.get("chunk_id")
    return [f"passage {passage}"] if passage else []


def _question(conversation: Conversation) -> str:
    return "question " + " ".join(question_of(conversation).casefold().split())


def _drawn(keys: Sequence[Sequence[str]], wanted: int, seed: int) -> set[int]:
    """Groups in the order of their hash, each taken that still fits."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(_joined(keys)):
        groups[name].append(index)
    made: set[int] = set()
    for name in sorted(groups, key=lambda name: content_id("held out", str(seed), name)):
        if len(made) + len(groups[name]) <= wanted:
            made.update(groups[name])
    return made


def _joined(keys: Iterable[Sequence[str]]) -> list[str]:
    """One name for all rows that share a key, directly or through others."""
    parents: dict[str, str] = {}

    def root(key: str) -> str:
        while (parent := parents.setdefault(key, key)) != key:
            parents[key] = parents[parent]
            key = parent
        return key

    listed = [list(each) for each in keys]
    for first, *others in listed:
        for other in others:
            one, two = sorted((root(first), root(other)))
            parents[two] = one
    return [root(each[0]) for each in listed]
