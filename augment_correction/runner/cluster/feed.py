"""From the driver to Ray Data: batches of passages as files, read by a task that follows the driver.

Through files and not through the driver's memory, since Ray may run the reading task again. It runs on the driver's
node, so that no other machine has to see a file that has just been written; the passages reach the actors through
Ray's object store, which holds the task back while they are busy.
"""

from __future__ import annotations

import asyncio
import itertools
import pickle
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from ray.data import Datasource, ReadTask
from ray.data.block import BlockMetadata

from augment_correction.runner.source import Placed

POLL = 0.02
_END = "end"


@dataclass
class Feed:
    """The driver's end. At most `ahead` batches are out at once: that bounds the files, too."""

    folder: Path
    ahead: int
    _out: int = 0
    _made: int = 0
    _closed: bool = False
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def begin(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    async def put(self, passages: Sequence[Placed]) -> None:
        """Hand out a batch when there is room; once closed it is dropped."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._out < self.ahead or self._closed)
            if self._closed:
                return
            _write(self.folder / str(self._made), pickle.dumps(list(passages), protocol=5))
            self._made += 1
            self._out += 1

    async def came_back(self, batch: int) -> None:
        (self.folder / str(batch)).unlink(missing_ok=True)
        async with self._changed:
            self._out -= 1
            self._changed.notify_all()

    async def close(self) -> None:
        """No more batches: the reading task ends behind the last one."""
        async with self._changed:
            if not self._closed:
                self._closed = True
                _write(self.folder / _END, str(self._made).encode())
            self._changed.notify_all()


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


class Passages(Datasource):  # type: ignore[misc, unused-ignore]
    """Ray Data's end. A row is a whole batch (`number`, `passages` pickled), and each row is a block of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[ReadTask]:
        """One task: the order of reading is the driver's."""
        folder = self._folder
        metadata = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(lambda: _batches(folder), metadata)]


def _batches(folder: Path) -> Iterator[pa.Table]:
    """A batch that has come back is an empty one when the task runs again: its place among the blocks must stay."""
    for number in itertools.count():
        while not (path := folder / str(number)).exists():
            last = _last(folder)
            if last is not None and number >= last:
                return
            if last is not None or _is_past(folder, number):
                break
            time.sleep(POLL)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            data = pickle.dumps([])
        yield pa.table({"number": [number], "passages": pa.array([data], pa.large_binary())})


def _last(folder: Path) -> int | None:
    try:
        return int((folder / _END).read_bytes())
    except FileNotFoundError:
        return None


def _is_past(folder: Path, number: int) -> bool:
    """Whether a later batch exists, so that this one has come back and was removed."""
    return any(path.name.isdigit() and int(path.name) > number for path in folder.iterdir())
