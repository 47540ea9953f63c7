"""The rows' texts: a first part inside `report.html`, the rest in files that the page loads when it needs them.

A page opened from a disk may not fetch its neighbours, but it may load them as scripts: each shard calls
`report_shard` with its rows, deflated and in base64. So nothing of a document's text can be read as script or markup,
and a report takes less than half of the space of its texts.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from augment_correction.folders import own_folder
from augment_correction.store.folder import atomic_write

SHARD_BYTES = 1 << 20
"""Of JSON, before it is deflated: what a browser reads and unpacks in a few milliseconds."""


class ShardWriter:
    """Shards are named by their content: a page finds its own or none, and a report written again writes only what
    changed. `finish` removes those of an earlier report, once the new page stands."""

    def __init__(self, folder: Path, size: int = SHARD_BYTES) -> None:
        self._folder = folder
        self._size = size
        self._lines: list[bytes] = []
        self._bytes = 0
        self._first = 0
        self.inline = ""
        """The first shard's rows."""
        self.shards: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any]) -> None:
        line = orjson.dumps(row)
        self._lines.append(line)
        self._bytes += len(line) + 1
        if self._bytes >= self._size:
            self.close_shard()

    def close_shard(self) -> None:
        if not self._lines:
            return
        data = base64.b64encode(_deflated(self._lines))
        name = None
        if self.shards:
            name = f"{len(self.shards):05d}-{hashlib.sha256(data).hexdigest()[:10]}.js"
            own_folder(self._folder)
            if not (self._folder / name).exists():
                with atomic_write(self._folder / name) as file:
                    file.writelines((b'report_shard("', name.encode(), b'","', data, b'");\n'))
        else:
            self.inline = data.decode()
        self.shards.append({"name": name, "first": self._first, "count": len(self._lines)})
        self._first += len(self._lines)
        self._lines, self._bytes = [], 0

    def finish(self) -> None:
        """Call it after the page has been written."""
        if self._folder.is_symlink():
            return
        for path in self._old():
            path.unlink()
        if self._folder.is_dir() and not any(self._folder.iterdir()):
            self._folder.rmdir()

    def _old(self) -> Iterator[Path]:
        names = {shard["name"] for shard in self.shards}
        if self._folder.is_dir():
            yield from sorted(
                path
                for path in self._folder.iterdir()
                if path.name not in names and path.name.endswith((".js", ".js.part"))
            )


def _deflated(lines: list[bytes]) -> bytes:
    """A JSON list of them, line by line: joined before, they would be in memory four times."""
    packing = zlib.compressobj(6)
    parts = [packing.compress(b",\n" + line if number else b"[" + line) for number, line in enumerate(lines)]
    return b"".join([*parts, packing.compress(b"]"), packing.flush()])
