"""What was read, stored and counted; what is left of it to be made."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field, replace

from augment_correction.llm.metered import Halt
from augment_correction.runner.source import Placed, ReadStep
from augment_correction.runner.state import RunState
from augment_correction.store import Results
from augment_correction.store.database import Statement


@dataclass(frozen=True)
class PassageIntake:
    results: Results
    state: RunState
    halt: Halt
    _seen: set[int] = field(default_factory=set)
    """Ids as numbers: two thirds of the memory."""

    async def to_do(self, reads: AsyncIterator[ReadStep]) -> AsyncGenerator[Placed, None]:
        """Each passage once that no earlier run has finished. After a halt none is handed out, but reading goes on
        until every outcome of an earlier run has its place again: a run that is stopped early must not write a
        shorter dataset than it found."""
        earlier = self.results.earlier()
        async for read in reads:
            for passage in self._note(read):
                if earlier and self._reused(passage):
                    continue
                if self.halt.cause is None:
                    again = self.results.asked_again(passage.chunk.id)
                    yield replace(passage, again=again) if again else passage
                elif self.state.reused >= earlier:
                    return
        self.state.total = self.state.chunks

    def _note(self, read: ReadStep) -> list[Placed]:
        """Count and store what was read; a passage that stands in several places is stored with all of them. Returns
        the passages that were not there before."""
        state, results = self.state, self.results
        statements: list[Statement] = []
        for document in read.documents:
            statements.append(results.add_document(state.documents, document))
            state.documents += 1
        for unread in read.unread:
            statements.append(results.add_unread(state.unread, unread))
            state.unread += 1
        statements += map(results.add_note, read.notes)
        new = []
        for passage in read.passages:
            chunk, document = passage.chunk, passage.document
            statements.append(results.add_place(passage.seq, chunk, document.source, document.title))
            number = int(chunk.id, 16)
            if number in self._seen:
                state.duplicates += 1
                continue
            self._seen.add(number)
            new.append(passage)
            state.chunks += 1
            statements.append(results.add_chunk(passage.seq, chunk))
        results.write(*statements)
        return new

    def _reused(self, passage: Placed) -> bool:
        finished = self.results.finished(passage.chunk.id)
        for outcome in finished:
            self.state.count_outcome(*outcome)
        if finished:
            self.state.reused += 1
            self.state.finished += 1  # without its time: the pace is that of what is asked
        return bool(finished)
