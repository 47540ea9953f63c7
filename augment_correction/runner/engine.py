"""Records through the stages, many at a time.

One task follows one passage through all stages, and a window bounds how many are under way. Each model's limiter
decides who may ask next, so that the large model works while the small one still filters; a model that is slower than
the others fills the window and thereby holds back the rest, and memory does not grow with the number of passages.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from augment_correction.errors import (
    AugmentCorrectionError,
    BudgetExhausted,
    ExitCode,
    ModelUnusable,
    Reject,
    RequestRefused,
    TransientError,
)
from augment_correction.llm.metered import Halt, Halted, MeteredModel
from augment_correction.records import Conversation, Record, Rejected, Step
from augment_correction.runner.source import Passage, Read, record_of
from augment_correction.runner.state import RunState
from augment_correction.stages import Stage, Tools
from augment_correction.store import Outcome, Results

END_OF_STAGES = "end"


class Interrupted(AugmentCorrectionError):
    """The user asked the run to stop."""

    exit_code = ExitCode.INTERRUPTED


STOPS = (BudgetExhausted, ModelUnusable, Interrupted)
"""After these a run still writes its files, of what there is; any other cause is raised."""


@dataclass(frozen=True)
class Engine:
    stages: Sequence[Stage]
    models: Mapping[str, MeteredModel]
    results: Results
    state: RunState
    halt: Halt
    seed: int

    @property
    def window(self) -> int:
        """Passages under way at once: enough to keep every model busy, and a few between the stages."""
        limiters = {id(model.limiter): model.limiter for model in self.models.values()}
        return sum(limiter.capacity for limiter in limiters.values()) + 4

    async def run(self, reads: AsyncIterator[Read]) -> None:
        """Follow every passage; returns when all are done, or when the run is to stop and nothing is in flight. What
        goes wrong halts the run, and only after the calls in flight have come home is it raised: they are paid for.

        Raises: whatever halted the run, unless it is one of STOPS.
        """
        async with asyncio.TaskGroup() as tasks:
            try:
                await self._start_all(reads, tasks)
            except Exception as failure:
                self.halt.because(failure)
        if self.halt.cause is not None and not isinstance(self.halt.cause, STOPS):
            raise self.halt.cause

    async def _start_all(self, reads: AsyncIterator[Read], tasks: asyncio.TaskGroup) -> None:
        """After a halt nothing is started, but reading goes on until every outcome of an earlier run has its place
        again: a run that is stopped early must not write a shorter dataset than it found."""
        window = asyncio.Semaphore(self.window)
        seen: set[str] = set()
        earlier = self.results.earlier()
        async for read in reads:
            self._note(read, seen)
            for passage in read.passages:
                if passage.chunk.id in seen:
                    continue
                seen.add(passage.chunk.id)
                if self._reused(passage):
                    continue
                await window.acquire()
                if self.halt.cause is None:
                    task = tasks.create_task(self._follow_passage(passage))
                    task.add_done_callback(lambda _: window.release())
                elif self.state.reused >= earlier:
                    return
                else:
                    window.release()
        self.state.total = self.state.chunks

    def _note(self, read: Read, seen: set[str]) -> None:
        """Count and store what was read; a passage that stands in several places is stored with all of them."""
        state, results = self.state, self.results
        for document in read.documents:
            results.add_document(state.documents, document)
            state.documents += 1
        for unread in read.unread:
            results.add_unread(state.unread, unread)
            state.unread += 1
        statements = []
        new: set[str] = set()
        for passage in read.passages:
            chunk, document = passage.chunk, passage.document
            statements.append(results.add_place(passage.seq, chunk, document.source, document.title))
            if chunk.id in seen or chunk.id in new:
                state.duplicates += 1
                continue
            new.add(chunk.id)
            state.chunks += 1
            statements.append(results.add_chunk(passage.seq, chunk))
        results.write(*statements)

    def _reused(self, passage: Passage) -> bool:
        finished = self.results.finished(passage.chunk.id)
        for status, stage, reason in finished:
            self._count(status, stage, reason)
        if finished:
            self.state.reused += 1
            self.state.note_finished()
        return bool(finished)

    async def _follow_passage(self, passage: Passage) -> None:
        try:
            ends = await self._follow(record_of(passage), 0)
        except Halted:
            return  # this passage stays pending: the next run takes it up again
        except Exception as cause:
            self.halt.because(cause)
            return
        outcomes = [_outcome(passage.chunk.id, part, end) for part, end in enumerate(ends)]
        self.results.add_outcomes(outcomes)
        self.state.note_finished()

    async def _follow(self, record: Record, index: int) -> list[Record | Rejected]:
        """All that becomes of a record from stage `index` on; a stage may make several records of one."""
        if index == len(self.stages):
            return [record]
        stage = self.stages[index]
        counts = self.state.stages[stage.name]
        tools = Tools(self.models, random.Random(f"{self.seed}:{stage.name}:{record.id}"))
        counts.in_flight += 1
        try:
            made = await stage(record, tools)
        except (Reject, RequestRefused, TransientError) as problem:
            return [self._rejected(record, stage, tools, problem)]
        finally:
            counts.in_flight -= 1
        counts.kept += 1
        steps = (*record.steps, *(tools.trace or [Step(stage.name)]))
        ends: list[Record | Rejected] = []
        for each in made:
            ends += await self._follow(replace(each, steps=steps), index + 1)
        return ends

    def _rejected(self, record: Record, stage: Stage, tools: Tools, problem: AugmentCorrectionError) -> Rejected:
        if isinstance(problem, Reject):
            reason, detail, failed = problem.reason, problem.detail, False
        elif isinstance(problem, RequestRefused):
            reason, detail, failed = "request_refused", problem.message, False
        else:
            reason, detail, failed = "server_error", problem.message, True
        status = "failed" if failed else "rejected"
        counts = self.state.stages[stage.name]
        setattr(counts, status, getattr(counts, status) + 1)
        self.state.reasons[f"{stage.name}/{reason}"] += 1
        steps = [*tools.trace]
        if not steps or steps[-1].reason != reason:
            steps.append(Step(stage.name, reason=reason, detail=detail))
        return Rejected(replace(record, steps=(*record.steps, *steps)), stage.name, reason, detail, failed)

    def _count(self, status: str, stage: str | None, reason: str | None) -> None:
        """An outcome of an earlier run, counted as if it had just been made."""
        for each in self.stages:
            counts = self.state.stages[each.name]
            if each.name == stage:
                setattr(counts, status, getattr(counts, status) + 1)
                self.state.reasons[f"{stage}/{reason}"] += 1
                return
            counts.kept += 1


def _outcome(chunk_id: str, part: int, end: Record | Rejected) -> Outcome:
    if isinstance(end, Rejected):
        body: dict[str, Any] = {"detail": end.detail, "steps": [_step(step) for step in end.record.steps]}
        return Outcome(chunk_id, part, "failed" if end.failed else "rejected", end.stage, end.reason, body)
    conversation = end.fields["conversation"]
    assert isinstance(conversation, Conversation)
    body = {"conversation": conversation, "steps": [_step(step) for step in end.steps]}
    return Outcome(chunk_id, part, "kept", None, None, body)


def _step(step: Step) -> dict[str, Any]:
    names = ("stage", "model", "prompt", "call", "parsed", "reason", "detail")
    return {name: value for name in names if (value := getattr(step, name))}
