from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from augment_correction.declarations import ITEMS, SeveralStage
from augment_correction.errors import Reject
from augment_correction.grading.text import normal
from augment_correction.parsing import read_items
from augment_correction.records import Record
from augment_correction.stages.base import StageContext, Tools, neutral, with_fields
from augment_correction.stages.checks import new_scores, run_checks
from augment_correction.stages.model_call import ModelCall, text_schema


class Several:
    """Ask for several in one reply; each that passes the checks goes on in a record of its own."""

    def __init__(self, stage: SeveralStage, context: StageContext) -> None:
        self._stage = stage
        listed = {"type": "array", "items": text_schema(stage.fields), "minItems": 1, "maxItems": stage.count}
        schema = {"type": "object", "properties": {ITEMS: listed}, "required": [ITEMS], "additionalProperties": False}
        self._call = ModelCall(stage, context, "json", schema)

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        def read(reply: str) -> tuple[list[Record], Mapping[str, Any]]:
            given = read_items(neutral(reply), ITEMS, self._stage.fields)[: self._stage.count]
            made, problem = self._usable(record, given)
            if not made:
                raise Reject("none_usable", problem.detail if problem else "nothing new is among them")
            return made, {ITEMS: [{name: each.fields[name] for name in self._stage.fields} for each in made]}

        also = {name: record.fields[field] for name, field in self._stage.also.items()}
        return [
            *([with_fields(record, also)] if also else []),
            *await self._call.ask(record, tools, read, {"count": self._stage.count}),
        ]

    def _usable(self, record: Record, given: Sequence[Mapping[str, str]]) -> tuple[list[Record], Reject | None]:
        """Those that pass, once each and other than `also`; and what was wrong with the last one that does not."""
        first = self._stage.fields[0]
        seen = {normal(str(record.fields[field])) for name, field in self._stage.also.items() if name == first}
        made, problem = [], None
        for each in given:
            if normal(each[first]) in seen:
                continue
            seen.add(normal(each[first]))
            try:
                scores = run_checks(self._stage.checks, {**record.fields, **each})
            except Reject as failure:
                problem = failure
            else:
                made.append(with_fields(record, {**each, **new_scores(record.fields, scores)}))
        return made, problem
