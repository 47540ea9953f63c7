"""Passages on their way from the driver to the actors: each batch is a file in the run's folder, and an actor is told its number.

Neither Ray nor the driver's memory carries texts. Another actor finds the file where the one that had it has died; it is
removed when its batch has come back.
"""

from __future__ import annotations

import asyncio
import pickle
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from augment_correction.runner.source import Placed

_WAITS = (0.1, 0.4, 1.5, 4.0)
"""Seconds: a network filesystem may show a new file to another machine only when it has forgotten what was there before."""


@dataclass
class Feed:
    folder: Path
    _made: int = 0

    def begin(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def write(self, passages: Sequence[Placed]) -> int:
        """The number of the batch."""
        number = self._made
        self._made += 1
        (self.folder / str(number)).write_bytes(pickle.dumps(passages, protocol=5))
        return number

    async def read(self, number: int) -> list[Placed]:
        """Raises: OSError where this machine does not see the file."""
        path = self.folder / str(number)
        for seconds in _WAITS:
            if path.exists():
                break
            await asyncio.sleep(seconds)
        passages: list[Placed] = pickle.loads(path.read_bytes())
        return passages

    def remove(self, number: int) -> None:
        (self.folder / str(number)).unlink(missing_ok=True)
