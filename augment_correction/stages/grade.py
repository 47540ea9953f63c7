from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from augment_correction.declarations import KIND, GradeStage
from augment_correction.errors import Reject
from augment_correction.grading import grade
from augment_correction.grading.text import normal
from augment_correction.parsing import read_verdict
from augment_correction.records import Attempt, Record
from augment_correction.stages.base import StageContext, Tools, neutral, with_fields
from augment_correction.stages.model_call import ModelCall, text_schema

RIGHT, WRONG = "right", "wrong"


class GradeAttempts:
    """Sort the attempts by the reference; the most frequent wrong one and the most frequent right one go on."""

    def __init__(self, stage: GradeStage, context: StageContext) -> None:
        self._stage = stage
        schema = text_schema(stage.reply_fields, verdict=[RIGHT, WRONG])
        self._call = ModelCall(stage, context, "json", schema)

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        groups: dict[str, list[Attempt]] = {}
        for attempt in record.fields["attempts"]:
            groups.setdefault(normal(attempt.text), []).append(attempt)
        sides: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        for text, same in groups.items():
            sides[await self._is_right(same[0], record, tools)][text] += len(same)
        rights, wrongs = sides[True].total(), sides[False].total()
        share = rights / (rights + wrongs)
        if not wrongs and self._stage.always_right == "drop":
            raise Reject(
                "always_right", "the model answers this question right every time: it has nothing to learn here"
            )
        made = []
        for right, kind in ((False, self._stage.wrong), (True, self._stage.right)):
            if sides[right]:
                text = sides[right].most_common(1)[0][0]
                made.append(_made(record, groups[text][0], kind, share))
        if not wrongs and self._stage.always_right == "gate":
            made = [with_fields(each, {"split": "gate"}) for each in made]
        return made

    async def _is_right(self, attempt: Attempt, record: Record, tools: Tools) -> bool:
        question, reference = (str(record.fields[name]) for name in (self._stage.question, self._stage.reference))
        seen = grade(attempt.text, reference, question=question)
        if seen.right is not None:
            return seen.right
        named = {"question": question, "reference": reference, "attempt": neutral(attempt.text)}
        return await self._call.ask(record, tools, _read, named)


def _read(reply: str) -> tuple[bool, Mapping[str, Any]]:
    right, reason = read_verdict(reply, RIGHT, WRONG)
    return right, {"verdict": RIGHT if right else WRONG, "reason": reason}


def _made(record: Record, attempt: Attempt, kind: str, share: float) -> Record:
    fields = {KIND: kind, "first_answer": attempt.text, "origin": "target_model", "right_share": share}
    return with_fields(record, {**fields, "attempt": asdict(attempt)})
