"""What a person sees in a terminal. Names, texts and errors of other people may hold characters that a terminal obeys (move
the cursor, set the title, answer as if it were typed); here and nowhere else is printed, and here they are made harmless."""

from __future__ import annotations

import os
import re
import sys
import traceback
from typing import TextIO

from augment_correction.text import printable

_CREDENTIALS = re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+@")
SECRETS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_PASSWD")


def say(text: object = "") -> None:
    """To stdout, where results go."""
    _write(sys.stdout, text)


def say_part(text: str) -> None:
    """A part of a line to stdout: what is said piece by piece."""
    _write(sys.stdout, text, end="")


def tell(text: object = "") -> None:
    """To stderr, where all else goes. An address that is quoted there loses its password."""
    _write(sys.stderr, _CREDENTIALS.sub("***@", str(text)))


def _write(stream: TextIO, text: object, end: str = "\n") -> None:
    """A line, or a part of one. Characters that the stream's encoding lacks are escaped."""
    encoding = stream.encoding or "utf-8"
    line = f"{printable(str(text))}{end}"
    stream.write(line.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def tell_bug(failure: BaseException) -> None:
    """Its traceback. An exception's message may quote a document, a reply or an address with its password."""
    tell(redacted("".join(traceback.format_exception(failure)).rstrip("\n")))


def redacted(text: str) -> str:
    """No value of a secret variable of the environment, no password of an address. Short values are left: `1` or `true`
    would tear holes into every line, and no secret is that short."""
    for name, value in os.environ.items():
        if name.upper().endswith(SECRETS) and len(value) >= 8:
            text = text.replace(value, "***")
    return _CREDENTIALS.sub("***@", text)
