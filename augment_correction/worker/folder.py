"""The worker's folder: an inbox, a queue that a person can look at, and who may write to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.folders import private_folder, to_disk
from augment_correction.launching.process_id import ProcessId
from augment_correction.locks import hold

PRIORITIES = ("high", "normal", "low")
STATES = ("processing", "failed", "done")
MARKERS = ("pause", "stop")
REASON = ".reason.txt"


@dataclass(frozen=True)
class WorkerFolder:
    root: Path

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def queue(self) -> Path:
        return self.root / "queue"

    @property
    def adapters(self) -> Path:
        return self.root / "adapters"

    @property
    def current(self) -> Path:
        """A link to the adapter of the last accepted round; absent while that is the base model."""
        return self.root / "current"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def database(self) -> Path:
        return self.root / "worker.sqlite"

    @property
    def slot(self) -> Path:
        return self.root / ".slot"

    @property
    def _lock(self) -> Path:
        return self.root / ".lock"

    def marker(self, name: str) -> Path:
        return self.root / f".{name}"

    def job(self, id_: int) -> Path:
        return self.root / "jobs" / f"{id_:06}"

    def round(self, number: int) -> Path:
        return self.adapters / f"round_{number:04}"

    def reason(self, name: str) -> Path:
        return self.queue / "failed" / f"{name}{REASON}"

    def make(self) -> None:
        """Raises: InputError where the folder cannot be written."""
        try:
            private_folder(self.root)
            for folder in (self.inbox, self.adapters, self.logs, *(self.queue / name for name in PRIORITIES + STATES)):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise InputError(
                f"the worker's folder {self.root} cannot be written: {failure.strerror}",
                hint="set worker.root to a folder that you can write to",
            ) from None

    def found(self, name: str) -> Path | None:
        """Where in the queue the entry of that name lies."""
        folders = (self.queue / each for each in PRIORITIES + STATES)
        return next((folder / name for folder in folders if os.path.lexists(folder / name)), None)

    def put(self, name: str, folder: str) -> Path:
        """Move the entry into that folder of the queue, wherever in it it lies. Nothing is overwritten."""
        target = self.queue / folder / name
        source = self.found(name)
        if source is not None and not os.path.lexists(target):
            move(source, target)
        return target

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raises: InputError where another worker holds the folder."""
        self.make()
        with self._lock.open("a+") as lock:
            if not hold(lock, self._lock):
                raise InputError(
                    f"another worker is running on {self.root}",
                    hint="only one worker may run on a folder; `worker stop` ends it",
                )
            lock.truncate(0)
            lock.write(str(ProcessId.own()))
            lock.flush()
            try:
                yield
            finally:
                lock.truncate(0)

    def holder(self) -> ProcessId | None:
        """Who holds the folder, or did when it was killed."""
        try:
            return ProcessId.parse(self._lock.read_text("utf-8"))
        except (FileNotFoundError, ValueError):  # nobody, or somebody who is just writing it
            return None


def move(source: Path, target: Path) -> None:
    """A rename that a power cut does not undo."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    for folder in {source.parent, target.parent}:
        to_disk(folder)


def free_name(path: Path) -> Path:
    """`path`, or its first `name-2.ending` that is not there."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
