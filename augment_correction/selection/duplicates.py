"""Of questions that are nearly the same the first one is kept, in the output's order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from augment_correction.records import Conversation
from augment_correction.selection.candidate import Candidate, LeftOut, question_of, source_of
from augment_correction.selection.repeated import Repeated
from augment_correction.selection.similar import QuestionIndex, hashes_per_text


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a kept conversation can be looked up: its run (empty for the present one), passage and part."""

    run: str
    chunk_id: str | None
    part: int
    kind: str


class Duplicates:
    """Two kinds of conversation about one question of one passage (a correction and a stand-by) are no duplicates of
    each other, but a second pair from another passage is one of the first. `look_up` fetches what was kept: only where
    each stands is remembered, and a signature, half a kilobyte in all. Of `expected` candidates that `foresee` has seen before, nothing
    is remembered where no other one can be like it."""

    def __init__(self, similar: float, look_up: Callable[[Kept], Conversation], expected: int | None = None) -> None:
        self._look_up = look_up
        self._kept: list[Kept] = []
        self._repeated = None if expected is None else Repeated(hashes_per_text(similar) * expected)
        self._index = QuestionIndex(lambda number: question_of(look_up(self._kept[number])), similar, self._repeated)

    def foresee(self, candidate: Candidate) -> None:
        """To be called with all candidates, and with all that is to be remembered, before the first one is judged."""
        if self._repeated is not None:
            self._repeated.note(self._index.hashes(candidate.question))

    def left_out(self, candidate: Candidate) -> LeftOut | None:
        """What is not left out is remembered as kept."""

        def another_kind(number: int) -> bool:
            kept = self._kept[number]
            return kept.chunk_id == candidate.chunk_id is not None and kept.kind != candidate.conversation.kind

        found = self._index.nearest(candidate.question, skip=another_kind)
        if found is None:
            self.remember(candidate)
            return None
        kept = self._kept[found.number]
        first = self._look_up(kept)
        run = f" of {kept.run}" if kept.run else ""
        return LeftOut("duplicate", f"similarity {found.similarity:.2f} to {first.id} ({source_of(first)}){run}")

    def remember(self, candidate: Candidate, run: str = "") -> None:
        if self._index.add(candidate.question, len(self._kept)):
            self._kept.append(Kept(run, candidate.chunk_id, candidate.part, candidate.conversation.kind))
