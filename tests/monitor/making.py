"""Questions, a model that only plays its part, and a clock that is moved by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from augment_correction.monitor.config import MonitorConfig
from augment_correction.monitor.observing import Observer
from augment_correction.monitor.sorting import RawReply
from augment_correction.rows import Item

TOWNS = ("Arnheim", "Bergen", "Calais", "Delft", "Evora", "Fulda", "Ghent", "Halle", "Ivrea", "Jena")
NAMES = ("Ada Lind", "Bo Quist", "Carla Voss", "Dag Wynn", "Eva Zech", "Finn Kjaer", "Gil Tams")
RIGHT: Callable[[Item], str] = lambda item: item.reference  # noqa: E731
WRONG: Callable[[Item], str] = lambda item: "Hugo Pommer."  # noqa: E731


def write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def split(path: Path, number: int = 60) -> Path:
    """Questions that are not like each other, each with a full name for an answer."""
    rows = [
        {"question": f"{index * 7919 % 997}: who was {TOWNS[index % 10]}'s mayor number {index}?",
         "reference": f"{NAMES[index % 7]}."}
        for index in range(number)
    ]  # fmt: skip
    return write_lines(path, rows)


@dataclass
class Stage:
    """An observer of a training that takes ten minutes a step."""

    root: Path
    keys: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    logged: list[dict[str, float]] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        if not (self.root / "split.jsonl").exists():
            split(self.root / "split.jsonl")

    @property
    def config(self) -> MonitorConfig:
        paths = {"split": "split.jsonl", "data_dir": "data", "queue_dir": "queue/normal"}
        return MonitorConfig.model_validate(
            {**{name: str(self.root / path) for name, path in paths.items()}, **self.keys}
        )

    def observer(self) -> Observer:
        made = Observer(
            self.config, self.said.append, self.logged.append, model="tiny",
            clock=lambda: self.now, now=lambda: datetime(2025, 11, 21, 14, 30, 22),
        )  # fmt: skip
        made.begin()
        return made

    def answers(self, wrong: int, seconds: float = 0.0) -> Callable[[Sequence[Item], float], list[RawReply | None]]:
        """The first `wrong` of an evaluation's answers are wrong."""

        def generate(items: Sequence[Item], allowed: float) -> list[RawReply | None]:
            self.now += seconds
            said = [WRONG(item) if index < wrong else RIGHT(item) for index, item in enumerate(items)]
            return [RawReply(text) for text in said]

        return generate

    def evaluate(self, observer: Observer, step: int, wrong: int) -> None:
        self.now = max(self.now, 600.0 * step)
        observer.observe(step, 10_000, self.answers(wrong))

    @property
    def data(self) -> Path:
        return self.root / "data"


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
