from __future__ import annotations

from collections.abc import Sequence

from augment_correction.declarations import ComposeStage, TurnSpec
from augment_correction.records import Conversation, Record, Turn, content_id
from augment_correction.stages.base import StageContext, Tools, neutral, with_fields

CARRIED = (
    "origin", "pushback", "scores", "evidence", "evidence_start", "wrong_span", "right_span", "error_type", "right_share", "attempt",
    "split", "codes", "category", "supported", "doubt_says",
)  # fmt: skip
"""Fields that stay with the conversation where a stage wrote them: who made the mistake, and what the checks found."""


class Compose:
    """Make the conversation out of the fields, and decide its loss mask once and for all."""

    def __init__(self, stage: ComposeStage, context: StageContext) -> None:
        self._stage = stage
        self._loss_on = context.system.loss_on

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        turns = tuple(self._turn(spec, record) for spec in self._stage.turns)
        conversation = Conversation(
            id=content_id(record.id, self._stage.kind, *(turn.text for turn in turns)),
            kind=self._stage.kind,
            turns=turns,
            train_scaffold=self._loss_on == "all_but_mistake",
            provenance=self._provenance(record),
        )
        return [with_fields(record, {"conversation": conversation})]

    def _turn(self, spec: TurnSpec, record: Record) -> Turn:
        """A space joins a mistake and what follows it in the same turn; it is the trained part's, since tokenizers join
        it to the word that follows."""
        text = _text(record, spec.text)
        mistake = _text(record, spec.after) if spec.after else ""
        return Turn(spec.role, f"{mistake} {text}" if mistake else text, self._trained(spec), masked=len(mistake))

    def _trained(self, spec: TurnSpec) -> bool:
        if self._loss_on == "correction_only":
            return spec.is_ == "correction"
        return spec.is_ != "mistake" and (spec.role == "assistant" or self._loss_on == "all_but_mistake")

    def _provenance(self, record: Record) -> dict[str, object]:
        carried = {name: record.fields[name] for name in CARRIED if name in record.fields}
        reference = {"reference": _text(record, self._stage.reference)} if self._stage.reference else {}
        return {"origin": "synthetic", **carried, **reference}


def _text(record: Record, field: str) -> str:
    return neutral(str(record.fields[field]).strip())
