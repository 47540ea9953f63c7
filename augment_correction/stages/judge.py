from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from augment_correction.declarations import JudgeStage
from augment_correction.errors import Reject
from augment_correction.parsing import read_verdict
from augment_correction.records import Record
from augment_correction.stages.base import StageContext, Tools, with_fields
from augment_correction.stages.model_call import ModelCall, text_schema


class Judge:
    """Keep the record or reject it by a model's verdict; the reason it gives is kept either way."""

    def __init__(self, stage: JudgeStage, context: StageContext) -> None:
        self._stage = stage
        schema = text_schema(stage.reply_fields, verdict=[stage.keep, stage.drop])
        self._call = ModelCall(stage, context, "json" if stage.reply == "json" else "verdict", schema)

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        kept, reason = await self._call.ask(record, tools, self._read)
        if not kept:
            raise Reject(self._stage.drop, reason)
        return [with_fields(record, {f"{self._stage.name}_reason": reason})]

    def _read(self, reply: str) -> tuple[tuple[bool, str], Mapping[str, Any]]:
        kept, reason = read_verdict(reply, self._stage.keep, self._stage.drop)
        return (kept, reason), {"verdict": self._stage.keep if kept else self._stage.drop, "reason": reason}
