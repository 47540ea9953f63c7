from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from augment_correction.declarations import ErrorType, GroundStage
from augment_correction.errors import Reject
from augment_correction.grading import contrast
from augment_correction.parsing import read_json
from augment_correction.records import Record
from augment_correction.stages.asking import ModelCall, text_schema
from augment_correction.stages.base import StageContext, Tools, with_fields, with_scores
from augment_correction.stages.quotes import find_quote

SUPPORT: Mapping[str, float] = {"yes": 1.0, "partly": 0.5, "no": 0.0}
NOTHING = "nothing"
"""What a judge answers where the passage says nothing against the mistake. It is asked for words and not for a yes: a
model of 1.5 billion parameters named the right words every time, and said "no" to whether they contradict."""


class Ground:
    """Keep the record if the passage supports the answer and stands against the mistake, by quotes that really stand
    there."""

    def __init__(self, stage: GroundStage, context: StageContext) -> None:
        self._stage = stage
        self._choices: dict[str, list[str]] = {"supported": list(SUPPORT)}
        if stage.mistake:
            self._choices["error_type"] = list(get_args(ErrorType))
        self._call = ModelCall(stage, context, "json", text_schema(stage.reply_fields, **self._choices))

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        named = {name: record.fields[field] for name, field in self._stage.named.items()}
        found = await self._call.ask(record, tools, lambda reply: self._read(reply, record, named), named)
        support = SUPPORT[found["supported"]]
        if support < 1:
            raise Reject("unsupported", f"the passage does not {'fully ' if support else ''}support the answer")
        if found.get("right_span") == NOTHING:
            raise Reject("not_contradicted", "the passage says nothing against the answer that should be wrong")
        fields = {name: found[name] for name in self._stage.writes}
        return [with_scores(with_fields(record, fields), {self._stage.name: support})]

    def _read(self, reply: str, record: Record, named: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """Raises: Reject where a quote does not stand where it should; that is asked again, and then it counts."""
        parsed = read_json(reply, self._stage.reply_fields)
        read: dict[str, Any] = dict(parsed)
        for name, choices in self._choices.items():
            read[name] = read[name].strip().lower()
            if read[name] not in choices:
                raise Reject("invalid_choice", f"{name} must be one of {', '.join(choices)}")
        if read["supported"] != "yes":  # then it has nothing to quote
            return read | {"evidence_start": None}, parsed
        passage = str(record.fields["passage"])
        if self._stage.mistake:
            read["right_span"] = self._against(read, passage, str(named["mistake"]))
            if read["right_span"] != NOTHING:
                if contrast(read["right_span"], str(named["answer"])).numbers_removed:
                    return read | {"supported": "no", "evidence_start": None}, parsed
                # A small model writes the evidence in the answer's words; the words that decide are evidence enough.
                if find_quote(read["evidence"], passage) is None:
                    read["evidence"] = read["right_span"]
        place = find_quote(read["evidence"], passage)
        if place is None:
            raise Reject("no_evidence", "the evidence does not stand in the passage; copy it word for word")
        return read | {"evidence_start": place[0]}, parsed

    def _against(self, read: Mapping[str, str], passage: str, mistake: str) -> str:
        """The words of the passage that stand against the mistake, or NOTHING. Numbers in them that the right answer
        lacks are against that one, too, whatever the judge says (`_read`)."""
        wrong, right = read["wrong_span"], read["right_span"]
        if right.strip(" .").lower() == NOTHING:
            return NOTHING
        if find_quote(wrong, mistake) is None:
            raise Reject("no_span", "wrong_span does not stand in the false answer; copy it word for word")
        if find_quote(right, passage) is None:
            raise Reject("no_evidence", "right_span does not stand in the passage; copy it word for word")
        return NOTHING if contrast(wrong, right).substance == 0 else right
