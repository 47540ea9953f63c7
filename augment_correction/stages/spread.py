from __future__ import annotations

from collections.abc import Sequence

from augment_correction.declarations import KIND, SpreadStage
from augment_correction.errors import Reject
from augment_correction.records import Record
from augment_correction.stages.base import StageContext, Tools, with_fields


class Spread:
    """Go on with a record for each kind that stands for the word in the stage's field."""

    def __init__(self, stage: SpreadStage, _: StageContext) -> None:
        self._stage = stage

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        word = str(record.fields[self._stage.by])
        kinds = self._stage.into.get(word, ())
        if not kinds:
            raise Reject("no_kind", f"no kind of conversation is made of {self._stage.by}: {word[:80]!r}")
        return [with_fields(record, {KIND: kind}) for kind in kinds]
