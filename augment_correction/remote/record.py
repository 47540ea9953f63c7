"""A record of what was transferred: one line of JSON for each file, written when it is done. A process that is killed loses only what was
under way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import orjson

from augment_correction.folders import new_file


class TransferRecord:
    """`entries` has the newest entry that was noted for each name. A name that was noted with None is not among them any more."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock, self._lines = path, Lock(), 0
        self.entries: dict[str, Any] = {}
        written = path.read_bytes() if path.is_file() else b""
        self._torn = written != b"" and not written.endswith(b"\n")
        for line in written.splitlines():
            self._lines += 1
            try:
                name, entry = orjson.loads(line)
            except ValueError:  # half a line of a process that was killed
                continue
            self._set(name, entry)

    def _set(self, name: str, entry: Any) -> None:
        if entry is None:
            self.entries.pop(name, None)
        else:
            self.entries[name] = entry

    @contextmanager
    def open(self) -> Iterator[TransferRecord]:
        """Opens the file so that entries can be noted. In the end it is written anew if most of its lines are out of date."""
        with self._path.open("ab") as self._file:
            if self._torn:
                self._file.write(b"\n")
            yield self
        if self._lines > 2 * len(self.entries) + 100:
            self._write_anew()

    def note(self, name: str, entry: Any) -> None:
        """Note the entry of a name; this may be called by any thread. `entry` is anything that JSON can hold, or None if there is none any more."""
        with self._lock:
            self._file.write(orjson.dumps([name, entry]) + b"\n")
            self._file.flush()
            self._lines += 1
            self._set(name, entry)

    def _write_anew(self) -> None:
        temporary = self._path.with_name(f"{self._path.name}.part")
        with new_file(temporary) as file:
            for each in self.entries.items():
                file.write(orjson.dumps(each) + b"\n")
        temporary.replace(self._path)
