"""What an experiment has come to so far: every phase reads it and writes into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from augment_correction.errors import AugmentCorrectionError, ExitCode
from augment_correction.experiment.config import ExperimentConfig
from augment_correction.experiment.deciding import BASE, Judged
from augment_correction.experiment.operations import Example, Operations
from augment_correction.experiment.places import Places
from augment_correction.experiment.sealing import Sets
from augment_correction.experiment.weak import Observed
from augment_correction.rows import Item

Say = Callable[[str, Mapping[str, Any]], None]
"""Given the name of what happened and its figures."""


class NothingWeak(AugmentCorrectionError):
    """There is nothing to train on: no error of the program, and no success (exit 3)."""

    exit_code = ExitCode.REJECTS


@dataclass
class Course:
    """What an experiment has come to so far. `rows` are what accepted rounds have left, by arm."""

    config: ExperimentConfig
    sets: Sets
    operations: Operations
    places: Places
    say: Say
    used: dict[str, int] = field(default_factory=dict)
    rows: dict[str, list[Example]] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    models: dict[str, Path | None] = field(default_factory=dict)
    current: str = BASE
    accepted: Sequence[Observed] = ()
    weak_dev: list[Item] = field(default_factory=list)
    weak: tuple[str, ...] = ()

    @property
    def level(self) -> float:
        return self.config.decision.alpha / self.config.iterations
