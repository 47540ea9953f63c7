"""What `check` found, about whatever config."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from augment_correction.errors import AugmentCorrectionError, Mistakes

ENOUGH = 100
"""Questions with which a gate can decide: a gain of 10 points is just believed with them (docs/guides/evaluate.md)."""


@dataclass(frozen=True)
class Finding:
    ok: bool
    what: str
    remedy: str | None = None


def note(text: str) -> Finding:
    """Nothing wrong, and worth knowing."""
    return Finding(True, f"note: {text}")


def wrong(failure: AugmentCorrectionError) -> Iterator[Finding]:
    """A finding for each mistake of several."""
    for each in failure.problems if isinstance(failure, Mistakes) else (failure,):
        yield Finding(False, each.message, each.hint)


def writable(what: str, folder: Path, remedy: str) -> Finding:
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if os.access(existing, os.W_OK):
        return Finding(True, f"{what} {folder} can be written")
    return Finding(False, f"{what} {folder} cannot be written", remedy)


def small_gate(what: str, questions: int, remedy: str) -> Iterator[Finding]:
    """`what`: the held-out set holds, or will hold, that many `questions`."""
    if questions < ENOUGH:
        decides = f"`evaluate` needs about {ENOUGH} to detect a gain of 10 points"
        yield Finding(True, f"note: {what} {questions} questions: {decides}", remedy)
