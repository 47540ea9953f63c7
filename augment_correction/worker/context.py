"""What every part of the worker works with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from augment_correction.worker.config import WorkerConfig
from augment_correction.worker.folder import WorkerFolder
from augment_correction.worker.jobs import Job, Jobs
from augment_correction.worker.log import Log


def free_gb(folder: Path) -> float:
    return shutil.disk_usage(folder).free / 1e9


@dataclass
class WorkerContext:
    config: WorkerConfig
    free: Callable[[Path], float] = free_gb
    places: WorkerFolder = field(init=False)
    jobs: Jobs = field(init=False)
    log: Log = field(init=False)
    _told: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self.places = WorkerFolder(self.config.root)
        self.places.make()
        self.jobs = Jobs(self.places.database)
        self.log = Log(self.places.logs)

    def say(self, job: Job, text: str) -> None:
        self.log.say(f"Self-Correction: job {job.id} ({job.original}) {text}")

    def say_once(self, text: str) -> None:
        """A state that lasts is told when it begins."""
        if text != self._told:
            self.log.say(text)
        self._told = text
