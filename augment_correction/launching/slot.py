"""The one place where a training (or its check or gate) runs, held by the running processes themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from augment_correction.launching.process_id import ProcessId
from augment_correction.locks import hold, is_held


@dataclass(frozen=True)
class Launch:
    """One start of a command; its files are named by a number that no other start of the job has."""

    folder: Path
    phase: str
    number: int

    @property
    def process_file(self) -> Path:
        return self.folder / f"{self.phase}_{self.number}.process"

    @property
    def exit_file(self) -> Path:
        return self.folder / f"{self.phase}_{self.number}.exit"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.phase}.log"

    @property
    def code(self) -> int | None:
        """None where nobody was there to see the end, or there is none yet."""
        return int(self.exit_file.read_text()) if self.exit_file.is_file() else None

    def signal(self, number: signal.Signals) -> bool:
        """To the whole process group; False where it cannot be told who that is, or it is gone."""
        process = ProcessId.read(self.process_file)
        # A group keeps its first process's id from being given away, so a missing process is as safe as a living one.
        if process is None or not process.here or process.recycled:
            return False
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True


class Slot:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def busy(self) -> bool:
        if self._child is not None and self._child.poll() is not None:
            self._child = None
        descriptor = self._open()
        try:
            return is_held(descriptor, self._path)
        finally:
            os.close(descriptor)

    def start(self, command: Sequence[str], launch: Launch, cwd: Path) -> bool:
        """In a session of its own, so that neither the terminal nor the worker's end reaches it. False where the slot is
        held."""
        descriptor = self._open()
        supervisor = [sys.executable, "-m", "augment_correction.launching.supervisor"]
        try:
            if not hold(descriptor, self._path):
                return False
            with launch.log.open("ab") as log:
                self._child = subprocess.Popen(
                    [*supervisor, str(launch.process_file), str(launch.exit_file), *command],
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "PYTHONUNBUFFERED": "1"},
                    start_new_session=True,
                    pass_fds=[descriptor],
                )
        finally:
            os.close(descriptor)
        return True

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
