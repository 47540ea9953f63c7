"""Records through the stages, many at a time.

One task follows one passage through all stages, and a window bounds how many are under way. Each model's limiter
decides who may ask next, so that the large model works while the small one still filters; a model that is slower than
the others fills the window and thereby holds back the rest, and memory does not grow with the number of passages.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from augment_correction.errors import AugmentCorrectionError, BudgetExhausted, ExitCode, ModelUnusable
from augment_correction.llm.metered import Halt, Halted, MeteredModel
from augment_correction.runner.following import Follower
from augment_correction.runner.intake import Intake
from augment_correction.runner.source import Placed, Read, record_of
from augment_correction.runner.state import RunState
from augment_correction.stages import Station
from augment_correction.store import Results


class Interrupted(AugmentCorrectionError):
    """The user asked the run to stop."""

    exit_code = ExitCode.INTERRUPTED


WITHOUT_MODELS = 64
"""Passages under way where no stage asks a model."""
STOPS = (BudgetExhausted, ModelUnusable, Interrupted)
"""After these a run still writes its files, of what there is; any other cause is raised."""


@dataclass(frozen=True)
class Engine:
    stages: Sequence[Station]
    models: Mapping[str, MeteredModel]
    results: Results
    state: RunState
    halt: Halt
    seed: int
    draws: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    takes: Mapping[str, str] = field(default_factory=dict)

    @property
    def window(self) -> int:
        """Passages under way at once: enough to keep every model busy, and an eighth more between the stages. With a
        model that takes one call at a time it is one, so that the calls of a passage follow each other and a local
        server finds their common beginning in its cache."""
        limiters = {id(model.limiter): model.limiter for model in self.models.values()}
        calls = sum(limiter.maximum for limiter in limiters.values())
        return (calls or WITHOUT_MODELS) + calls // 8

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
        window = asyncio.Semaphore(self.window)
        follower = Follower(self.stages, self.models, self.state, self.seed, self.draws, self.takes)
        async for passage in Intake(self.results, self.state, self.halt).to_do(reads):
            await window.acquire()
            if self.halt.cause is not None:
                window.release()
                continue
            task = tasks.create_task(self._follow_passage(passage, follower))
            task.add_done_callback(lambda _: window.release())

    async def _follow_passage(self, passage: Placed, follower: Follower) -> None:
        try:
            outcomes = await follower.follow(record_of(passage))
        except Halted:
            return  # this passage stays pending: the next run takes it up again
        except Exception as cause:
            self.halt.because(cause)
            return
        self.results.add_outcomes(outcomes)
        self.state.note_finished()
