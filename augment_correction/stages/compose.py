from __future__ import annotations

from collections.abc import Sequence

from augment_correction.pipeline import ComposeStage, TurnSpec
from augment_correction.records import Conversation, Record, Turn, content_id
from augment_correction.stages.base import Surroundings, Tools, neutral, with_fields


class Compose:
    """Make the conversation out of the fields, and decide its loss mask once and for all."""

    def __init__(self, stage: ComposeStage, around: Surroundings) -> None:
        self.name = stage.name
        self._stage = stage
        self._correction_only = around.system.loss_on == "correction_only"

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        turns = tuple(
            Turn(spec.role, neutral(str(record.fields[spec.text]).strip()), self._trained(spec))
            for spec in self._stage.turns
        )
        conversation = Conversation(
            id=content_id(record.id, self._stage.kind, *(turn.text for turn in turns)),
            kind=self._stage.kind,
            turns=turns,
            train_scaffold=not self._correction_only,
        )
        return [with_fields(record, {"conversation": conversation})]

    def _trained(self, spec: TurnSpec) -> bool:
        return spec.is_ == "correction" if self._correction_only else spec.is_ != "mistake"
