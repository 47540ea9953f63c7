"""Keeps the documents of an address as files on this machine, where the readers find them. Only what has changed is fetched.

Each address has a folder of its own in the cache folder. In it, `copy/` holds the files under their names below the address, and
`fetched.jsonl` says with which mark each of them was listed. A file appears in `copy/` only when all of it has come, and is noted after
that: if the program is killed at any moment, the same command goes on from there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from threading import Event
from uuid import uuid4

from augment_correction.errors import InputError
from augment_correction.folders import cache_folder, private_folder, size_of, write_new
from augment_correction.locks import hold, take
from augment_correction.remote.at_once import Meter, Report, Stopped, each_at_once, silent, unless_stopped
from augment_correction.remote.failures import COMPARE, ObjectFailure, credentials_of
from augment_correction.remote.names import refused_names
from augment_correction.remote.record import TransferRecord
from augment_correction.remote.storage import Storage, Stored

ROOM_LEFT = 100_000_000
"""So many bytes of the disk stay free when documents are fetched."""


def copy_of(address: str) -> Path:
    """The path of what was fetched from an address: a folder with the last name of the address, or a file if the address is one object."""
    return _home(address) / "copy" / _last_name(address)


def _home(address: str) -> Path:
    return cache_folder() / "inputs" / hashlib.sha256(address.rstrip("/").encode()).hexdigest()[:16]


def _last_name(address: str) -> str:
    name = address.rstrip("/").rpartition("/")[2]
    return "input" if refused_names([name]) or name.startswith(".") else name


@dataclass(frozen=True)
class Mirrored:
    """What an address holds, and what was done about it. `files` is the number of documents, `size` that of the bytes of the `fetched`
    ones, and `left` counts files that have changed at the address but were not fetched, because another run reads the old ones.
    `refused` are objects that cannot be files here or could not be fetched, as (name, reason)."""

    address: str
    path: Path
    files: int
    fetched: int = 0
    size: int = 0
    removed: int = 0
    left: int = 0
    refused: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        more = f", {self.removed:,} removed" if self.removed else ""
        more += f", {len(self.refused):,} cannot be fetched" if self.refused else ""
        fetched = f"{self.fetched:,} fetched ({self.size:,} bytes)" if self.fetched else "nothing new to fetch"
        if self.left:
            fetched = (
                f"{self.left:,} have changed there and are not fetched, since another run reads the copy that is here: this run reads the same "
                "(with AUGMENT_CORRECTION_CACHE set to another folder it has a copy of its own)"
            )
        return f"{self.address}: {self.files:,} files, {fetched}{more}; they are read from {self.path}"


@dataclass
class Outlook:
    """What is to be done. The names are paths below `copy/`. `wanted` are the objects that are to be files here, `due` those of them that
    have to be fetched, `unread` are objects that no reader takes, and `refused` those that cannot be files, with the reasons."""

    wanted: dict[str, Stored] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    due: dict[str, Stored] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The bytes that are to be fetched, as far as the storage tells the sizes."""
        return sum(stored.size or 0 for stored in self.due.values())

    @property
    def unsized(self) -> int:
        """How many of the objects that are to be fetched have a size that the storage does not tell."""
        return sum(stored.size is None for stored in self.due.values())


class Mirror:
    """The copy of one address. `is_read` says of a file's name whether some reader takes it. Of other objects, an empty file of their name
    is written here and nothing is fetched, so that they are counted and listed like the unread files of any folder."""

    def __init__(self, address: str, is_read: Callable[[str], bool]) -> None:
        self._storage, self._is_read = Storage.at(address), is_read
        self.path, self._home, self._name = copy_of(address), _home(address), _last_name(address)

    def look(self, stop: Event) -> Outlook:
        """List the address and compare it with what is here.

        Raises: InputError if it cannot be listed or holds nothing; Stopped.
        """
        self._make_home()
        return self._compared(TransferRecord(self._home / "fetched.jsonl").entries, stop)

    def fetch(self, report: Report = silent, stop: Event | None = None, *, read: ExitStack | None = None) -> Mirrored:
        """Fetch what has changed, and remove what is no longer at the address. Only one process does this at a time, and none does while
        another run reads the files here. If `read` is given, the caller counts as such a run until `read` is closed.

        Raises: InputError if the address cannot be listed or reached any more, none of the objects can be fetched, or the disk is too
        small; Stopped.
        """
        stop = stop or Event()
        self._make_home()
        with self._held(report, stop), TransferRecord(self._home / "fetched.jsonl").open() as record:
            report(f"listing {self._storage.address}", 0, 0)
            outlook = self._compared(record.entries, stop)
            made = self._brought(outlook, record, report, stop)
            if read is not None:
                read.enter_context(self._readers(shared=True))
        return made

    def _brought(self, outlook: Outlook, record: TransferRecord, report: Report, stop: Event) -> Mirrored:
        """Do what the outlook says, or nothing if other runs read the files that would change."""
        others = [name for name in self._files() if name not in outlook.wanted and name not in outlook.unread]
        empty = [name for name in outlook.unread if size_of(self._place(name)) != 0]
        with self._readers(shared=False) as alone:
            if not alone and (changed := outlook.due.keys() | set(others) | set(empty)):
                here = len(list(self._files()))
                left = len(changed)
                return Mirrored(self._storage.address, self.path, here, left=left, refused=self._refused(outlook))
            self._remove(others)
            for name in empty:
                private_folder(self._place(name).parent)
                write_new(self._place(name), b"")
            self._check_room(outlook.size)
            total = 0 if outlook.unsized else outlook.size
            meter = Meter(f"fetching {self._storage.address}", len(outlook.due), total, report, stop)
            fetched, size, failed = 0, 0, None
            with self._parts() as parts:
                one = partial(self._fetch, parts=parts, record=record, meter=meter, stop=stop)
                for name, bytes_, failed in each_at_once(one, outlook.due.items(), stop):
                    fetched, size = fetched + (not failed), size + bytes_
                    if failed:
                        outlook.refused[name] = failed
        if outlook.due and outlook.due.keys() <= outlook.refused.keys() and len(outlook.due) == len(outlook.wanted):
            raise InputError(
                f"none of the {len(outlook.due):,} files of {self._storage.address} can be fetched: {failed}",
                hint=credentials_of(self._storage.address),
            )
        for name in record.entries.keys() - outlook.wanted.keys():
            record.note(name, None)
        files = len(outlook.wanted) + len(outlook.unread)
        return Mirrored(
            self._storage.address, self.path, files, fetched, size, len(others), refused=self._refused(outlook)
        )

    def _refused(self, outlook: Outlook) -> tuple[tuple[str, str], ...]:
        return tuple(sorted((self._source(name), why) for name, why in outlook.refused.items()))

    def _make_home(self) -> None:
        try:
            private_folder(self._home)
            with TemporaryFile(dir=self._home):
                pass
        except OSError as failure:
            raise InputError(
                f"the cache folder {self._home} cannot be written: {failure.strerror}",
                hint="point AUGMENT_CORRECTION_CACHE to a folder that you can write to",
            ) from None

    def _compared(self, entries: Mapping[str, list[object]], stop: Event) -> Outlook:
        objects = {
            f"{self._name}/{name}" if name else self._name: stored
            for name, stored in unless_stopped(self._storage.objects, stop).items()
            if not _is_hidden(name)
        }
        if not objects:
            raise InputError(f"{self._storage.address} holds no documents", hint=COMPARE)
        outlook = Outlook(refused=refused_names(objects, folds=self._folds_case()))
        for name, stored in objects.items():
            if name in outlook.refused:
                continue
            if not self._is_read(PurePosixPath(name).name):
                outlook.unread.add(name)
                continue
            outlook.wanted[name] = stored
            here = size_of(self._place(name))
            if stored.mark is None or here is None or entries.get(name) != [stored.mark, stored.size, here]:
                outlook.due[name] = stored
        return outlook

    def _fetch(
        self, named: tuple[str, Stored], parts: Path, record: TransferRecord, meter: Meter, stop: Event
    ) -> tuple[str, int, str | None]:
        """Returns (name, bytes, why it could not be fetched). If it could not be, the older file that was here is removed."""
        name, stored = named
        part, target = (
            parts / uuid4().hex,
            self._place(name),
        )  # a name that no other thread has, not even one that was given up and still runs
        meter.add(0)

        def came(count: int) -> None:
            meter.add(count)
            if stored.size is None:
                self._check_room(1)

        try:
            unless_stopped(partial(self._storage.fetch, stored, part, came), stop)
            private_folder(target.parent)
            size = part.stat().st_size
            part.replace(target)
        except ObjectFailure as failure:
            target.unlink(missing_ok=True)
            record.note(name, None)
            return name, 0, str(failure)
        finally:
            meter.file_done()
        record.note(name, [stored.mark, stored.size, size])
        return name, size, None

    def _files(self) -> Iterator[str]:
        """The names of the files that are here."""
        copies = self._home / "copy"
        for place, _, files in os.walk(copies):
            yield from (Path(place, file).relative_to(copies).as_posix() for file in files)

    def _remove(self, names: Iterable[str]) -> None:
        """Remove these files, and the folders that are empty then."""
        for name in names:
            self._place(name).unlink()
        for place, folders, _ in os.walk(self._home / "copy", topdown=False):
            for folder in folders:
                with suppress(OSError):  # it is not empty
                    Path(place, folder).rmdir()

    def _check_room(self, needed: int) -> None:
        free = shutil.disk_usage(self._home).free
        if needed and needed + ROOM_LEFT > free:
            raise InputError(
                f"there is not enough disk space for {self._storage.address}: {self._home} has {free / 1e6:,.0f} MB free, "
                f"{(needed + ROOM_LEFT) / 1e6:,.0f} MB are needed",
                hint="free some space, or point AUGMENT_CORRECTION_CACHE to a larger disk",
            )

    def _place(self, name: str) -> Path:
        return self._home / "copy" / name

    def _source(self, name: str) -> str:
        """The name of a document: its path below the input folder, or its own name if the address is one document."""
        return name.removeprefix(f"{self._name}/")

    def _folds_case(self) -> bool:
        return (self._home / "FETCHED.JSONL").exists()

    @contextmanager
    def _parts(self) -> Iterator[Path]:
        """A folder for files that are being fetched. What a process that was killed has left in it is removed."""
        folder = self._home / "part"
        shutil.rmtree(folder, ignore_errors=True)
        private_folder(folder)
        yield folder
        shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _held(self, report: Report, stop: Event) -> Iterator[None]:
        begun, path = time.monotonic(), self._home / "lock"
        with path.open("a+") as lock:  # for reading, too: NFS gives nobody else the shared lock with which `hold` asks
            while not hold(lock, path):
                if stop.wait(0.2):
                    raise Stopped
                report("another process is fetching the same documents", round(time.monotonic() - begun), 0)
            yield

    @contextmanager
    def _readers(self, *, shared: bool) -> Iterator[bool]:
        """Lock the copy as one of its readers (`shared`), or for this process alone, and yield whether that was possible. Only the process
        that holds the lock of fetching asks."""
        path = self._home / "readers"
        with path.open("a+") as lock:
            yield take(lock, path, shared=shared)


def _is_hidden(name: str) -> bool:
    """As in a folder: what begins with a dot is no document."""
    return any(part.startswith(".") and part not in (".", "..") for part in name.split("/"))
