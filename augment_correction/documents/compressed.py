"""A .gz as the file that is in it, unpacked beside the input into a temporary folder."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from augment_correction.documents.contract import ReadLimits, Unread

_PIECE = 1 << 20
_SMALL = 16 << 20  # a file of repeated words packs well and harms nobody


@contextmanager
def unpacked(path: Path, most: int | None, limits: ReadLimits) -> Iterator[Path]:
    """A file with what `path` holds, there for as long as it is read. `most` bounds its bytes where it is given, and
    `limits.ratio` says how many times its size a file may become. Raises Unread."""
    with tempfile.TemporaryDirectory(prefix="augment-correction-") as folder:
        name = Path(folder) / path.stem
        _unpack(path, name, most, limits)
        yield name


def _unpack(path: Path, target: Path, most: int | None, limits: ReadLimits) -> None:
    packed, size = path.stat().st_size, 0
    try:
        with gzip.open(path) as source, target.open("wb") as out:
            while piece := source.read(_PIECE):
                size += len(piece)
                if most is not None and size > most:
                    raise Unread("too_large", f"more than {most:,} bytes unpacked; that is the limit")
                if size > _SMALL and size > limits.ratio * packed:
                    raise Unread("too_large", f"unpacks to more than {limits.ratio} times its size")
                out.write(piece)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Unread("unreadable", f"not a gzip file, or a damaged one: {error}") from error
    except EOFError as error:
        raise Unread("unreadable", "the gzip file ends too early: it was cut off") from error
