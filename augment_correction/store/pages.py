"""Whether a SQLite file is all there. SQLite itself does not say so: it deletes the log beside an empty file, with every
reply in it, and reads the missing half of a page as zeros.

Only headers are read: a seek per page of the log. The formats are those of https://sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

_MAGIC = b"SQLite format 3\0"
_HEADER, _LOG_HEADER, _FRAME_HEADER = 100, 32, 24


def put_back_first_page(path: Path) -> None:
    """Where not even the header is left of the file, give it a first page from its log, if that has one; SQLite puts
    back the others from there."""
    if not path.exists() or path.stat().st_size >= _HEADER:
        return
    for number, _, place, size in _frames(path):
        if number == 1:
            with _log(path).open("rb") as log, path.open("r+b") as file:
                log.seek(place)
                page = log.read(size)
                if page.startswith(_MAGIC):
                    file.write(page)
                    file.flush()
                    os.fsync(file.fileno())
            return


def missing_pages(path: Path) -> int:
    """Pages that the database counts among its own and that stand neither whole in the file nor in its log."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        header = file.read(_HEADER)
        length = file.seek(0, os.SEEK_END)
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        return 0  # empty, or no database: SQLite will say so
    size: int = struct.unpack(">H", header[16:18])[0]
    size = 65536 if size == 1 else size
    count: int = struct.unpack(">I", header[28:32])[0]
    if size < 512 or header[24:28] != header[92:96]:
        return 0  # no size of a page; or a writer that does not keep the count
    in_log: set[int] = set()
    pending: set[int] = set()
    for number, count_after, _, _ in _frames(path):
        pending.add(number)
        if count_after:  # the last page of a transaction
            count = count_after
            in_log |= pending
            pending.clear()
    whole = length // size
    return max(0, count - whole - sum(whole < number <= count for number in in_log))


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _frames(path: Path) -> Iterator[tuple[int, int, int, int]]:
    """(page number, pages in the database after it or 0, where its bytes begin, how many they are) of each page in the
    log's present generation, as far as it is whole."""
    if not _log(path).exists():
        return
    with _log(path).open("rb") as log:
        length = log.seek(0, os.SEEK_END)
        log.seek(0)
        header = log.read(_LOG_HEADER)
        if len(header) < _LOG_HEADER:
            return
        (size,) = struct.unpack(">I", header[8:12])
        for start in range(_LOG_HEADER, length - size - _FRAME_HEADER + 1, size + _FRAME_HEADER):
            log.seek(start)
            frame = log.read(_FRAME_HEADER)
            if frame[8:16] != header[16:24]:
                return
            number, count_after = struct.unpack(">II", frame[:8])
            yield number, count_after, start + _FRAME_HEADER, size
