"""What a run has made, from its folder to an address: only what is another than what was copied there before.

The record of it is a hidden file of the run's folder: of each file its SHA-256, noted when it has arrived. The folder itself is read
and never changed, so that a copy that fails loses nothing. `run.json` goes last, as it is written last: where it lies, the rest does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event, Lock

from augment_correction.remote.at_once import Meter, Report, each_at_once, silent
from augment_correction.remote.push import Push
from augment_correction.remote.record import Record
from augment_correction.remote.storage import Storage

LARGE = 20_000_000
"""Bytes. Filesystems read a file into memory before it is sent, or much of it: of larger ones that is done for one at a time."""
_ONE_LARGE = Lock()


def copy_folder(
    root: Path,
    names: Sequence[str],
    address: str,
    record: Path,
    *,
    last: str = "",
    dry_run: bool = False,
    report: Report = silent,
    stop: Event | None = None,
) -> Push:
    """Copy the files `names` below `root` (posix paths); `last` when all others have arrived. What by the `record` an earlier copy has
    brought, and is no longer below `root`, is removed there; other objects are left alone. `dry_run`: only tell what would be done.

    Raises: InputError where the address cannot be written to; Stopped.
    """
    stop, storage = stop or Event(), Storage.at(address)
    report(f"listing {storage.address}", 0, 0)
    there = storage.objects()
    with Record(record).open() as done:
        due, unchanged = list[tuple[str, int, str]](), 0
        for name in names:
            size, digest = _looked_at(root / name)
            stored = there.get(name)
            same = stored is not None and stored.size in (size, None)
            if same and done.entries.get(f"{storage.address}/{name}") == [size, digest]:
                unchanged += 1
            else:
                due.append((name, size, digest))
        brought = (name for name in there if f"{storage.address}/{name}" in done.entries)
        gone = sorted(name for name in brought if not (root / name).exists())
        push = Push(storage.address, [(name, size) for name, size, _ in due], unchanged, gone)
        if dry_run:
            return replace(push, withheld="--dry-run")
        meter = Meter(f"copying to {storage.address}", len(due), push.size, report, stop)
        one = partial(_put, storage, root, done, meter)
        for part in ([each for each in due if each[0] != last], [each for each in due if each[0] == last]):
            for _ in each_at_once(one, part, stop):
                pass
            for name in gone:
                storage.remove(name)
                done.note(f"{storage.address}/{name}", None)
            gone = []
    return replace(push, url=storage.address)


def _looked_at(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def _put(storage: Storage, root: Path, record: Record, meter: Meter, each: tuple[str, int, str]) -> None:
    name, size, digest = each
    meter.add(0)
    record.note(f"{storage.address}/{name}", [size, ""])  # until it has arrived, nobody knows what lies there
    with _ONE_LARGE if size > LARGE else nullcontext():
        storage.put(root / name, name, meter.add)
    record.note(f"{storage.address}/{name}", [size, digest])
    meter.file_done()
