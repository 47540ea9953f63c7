"""The files of an experiment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from augment_correction.records import Conversation


@dataclass(frozen=True)
class Places:
    root: Path

    @property
    def result(self) -> Path:
        return self.root / "experiment.json"

    @property
    def page(self) -> Path:
        return self.root / "experiment.html"

    @property
    def weak_areas(self) -> Path:
        return self.root / "weak_areas.jsonl"

    @property
    def current(self) -> Path:
        """The pointer to the adapter that is to be used, and those before it."""
        return self.root / "current.json"

    @property
    def progress(self) -> Path:
        return self.root / "progress.json"

    @property
    def slot(self) -> Path:
        return self.root / ".slot"

    def set(self, name: str) -> Path:
        return self.root / "sets" / f"{name}.jsonl"

    def generated(self, number: int) -> Path:
        return self.root / "generated" / f"round_{number}"

    def rows(self, arm: str, number: int) -> Path:
        """What the arm trains on in that round, all accepted rounds before it included."""
        return self.root / "arms" / arm / "rows" / f"round_{number}.jsonl"

    def quarantine(self, arm: str, number: int) -> Path:
        return self.root / "quarantine" / f"round_{number}" / f"{arm}.jsonl"

    def training(self, arm: str, seed: int, number: int) -> Path:
        return self.root / "arms" / arm / f"seed_{seed}" / f"round_{number}"


def read_json(path: Path) -> Any:
    return orjson.loads(path.read_bytes()) if path.is_file() else None


def row_of(each: Conversation) -> dict[str, Any]:
    """In the spelling that `train --data` reads."""
    said = [
        {"role": turn.role, "content": turn.text, "train": turn.train, "masked": turn.masked} for turn in each.turns
    ]
    return {"messages": said, "id": each.id, "kind": each.kind}
