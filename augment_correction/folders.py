"""Files that another process may rename or delete while we look at them.

`Path.rglob` is no good there: it lists a folder some time after it saw it, and raises FileNotFoundError out of the middle
of the walk where the folder is gone by then (measured with pip's temporary folders).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


def size_of(path: Path) -> int | None:
    """Bytes of the file at `path`; None where there is none, or none any more."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def modified(path: Path) -> float:
    """Seconds since 1970; 0 for what is not there any more."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def bytes_below(folder: Path) -> int:
    """Of all files that are there at the moment; what disappears meanwhile counts nothing."""
    files = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return sum(size_of(file) or 0 for file in files)
