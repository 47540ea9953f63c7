"""One passage through all stages, with stages that are told what to do."""

from __future__ import annotations

from collections.abc import Sequence

from augment_correction.errors import Reject
from augment_correction.records import Record
from augment_correction.runner.following import Follower
from augment_correction.runner.state import RunState, StageCounts
from augment_correction.stages import BoundStage, Tools


class Draws:
    def __init__(self) -> None:
        self.drawn: list[float] = []

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        self.drawn.append(tools.rng.random())
        return [record]


async def drawn(seed: int, id_: str, *names: str) -> list[float]:
    state = RunState({name: StageCounts(name) for name in (*names, "last")})
    draws = Draws()
    stations = [*(BoundStage(name, draws) for name in names), BoundStage("last", rejects)]
    await Follower(stations, {}, state, seed).follow(Record(id_, {"metadata": {}, "source": "a.txt"}))
    return draws.drawn


async def rejects(record: Record, tools: Tools) -> Sequence[Record]:
    raise Reject("enough")


async def test_what_a_stage_draws_hangs_on_seed_stage_and_passage_alone() -> None:
    first, second = await drawn(1, "a", "one", "two")
    assert first != second
    assert await drawn(1, "a", "one", "two") == [first, second], "the same again"
    assert await drawn(1, "a", "two") == [second], "whatever ran before it"
    others = [*await drawn(2, "a", "one"), *await drawn(1, "b", "one"), *await drawn(1, "a", "three")]
    assert len({first, *others}) == 4
