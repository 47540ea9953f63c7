"""Records through the stages, many at a time.

One task follows one passage through all stages, and a window bounds how many are under way. Each model's limiter
decides who may ask next, so that the large model works while the small one still filters; a model that is slower than
the others fills the window and thereby holds back the rest, and memory does not grow with the number of passages.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from augment_correction.documents.folder_settings import Folders
from augment_correction.llm.metered import Halt, MeteredModel
from augment_correction.llm.session import ask_each, calls_at_once
from augment_correction.runner.following import Follower
from augment_correction.runner.passage_intake import PassageIntake
from augment_correction.runner.source import Placed, ReadStep, record_of
from augment_correction.runner.state import RunState
from augment_correction.stages import BoundStage
from augment_correction.store import Results

WITHOUT_MODELS = 64
"""Passages under way where no stage asks a model."""


@dataclass(frozen=True)
class Engine:
    stages: Sequence[BoundStage]
    models: Mapping[str, MeteredModel]
    results: Results
    state: RunState
    halt: Halt
    seed: int
    draws: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    takes: Mapping[str, str] = field(default_factory=dict)
    folders: Folders = field(default_factory=Folders)

    @property
    def window(self) -> int:
        """Passages under way at once: enough to keep every model busy, and an eighth more between the stages. With a
        model that takes one call at a time it is one, so that the calls of a passage follow each other and a local
        server finds their common beginning in its cache."""
        calls = calls_at_once(self.models.values())
        return (calls or WITHOUT_MODELS) + calls // 8

    async def run(self, reads: AsyncIterator[ReadStep]) -> None:
        """Follow every passage; see `ask_each`.

        Raises: whatever halted the run, unless it is one of STOPS.
        """
        follower = Follower(self.stages, self.models, self.state, self.seed, self.draws, self.takes, self.folders)

        async def follow(passage: Placed) -> None:
            outcomes = await follower.follow(record_of(passage))
            self.results.add_outcomes(outcomes)
            self.state.note_made(outcomes)
            self.state.note_finished()

        passages = PassageIntake(self.results, self.state, self.halt).to_do(reads)
        await ask_each(passages, follow, self.halt, self.window)
