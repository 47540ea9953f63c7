from __future__ import annotations

from collections.abc import Sequence

from augment_correction.declarations import FillStage
from augment_correction.records import Record
from augment_correction.stages.base import StageContext, Tools, with_fields


class Fill:
    """Write the stage's field from one of its templates."""

    def __init__(self, stage: FillStage, context: StageContext) -> None:
        self._field = stage.field
        self._templates = [context.prompts[name] for name in stage.among]

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        drawn = tools.rng.choice(self._templates)
        return [with_fields(record, {self._field: drawn.render(record.fields)[-1].content})]
