"""Records through the stages, many at a time.

One task follows one passage through all stages, and a window bounds how many are under way. Each model's limiter
decides who may ask next, so that the large model works while the small one still filters; a model that is slower than
the others fills the window and thereby holds back the rest, and memory does not grow with the number of passages.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from augment_correction.llm.metered import Halt, MeteredModel
from augment_correction.llm.session import ask_each, calls_at_once
from augment_correction.runner.first_conversations import FirstConversations
from augment_correction.runner.following import Follower
from augment_correction.runner.passage_intake import PassageIntake
from augment_correction.runner.source import Placed, ReadStep, record_of
from augment_correction.store import Results

WITHOUT_MODELS = 64
"""Passages under way where no stage asks a model."""


async def follow_all(
    reads: AsyncIterator[ReadStep], follower: Follower, results: Results, halt: Halt, first: FirstConversations
) -> None:
    """Follow every passage; see `ask_each`.

    Raises: whatever halted the run, unless it is one of STOPS.
    """
    state = follower.state

    async def follow(passage: Placed) -> None:
        outcomes = await follower.follow(record_of(passage))
        results.add_outcomes(outcomes)
        first.note_all(outcomes)
        state.note_made(outcomes)
        state.note_finished()

    await ask_each(PassageIntake(results, state, halt).to_do(reads), follow, halt, _window(follower.models.values()))


def _window(models: Iterable[MeteredModel]) -> int:
    """Passages under way at once: enough to keep every model busy, and an eighth more between the stages. With a
    model that takes one call at a time it is one, so that the calls of a passage follow each other and a local
    server finds their common beginning in its cache."""
    calls = calls_at_once(models)
    return (calls or WITHOUT_MODELS) + calls // 8
