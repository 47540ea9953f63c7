"""What an experiment needs of models, and nothing of how they are run: measuring, writing examples, training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from augment_correction.experiment.weak import Looked, Observed
from augment_correction.records import Conversation
from augment_correction.rows import Item


@dataclass(frozen=True, slots=True)
class Source:
    """An item that training data are made from: `variations` of them, numbered from `first`."""

    looked: Looked
    variations: int
    first: int = 0

    @property
    def item(self) -> Item:
        return self.looked.item

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + self.variations)


@dataclass(frozen=True, slots=True)
class Example:
    """A training row; `number` is that of the variation of the item `source`, None for the item itself. `tokens` are trained ones
    (of the student's tokenizer), and `support` says how much of the answer stands in its source (0 to 1)."""

    conversation: Conversation
    source: str
    number: int | None
    tokens: int
    support: float = 1.0


@dataclass(frozen=True, slots=True)
class Generated:
    """`lost` counts what was asked for and not kept, by reason."""

    examples: tuple[Example, ...]
    lost: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Trained:
    """`adapter` is None where the training made nothing to take. `tokens` are those of one pass through the rows."""

    adapter: Path | None
    rows: int
    tokens: int
    steps: int
    seconds: float


class Operations(Protocol):
    """`measure` observes items under several models at once, by name; a model is an adapter on the student, None the student as
    it is. `train` returns when the training has ended."""

    def measure(
        self, models: Mapping[str, Path | None], items: Sequence[Item], *, passages: bool = False
    ) -> dict[str, Observed]: ...

    def generate(self, sources: Sequence[Source], number: int, held: Iterable[Item]) -> Generated: ...

    def plain(self, items: Sequence[Item]) -> list[Example]:
        """The items themselves as training rows."""

    def train(self, rows: Path, folder: Path, seed: int, epochs: float) -> Trained: ...

    def spending(self) -> dict[str, Any]: ...
