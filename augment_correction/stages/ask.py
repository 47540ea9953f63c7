from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from augment_correction.declarations import AskStage
from augment_correction.parsing import read_json, read_tags
from augment_correction.records import Record
from augment_correction.stages.base import StageContext, Tools, with_fields
from augment_correction.stages.checks import new_scores, run_checks
from augment_correction.stages.model_call import ModelCall, text_schema


class Ask:
    """Have a model write the stage's fields; a reply that fails a check is asked for again."""

    def __init__(self, stage: AskStage, context: StageContext) -> None:
        self._stage = stage
        self._call = ModelCall(stage, context, stage.reply, text_schema(stage.fields))

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        def read(reply: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            reader = read_tags if self._stage.reply == "tags" else read_json
            fields = reader(reply, self._stage.fields)
            scores = run_checks(self._stage.checks, {**record.fields, **fields})
            return {**fields, **new_scores(record.fields, scores)}, fields

        return [with_fields(record, await self._call.ask(record, tools, read))]
