"""Every path of a run, written atomically, held by one process at a time, readable by its owner alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from augment_correction.errors import InputError
from augment_correction.folders import new_file, private_folder, to_disk
from augment_correction.locks import hold, is_held

OURS_ALONE = ("journal.", ".", "logs", "journals", "earlier")
"""What begins so in a run's folder is no file that is made there, or changes while nothing is made."""
TOKENS = "_model_tokens.json"


@dataclass(frozen=True)
class RunFolder:
    root: Path

    @property
    def journal(self) -> Path:
        return self.root / "journal.sqlite"

    @property
    def journals(self) -> Path:
        """One journal per actor of a run on a cluster; empty or absent between runs."""
        return self.root / "journals"

    @property
    def passages(self) -> Path:
        """Batches of passages that actors are working on."""
        return self.journals / "passages"

    @property
    def dataset(self) -> Path:
        return self.root / "axolotl_correction_conversations.json"

    @property
    def rejected(self) -> Path:
        return self.root / "rejected.jsonl"

    @property
    def gate(self) -> Path:
        """Read back by every later run: what stands there stays there."""
        return self.root / "gate.jsonl"

    @property
    def decisions(self) -> Path:
        """What a person decided about the conversations; only ever appended to."""
        return self.root / "decisions.jsonl"

    @property
    def decontamination(self) -> Path:
        return self.root / "decontamination.json"

    @property
    def debug(self) -> Path:
        return self.root / "debug_outputs"

    @property
    def meta_dataset(self) -> Path:
        return self.root / "meta_datagen" / "meta_dataset.jsonl"

    @property
    def axolotl_config(self) -> Path:
        return self.root / "axolotl_lora.yaml"

    def axolotl_configs(self) -> list[Path]:
        """Those that are there: the one for a single GPU and its variants."""
        return sorted(self.root.glob(f"{self.axolotl_config.stem}*{self.axolotl_config.suffix}"))

    @property
    def exports(self) -> Path:
        """A folder per format."""
        return self.root / "exports"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def report_data(self) -> Path:
        """The rows of the report, in parts that are named by their content."""
        return self.root / "report_data"

    @property
    def earlier(self) -> Path:
        """What other runs left here for a trainer, a numbered folder each."""
        return self.root / "earlier"

    @property
    def manifest(self) -> Path:
        return self.root / "run.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def tokens(self, role: str) -> Path:
        return self.root / f"{role}{TOKENS}"

    @property
    def copied(self) -> Path:
        """What of the files was copied to which address."""
        return self.root / ".copied.jsonl"

    def products(self) -> list[str]:
        """Those that are there, by their posix paths below the root, sorted: what others read, and what this run or an earlier one left
        for a trainer. What lies behind a link is no file of the run, nor is what a trainer or anybody else has put here."""
        found = [
            *(self.dataset, self.rejected, self.gate, self.decisions, self.decontamination, self.report, self.manifest),
            *(*self.axolotl_configs(), *self.root.glob(f"*{TOKENS}")),
            *(path for folder in (self.exports, self.report_data, self.meta_dataset.parent, self.earlier) for path in _below(folder)),
        ]  # fmt: skip
        return sorted(
            path.relative_to(self.root).as_posix() for path in found if path.is_file() and not path.is_symlink()
        )

    def sets(self) -> list[str]:
        """The folders whose files belong together, by their posix paths: made anew, such a folder has no file of before."""
        folders = [self.report_data, *self.exports.glob("[!.]*")]
        return sorted(path.relative_to(self.root).as_posix() for path in folders if path.is_dir())

    @property
    def _lock(self) -> Path:
        return self.root / ".lock"

    def busy(self) -> bool:
        """Whether a process holds it at this moment."""
        try:
            with self._lock.open() as lock:
                return is_held(lock, self._lock)
        except FileNotFoundError:
            return False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Create the folder and lock it for this process; the lock ends with the process, however it ends.

        Raises: InputError where it cannot be written, or another run holds it.
        """
        try:
            private_folder(self.root)
            with TemporaryFile(dir=self.root):
                pass  # files of an earlier run may be open to us in a folder that is not
            lock = self._lock.open("a+")
        except OSError as failure:
            raise InputError(
                f"the output folder {self.root} cannot be written: {failure.strerror}",
                hint="set path.output_dir to a folder that you can write to",
            ) from None
        with lock:
            if not hold(lock, self._lock):
                raise InputError(
                    f"another run is writing to {self.root}",
                    hint="wait until it has finished, or set another path.output_dir",
                )
            yield


def _below(folder: Path) -> Iterator[Path]:
    """Its files, without hidden ones."""
    for place, folders, files in os.walk(folder) if not folder.is_symlink() else ():
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in files if not name.startswith("."))


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears whole or not at all: written beside `path`, fsynced, renamed over it."""
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with new_file(temporary) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    to_disk(path.parent)
