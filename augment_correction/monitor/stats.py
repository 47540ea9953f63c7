"""What lies in a monitor's folder: its files and their metadata, what is still to be made, what waits in the buffer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from augment_correction.failures import read_failures
from augment_correction.monitor.keeping import Batch, MonitorStore, read_json


@dataclass(frozen=True)
class Stats:
    files: list[tuple[Batch, dict[str, Any]]]
    """Each file that was made, with its metadata."""
    open: list[str]
    """Decided and not made: `monitor finish` makes them."""
    buffered: Counter[str]
    """Verdicts in the buffer."""
    examples: int
    undecided: int
    codes: Counter[str]
    """Patterns over everything that was ever graded."""

    def as_json(self) -> dict[str, Any]:
        return {
            "files": [{"file": str(batch.rows), **metadata} for batch, metadata in self.files],
            "open": self.open,
            "buffer": {**self.buffered, "examples": self.examples},
            "undecided": self.undecided,
            "codes": dict(self.codes.most_common()),
        }


def collect(keep: MonitorStore) -> Stats:
    return Stats(
        [(batch, read_json(batch.metadata)) for batch in keep.batches() if batch.metadata.exists()],
        [batch.stem for batch in keep.open_batches()],
        Counter(each.verdict for each in read_failures(keep.buffer)),
        keep.examples(),
        sum(1 for _ in read_failures(keep.undecided)),
        Counter(pattern for each in keep.decided() for pattern in each.patterns),
    )
