"""Decides which objects can be files in a folder on this machine. The name of an object may be any text: `../x`, `/etc/passwd`, or 1,024
bytes without a slash. No file may be written outside of the folder, or over another one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

LONGEST_PART = 255
"""Bytes that a part of a path may have on the filesystems of Linux and macOS."""


def refused_names(names: Iterable[str], *, folds: bool = False) -> dict[str, str]:
    """The names that cannot be files, each with the reason. `folds`: the disk does not tell apart names that differ in case alone."""
    refused, taken = dict[str, str](), dict[str, str]()
    every = sorted(names)
    folders = {_same(str(parent), folds) for name in every for parent in PurePosixPath(name).parents}
    for name in every:
        same = _same(name, folds)
        if why := _no_path(name):
            refused[name] = why
        elif same in folders:
            refused[name] = "it has the name of a folder that holds other objects: rename one of them"
        elif same in taken:
            refused[name] = f"its name differs from {taken[same]} in case alone, which this disk does not tell apart"
        else:
            taken[same] = name
    return refused


def _no_path(name: str) -> str:
    """The reason why a name cannot be a relative path; empty if it can."""
    for part in name.split("/"):
        if not part:
            return "no file here can have this name, because it begins with '/' or has '//' in it: rename the object"
        if part in (".", ".."):
            return f"no file here can have this name, because a part of it is '{part}': rename the object"
        if "\0" in part:
            return "no file here can have this name, because of a character in it: rename the object"
        try:
            long = len(part.encode()) > LONGEST_PART
        except UnicodeEncodeError:
            return "no file here can have this name, because it is no valid Unicode: rename the object"
        if long:
            return f"no file here can have this name, because a part of it is longer than {LONGEST_PART} bytes: rename the object"
    return ""


def _same(name: str, folds: bool) -> str:
    return unicodedata.normalize("NFC", name).casefold() if folds else name
