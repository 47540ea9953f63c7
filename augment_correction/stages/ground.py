from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from augment_correction.errors import Reject
from augment_correction.grading import contrast
from augment_correction.parsing import read_json
from augment_correction.pipeline import ErrorType, GroundStage
from augment_correction.records import Record
from augment_correction.stages.asking import Question, text_schema
from augment_correction.stages.base import Surroundings, Tools, with_fields, with_scores
from augment_correction.stages.quotes import find_quote

SUPPORT: Mapping[str, float] = {"yes": 1.0, "partly": 0.5, "no": 0.0}
NOTHING = "nothing"
"""What a judge answers where the passage says nothing against the mistake. It is asked for words and not for a yes: a
model of 1.5 billion parameters named the right words every time, and said "no" to whether they contradict."""


class Ground:
    """Keep the record if the passage supports the answer and stands against the mistake, by quotes that really stand
    there."""

    def __init__(self, stage: GroundStage, around: Surroundings) -> None:
        self._stage = stage
        self._choices: dict[str, list[str]] = {"supported": list(SUPPORT)}
        if stage.mistake:
            self._choices["error_type"] = list(get_args(ErrorType))
        self._question = Question(stage, around, "json", text_schema(stage.reply_fields, **self._choices))

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        named = {name: record.fields[field] for name, field in self._stage.named.items()}
        found = await self._question.ask(record, tools, lambda reply: self._read(reply, record, named), named)
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
        place = find_quote(read["evidence"], record.fields["passage"])
        # A judge that finds no support has nothing to quote.
        if place is None and read["supported"] == "yes":
            raise Reject("no_evidence", "the evidence does not stand in the passage; copy it word for word")
        read["evidence_start"] = place[0] if place else None
        if self._stage.mistake and read["supported"] == "yes":
            read["right_span"] = self._against(read, str(record.fields["passage"]), str(named["mistake"]))
        return read, parsed

    def _against(self, read: Mapping[str, str], passage: str, mistake: str) -> str:
        """The words of the passage that stand against the mistake, or NOTHING."""
        wrong, right = read["wrong_span"], read["right_span"]
        if right.strip(" .").lower() == NOTHING:
            return NOTHING
        if find_quote(wrong, mistake) is None:
            raise Reject("no_span", "wrong_span does not stand in the false answer; copy it word for word")
        if find_quote(right, passage) is None:
            raise Reject("no_evidence", "right_span does not stand in the passage; copy it word for word")
        return NOTHING if contrast(wrong, right).substance == 0 else right
