"""What happened, on stderr and in a file per day. No value of a secret variable of the environment stands in it."""

from __future__ import annotations

import os
import re
import sys
from collections import deque
from contextlib import suppress
from datetime import datetime
from pathlib import Path

SECRETS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_PASSWD")
TAIL_BYTES = 20_000
OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, changes of the direction of text, and halves of UTF-16 pairs, which no file can hold."""


class Log:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def say(self, text: str) -> None:
        now = datetime.now()
        line = f"{now:%Y-%m-%d %H:%M:%S} {printable(redacted(text))}\n"
        sys.stderr.write(line)
        with suppress(OSError):  # a full disk: what happens is on stderr all the same, and is waited out elsewhere
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"worker_{now:%Y%m%d}.log").open("a", encoding="utf-8") as file:
                file.write(line)


def printable(text: str) -> str:
    """Text of other people's files may hold characters that a terminal obeys; they are shown as Python writes them."""
    return OBEYED.sub(lambda sign: sign[0] if sign[0] in "\n\t" else ascii(sign[0])[1:-1], text)


def redacted(text: str) -> str:
    """Short values are left: `1` or `true` would tear holes into every line, and no secret is that short."""
    for name, value in os.environ.items():
        if name.upper().endswith(SECRETS) and len(value) >= 8:
            text = text.replace(value, "***")
    return text


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
