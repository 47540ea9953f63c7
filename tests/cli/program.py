"""The real program in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Made:
    code: int
    out: str
    err: str


def program(*arguments: str, cwd: Path | None = None, before: tuple[str, ...] = (), **environment: str) -> Made:
    ended = subprocess.run(
        [*before, sys.executable, "-m", "augment_correction", *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "140", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Made(ended.returncode, ended.stdout, ended.stderr)
