"""A disk of a few megabytes that can be filled: a tmpfs, which only root may mount."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def small_disk(folder: Path, megabytes: int = 8) -> Iterator[bool]:
    """Mounted on `folder`, whatever lies there hidden; False where it may not be."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    may = os.geteuid() == 0 and shutil.which("mount")
    if not may or subprocess.run(command, capture_output=True, check=False).returncode:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """To its last byte; remove the file to make room."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as file:
        for size in (2**16, 1):
            with suppress(OSError):
                while file.write(b"x" * size):
                    pass
    return path
