"""The monitor's folder. Whatever moment a process is killed at, no answer is lost and none gives rows twice.

    buffer.jsonl                       answers since the last file, one line each, on the disk before the training goes on
    undecided.jsonl                    answers that nobody could grade
    plan.json                          how the next file is made, as the config of the last training says
    batches/STEM/failures.jsonl        was `buffer.jsonl` until the rename that decided that a file is made of it
    batches/STEM/batch.json            how it is made; all that follows can be made again from these two, and the batches before
    batches/STEM/inputs/               those of its answers that its rows are made of
    STEM.jsonl, STEM.json              the rows, and their metadata, which is written last: without it the batch is open. Of
                                       a batch that gives no row there is only the metadata, which says why

A batch is therefore either in the buffer or decided, and what is decided has one name for ever.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import InputError
from augment_correction.failures import Failure, read_failures
from augment_correction.folders import private_folder, to_disk
from augment_correction.store import RunFolder
from augment_correction.store.json_files import write_json

EXAMPLES_OF_A_WRONG_ANSWER = 3
"""Self-evaluation, correction, and the question with its right answer."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One decided file: its folder is `batches/STEM`."""

    root: Path
    stem: str

    @property
    def folder(self) -> Path:
        return self.root / "batches" / self.stem

    @property
    def failures(self) -> Path:
        return self.folder / "failures.jsonl"

    @property
    def plan(self) -> Path:
        return self.folder / "batch.json"

    @property
    def chosen(self) -> Path:
        """Its answers that rows are made of: there once the rows were begun."""
        return chosen_file(self.folder)

    @property
    def rows(self) -> Path:
        return self.root / f"{self.stem}.jsonl"

    @property
    def metadata(self) -> Path:
        return self.root / f"{self.stem}.json"


def chosen_file(folder: Path) -> Path:
    return folder / "inputs" / "failures.jsonl"


@dataclass(frozen=True, slots=True)
class MonitorStore:
    """`data/self_correction` of one training."""

    root: Path

    @property
    def buffer(self) -> Path:
        return self.root / "buffer.jsonl"

    @property
    def undecided(self) -> Path:
        return self.root / "undecided.jsonl"

    @property
    def plan(self) -> Path:
        return self.root / "plan.json"

    @property
    def log(self) -> Path:
        return self.root / "monitor.log"

    @contextmanager
    def held(self) -> Iterator[None]:
        """By one training at a time; what a kill left half written is taken off.

        Raises: InputError where it cannot be written, or another training's monitor is there.
        """
        with ExitStack() as held:
            try:
                held.enter_context(RunFolder(self.root).held())
            except InputError as failure:
                remedy = "wait for the other training, or give this one a data_dir of its own"
                raise InputError(failure.message, hint=remedy) from None
            for path in (self.buffer, self.undecided):
                _mend(path)
            yield

    @contextmanager
    def making(self) -> Iterator[None]:
        """By one process at a time, others wait: that of a killed training may still be at it."""
        private_folder(self.root)
        with (self.root / ".making").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # -------------------------------------------------------------------------------------------- what comes in

    def add(self, failures: Iterable[Failure]) -> None:
        """All on the disk when this returns, or none. Raises: OSError, where the disk is full among others."""
        decided: list[bytes] = []
        undecided: list[bytes] = []
        for each in failures:
            (undecided if each.verdict == "undecided" else decided).append(each.line())
        chosen = {
            path: b"".join(lines) for path, lines in ((self.buffer, decided), (self.undecided, undecided)) if lines
        }
        before = {path: path.stat().st_size if path.exists() else 0 for path in chosen}
        try:
            for path, data in chosen.items():
                _append(path, data)
        except OSError:
            for path, size in before.items():
                if path.exists():
                    os.truncate(path, size)
            raise

    def examples(self) -> int:
        """Of the buffer, without answers that an earlier file has; rows about right ones come on top."""
        wrong = {each.id for each in read_failures(self.buffer) if each.verdict == "wrong"}
        if wrong:
            wrong -= {each.id for batch in self.batches() for each in read_failures(batch.failures)}
        return EXAMPLES_OF_A_WRONG_ANSWER * len(wrong)

    def decided(self) -> Iterator[Failure]:
        """Every answer that was ever graded, those of old batches first."""
        for batch in self.batches():
            yield from read_failures(batch.failures)
        yield from read_failures(self.buffer)

    def filed(self, but: Batch | None = None) -> Iterator[Failure]:
        """Answers that files were made of, all `but` this one's: a later one is made first where this one failed."""
        for batch in self.batches():
            if batch != but:
                yield from read_failures(batch.chosen)

    def used(self) -> Counter[str]:
        """How often each item was asked, by its id."""
        seen = Counter(each.item for each in self.decided())
        seen.update(each.item for each in read_failures(self.undecided))
        return seen

    # ------------------------------------------------------------------------------------------ what is decided

    def close_buffer(self, stem: str, plan: dict[str, Any]) -> Batch:
        """The rename is the decision; what comes in from now on is of the next file."""
        batch = Batch(self.root, stem)
        write_json(batch.plan, plan)
        self.buffer.rename(batch.failures)
        for folder in (batch.folder, self.root):
            to_disk(folder)
        return batch

    def batches(self) -> list[Batch]:
        """In the order in which they were decided."""
        found = (Batch(self.root, path.parent.name) for path in (self.root / "batches").glob("*/failures.jsonl"))

        def place(batch: Batch) -> tuple[str, int, str]:
            plan = read_json(batch.plan)
            return plan["timestamp"], plan.get("step", 0), batch.stem

        return sorted(found, key=place)

    def open_batches(self) -> list[Batch]:
        return [batch for batch in self.batches() if not batch.metadata.exists()]


def read_json(path: Path) -> dict[str, Any]:
    """Raises: InputError."""
    try:
        found: dict[str, Any] = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as failure:
        raise InputError(f"{path} cannot be read: {failure}") from None
    return found


def _append(path: Path, data: bytes) -> None:
    new = not path.exists()
    with path.open("ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if new:
        to_disk(path.parent)


def _mend(path: Path) -> None:
    """A kill in the middle of a write leaves a line without its end: that answer was never kept."""
    if path.exists():
        whole = path.read_bytes().rpartition(b"\n")
        if whole[2]:
            os.truncate(path, len(whole[0]) + len(whole[1]))
