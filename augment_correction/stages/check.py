from __future__ import annotations

from collections.abc import Sequence

from augment_correction.declarations import CheckStage
from augment_correction.records import Record
from augment_correction.stages.base import StageContext, Tools, with_fields
from augment_correction.stages.checks import new_scores, run_checks


class Check:
    """Reject records whose fields fail one of the stage's checks."""

    def __init__(self, stage: CheckStage, _: StageContext) -> None:
        self._checks = stage.checks

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        scores = run_checks(self._checks, record.fields)
        return [with_fields(record, new_scores(record.fields, scores))]
