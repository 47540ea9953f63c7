"""The gate: conversations of whole documents that no training file ever sees, so that `evaluate` can ask them of every
version of a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import orjson

from augment_correction.errors import InputError
from augment_correction.records import Conversation, content_id
from augment_correction.rows import asked_of, read_rows
from augment_correction.selection.candidate import Candidate, LeftOut, document_of, question_of
from augment_correction.selection.guard import Guard
from augment_correction.store import RunFolder

GateItem = dict[str, Any]
"""A line of `gate.jsonl`; see `gate_item`."""
Why = Literal["drawn", "marked", "frozen"]


class Gate:
    """Which conversations are kept for the held-out set, and which others may not be trained because of them.

    What once stands in `gate.jsonl` (`frozen`) stays: a gate that changed could not compare two versions of a model.
    That holds for a smaller share, and for items whose document has vanished or whose conversation is made differently
    now: an item carries all that its question needs, and an older version was accepted by it. Their questions and
    passages go on to block training rows, since a copy of the document may be read under another name. A document that
    was drawn stays drawn, so that a passage added to it later is not trained. A passage that has an item gets no other
    one: what an edited prompt makes of it is left out, lest the held-out set grow with each edit. Whoever wants another held-out set
    moves the file away.
    """

    def __init__(self, seed: int, share: float, frozen: Iterable[GateItem] = ()) -> None:
        self._seed, self._share = seed, share
        self._guard = Guard()
        self._frozen: dict[str, str] = {}
        self._drawn: set[str] = set()
        self.made_again = 0
        for item in frozen:
            self._frozen[item["id"]] = content_id(item["passage"])
            self._guard.add_item(item)
            if item.get("drawn"):
                self._drawn.add(item["group"])
        self._frozen_passages = set(self._frozen.values())

    def __len__(self) -> int:
        """Items of earlier runs."""
        return len(self._frozen)

    @property
    def may_take(self) -> bool:
        """Whether there are any that it takes, but for those that a stage has marked."""
        return bool(self._share or self._frozen)

    def holds(self, id_: str) -> bool:
        """Whether it is an item of an earlier run."""
        return id_ in self._frozen

    def draws(self, document: str) -> bool:
        """By `document_of` and the seed alone, so that other documents do not matter."""
        if document in self._drawn:
            return True
        return int(content_id("gate", str(self._seed), document)[:16], 16) < self._share * 2**64

    def group_of(self, conversation: Conversation) -> tuple[str, bool]:
        """The document that it is counted under, and whether that was drawn: of several places a drawn one decides."""
        documents = [document_of(place) for place in conversation.provenance.get("places") or ()]
        drawn = next((document for document in documents if self.draws(document)), None)
        return (drawn, True) if drawn is not None else (documents[0] if documents else "", False)

    def takes(self, candidate: Candidate) -> Why | None:
        """Why it is kept for the held-out set, if it is. All candidates must have been offered before `left_out` is asked."""
        conversation = candidate.conversation
        frozen = conversation.id in self._frozen
        if not frozen and candidate.chunk_id in self._frozen_passages:
            return None
        why = self._why(conversation, frozen)
        if why and not frozen:
            self._guard.add(conversation.id, candidate.chunk_id, candidate.question, question_of(conversation))
        self.made_again += frozen
        return why

    def _why(self, conversation: Conversation, frozen: bool) -> Why | None:
        if conversation.provenance.get("split") == "gate":
            return "marked"
        if self.group_of(conversation)[1]:
            return "drawn"
        return "frozen" if frozen else None

    def left_out(self, candidate: Candidate) -> LeftOut | None:
        found = self._guard.overlap(candidate)
        return LeftOut("in_gate", found.detail) if found else None


DETAILS: Mapping[Why, str] = {
    "drawn": "its document was drawn for the held-out set",
    "marked": "a stage kept it for the held-out set",
    "frozen": "an earlier run kept it for the held-out set",
}


def gate_item(conversation: Conversation, passage: str, group: tuple[str, bool], *, has_mistake: bool) -> GateItem:
    """What `evaluate` needs to ask and to grade one question. `has_mistake`: the masked answer is one, and not a right
    answer that `loss_on: correction_only` does not train."""
    answers = [turn for turn in conversation.turns if turn.role == "assistant"]
    masked = [
        turn.text[: turn.masked] if turn.masked else turn.text for turn in answers if turn.masked or not turn.train
    ]
    known = conversation.provenance
    place: Mapping[str, Any] = next(iter(known.get("places") or ()), {})
    return {
        "id": conversation.id,
        "group": group[0],
        "drawn": group[1],
        "question": question_of(conversation),
        "reference": known.get("reference") or (answers[-1].text if answers else ""),
        "flawed": masked[0] if masked and has_mistake else None,
        "passage": passage,
        "evidence": known.get("evidence"),
        "source": place.get("source"),
        "page": place.get("page"),
        "kind": conversation.kind,
        "language": known.get("language"),
    }


def read_gate(path: Path) -> Iterator[GateItem]:
    """The items of a run's own `gate.jsonl`; none where there is no such file. See `gate_questions` for other gates.

    Raises: InputError with the line that is not a question of a held-out set.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                item = orjson.loads(line)
                if not {"id", "group", "question", "passage"} <= item.keys():
                    raise ValueError("it has no id, group, question or passage")
            except (ValueError, AttributeError) as failure:
                raise InputError(
                    f"{path}:{number} is not a question of a held-out set: {failure}",
                    hint="restore a complete copy of the file; without it other questions would be drawn",
                ) from None
            yield item


def gate_file(path: Path) -> Path:
    """The gate of a run, where its folder is named."""
    return RunFolder(path).gate if path.is_dir() else path


def gate_questions(path: Path) -> Iterator[GateItem]:
    """What `Guard.add_item` needs, of a run's gate and of one that somebody wrote ({"question", "reference"} lines, see
    docs/guides/evaluate.md); none where there is no such file.

    Raises: InputError with the line that holds no question.
    """
    if not path.exists():
        return
    yield from (item for _, item in read_rows(path, _question_item))


def _question_item(row: Mapping[str, Any], place: str) -> GateItem:
    return {"id": str(row.get("id") or place), "question": asked_of(row, place), "passage": row.get("passage")}
