"""What is trained on, as tokens, split and planned: what `prepare` makes and a training takes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError
from augment_correction.export import ChatTemplate, Tokenizer
from augment_correction.export.labelled import TokenRow
from augment_correction.export.segments import answer_end
from augment_correction.records import Conversation, content_id
from augment_correction.training.config import TrainConfig
from augment_correction.training.demonstrations import Demonstration
from augment_correction.training.gathering import Gathered
from augment_correction.training.schedule import Schedule


class NothingLeft(InputError):
    """`gathered` knows why, row by row."""

    def __init__(self, gathered: Gathered, message: str, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.gathered = gathered


@dataclass(frozen=True)
class Side:
    """Conversations beside their tokens."""

    conversations: Sequence[Conversation]
    rows: Sequence[TokenRow]

    @property
    def trained(self) -> int:
        return sum(row.trained for row in self.rows)

    @property
    def masked(self) -> int:
        return sum(len(row.ids) for row in self.rows) - self.trained


@dataclass(frozen=True)
class Prepared:
    """`folder` holds the base model; `base` names it by its weights, `adapter` both with the adapter to go on from.
    `ending` rows teach the model to stop."""

    config: TrainConfig
    folder: Path
    base: str
    adapter: str | None
    template: ChatTemplate
    tokenizer: Tokenizer
    gathered: Gathered
    train: Side
    held_out: Side
    retention: Side
    ending: int
    schedule: Schedule
    apart_by: str
    notices: list[str] = field(default_factory=list)

    @property
    def end_token(self) -> str | None:
        """The end of a turn where it is one control token of the model: what a server must stop at."""
        ending = answer_end(self.template).strip()
        return ending if self.tokenizer.is_special(ending) else None

    @cached_property
    def data_hash(self) -> str:
        digest = hashlib.sha256()
        for side in (self.train, self.held_out):
            digest.update(len(side.rows).to_bytes(8, "big"))
            for row in side.rows:
                digest.update(len(row.ids).to_bytes(8, "big") + row.ids.tobytes() + row.labels.tobytes())
        for each in self.demonstrations:
            digest.update(content_id(*(f"{message.role} {message.content}" for message in each.teacher)).encode())
        return digest.hexdigest()[:20]

    @property
    def demonstrations(self) -> list[Demonstration]:
        """Those of the trained rows, in their order; none where nothing is distilled."""
        known = self.gathered.demonstrations
        return [known[each.id] for each in self.train.conversations if each.id in known]

    @cached_property
    def decided(self) -> Mapping[str, Any]:
        """What two trainings must share for one to go on from the other's checkpoint."""
        names = ("epochs", "learning_rate", "warmup_share", "lora_r", "lora_alpha", "lora_dropout", "precision", "seed")
        chosen = {name: getattr(self.config, name) for name in names}
        rows_per_step = self.config.batch_size * self.config.gradient_accumulation
        return {
            "base_model": self.base,
            "adapter": self.adapter,
            "data": self.data_hash,
            "rows_per_step": rows_per_step,
            **chosen,
            **self._distilled,
        }

    @property
    def _distilled(self) -> dict[str, Any]:
        names = ("method", "max_completion_length") if self.config.distils else ()
        return {name: getattr(self.config, name) for name in names}
