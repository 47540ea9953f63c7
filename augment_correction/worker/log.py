"""What happened, on stderr and in a file per day. No value of a secret variable of the environment stands in it."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from augment_correction.terminal import redacted, tell
from augment_correction.text import printable

TAIL_BYTES = 20_000


class Log:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def say(self, text: str) -> None:
        now = datetime.now()
        line = f"{now:%Y-%m-%d %H:%M:%S} {printable(redacted(text))}"
        tell(line)
        with suppress(OSError):  # a full disk: what happens is on stderr all the same, and is waited out elsewhere
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"worker_{now:%Y%m%d}.log").open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")


def tail(path: Path, lines: int = 20) -> str:
    """The last lines of another program's log, redacted; of a progress bar what it showed last."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    kept = deque((line.rpartition("\r")[2] for line in text.replace("\r\n", "\n").split("\n") if line.strip()), lines)
    return redacted("\n".join(kept))
