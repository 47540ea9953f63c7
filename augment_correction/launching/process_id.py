"""A process by its id and the moment it began: an id alone is given to another process sooner or later."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from augment_correction.store.folder import atomic_write

_PROC = Path("/proc")


@dataclass(frozen=True)
class ProcessId:
    pid: int
    began: str
    host: str

    @classmethod
    def own(cls) -> ProcessId:
        return cls(os.getpid(), began(os.getpid()) or "", platform.node())

    @classmethod
    def parse(cls, text: str) -> ProcessId:
        return cls(**json.loads(text))

    @classmethod
    def read(cls, path: Path) -> ProcessId | None:
        return cls.parse(path.read_text("utf-8")) if path.is_file() else None

    def write(self, path: Path) -> None:
        with atomic_write(path) as file:
            file.write(str(self).encode())

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    @property
    def here(self) -> bool:
        return self.host == platform.node()

    @property
    def alive(self) -> bool:
        return self.here and began(self.pid) == self.began

    @property
    def recycled(self) -> bool:
        """Another process has the id now."""
        return began(self.pid) not in (None, self.began)


def began(pid: int) -> str | None:
    """When the process `pid` began, in words that no other process of that id will have; None where there is none."""
    if (_PROC / "self" / "stat").exists():
        try:
            # The name in parentheses may hold spaces and parentheses itself.
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None
