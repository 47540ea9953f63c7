"""Copies what a run has made from its folder to an address. Files that have not changed since the last copy are not sent again.

A hidden file in the run's folder records what was copied: the size, the SHA-256 and the mark (ETag by the storage) of each file, noted as
soon as it has arrived. Otherwise the folder is only read, so that a copy that fails loses nothing. `run.json` is sent last, as it is
written last: if it is at the address, so are the other files. At the address, a newer file replaces one of the same name, and the
remains of a set of files that was made anew are removed; all else stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event, Lock

from augment_correction.remote.at_once import Meter, Report, Stopped, each_at_once, silent, unless_stopped
from augment_correction.remote.push import Push
from augment_correction.remote.record import TransferRecord
from augment_correction.remote.storage import Storage, Stored

LARGE = 20_000_000
"""Bytes. Some filesystems of fsspec read all or much of a file into memory before they send it. So larger files are sent one at a time."""
_ONE_LARGE = Lock()
_BLOCK = 1 << 20


def copy_folder(
    root: Path,
    names: Sequence[str],
    address: str,
    record: Path,
    *,
    sets: Sequence[str] = (),
    last: str = "",
    dry_run: bool = False,
    report: Report = silent,
    stop: Event | None = None,
) -> Push:
    """Copy the files `names` (posix paths below `root`); the file `last` follows when all others have arrived.

    `sets` are folders whose files belong together. If a file of such a folder is sent, then those objects in it are removed in the end
    that an earlier copy has brought (by the `record`) and that are not among `names` any more. All other objects are left alone.
    With `dry_run`, nothing is done and the result says what would be.

    Raises: InputError if the address cannot be written to; Stopped.
    """
    stop, storage = stop or Event(), Storage.at(address)
    report(f"listing {storage.address}", 0, 0)
    there = unless_stopped(storage.objects, stop)
    with TransferRecord(record).open() as done:
        due, unchanged = list[tuple[str, int, str]](), 0
        for name in names:
            size, digest = _looked_at(root / name, stop)
            alone = partial(unless_stopped, partial(storage.mark_of, name), stop)
            if _arrived(done.entries.get(f"{storage.address}/{name}"), size, digest, there.get(name), alone):
                unchanged += 1
            else:
                due.append((name, size, digest))
        gone = sorted(_remains(storage, done, there, names, sets, {name for name, *_ in due}))
        push = Push(storage.address, [(name, size) for name, size, _ in due], unchanged, gone)
        if dry_run:
            return replace(push, withheld="--dry-run")
        for name in gone:  # if this copy is stopped before it removes them, the next one does
            done.note(f"{storage.address}/{name}", [there[name].size, "", there[name].mark])
        meter = Meter(f"copying to {storage.address}", len(due), push.size, report, stop)
        one = partial(_put, storage, root, done, meter, stop)
        for part in ([each for each in due if each[0] != last], [each for each in due if each[0] == last]):
            for _ in each_at_once(one, part, stop):
                pass
        for name in gone:
            unless_stopped(partial(storage.remove, name), stop)
            done.note(f"{storage.address}/{name}", None)
        _note_marks(storage, done, names, {name for name, *_ in due}, stop)
    return replace(push, url=storage.address)


def _looked_at(path: Path, stop: Event) -> tuple[int, str]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if stop.is_set():
                raise Stopped
            digest.update(block)
        return file.tell(), digest.hexdigest()


def _arrived(
    entry: Sequence[object] | None, size: int, digest: str, stored: Stored | None, alone: Callable[[], str | None]
) -> bool:
    """Whether the object at the address is this very file. `alone` asks for the mark of this one object: a copy that was stopped has noted
    marks as they are told of single objects. If it was stopped before that, it has noted none, and the object's size has to do."""
    if entry is None or stored is None or stored.size not in (size, None) or [*entry[:2]] != [size, digest]:
        return False
    return entry[2] in (stored.mark, None) or entry[2] == alone()


def _remains(
    storage: Storage,
    record: TransferRecord,
    there: Mapping[str, Stored],
    names: Sequence[str],
    sets: Sequence[str],
    due: set[str],
) -> Iterator[str]:
    """The objects to be removed: earlier copies have brought them into a set that is sent anew, they are no part of it any more, and nobody
    has replaced them since."""
    for folder in sets:
        here = {name for name in names if name.startswith(f"{folder}/")}
        for name in there if here else ():
            entry = record.entries.get(f"{storage.address}/{name}")
            if entry is None or name in here or not name.startswith(f"{folder}/"):
                continue
            _, digest, mark = entry
            if mark is not None and mark == there[name].mark and (not digest or due & here):
                yield name


def _put(
    storage: Storage, root: Path, record: TransferRecord, meter: Meter, stop: Event, each: tuple[str, int, str]
) -> None:
    name, size, digest = each
    entry = f"{storage.address}/{name}"
    with _ONE_LARGE if size > LARGE else nullcontext():
        meter.add(0)  # asked only when it is the file's turn: a copy may be stopped while many wait
        record.note(entry, [size, "", None])  # until it has arrived, it is not known what is there
        unless_stopped(partial(storage.put, root / name, name, meter.add), stop)
    record.note(entry, [size, digest, None])
    record.note(entry, [size, digest, unless_stopped(partial(storage.mark_of, name), stop)])
    meter.file_done()


def _note_marks(storage: Storage, record: TransferRecord, names: Sequence[str], sent: set[str], stop: Event) -> None:
    """Note the marks as one listing gives them, because the next copy compares them with a listing: asked for a single object, some storages
    write its mark in another way."""
    entries = {name: record.entries[f"{storage.address}/{name}"] for name in names}
    due = [name for name, (*_, mark) in entries.items() if mark is None or name in sent]
    there = unless_stopped(storage.objects, stop) if due else {}
    for name in due:
        if name in there and (mark := there[name].mark) is not None:
            size, digest, _ = entries[name]
            record.note(f"{storage.address}/{name}", [size, digest, mark])
