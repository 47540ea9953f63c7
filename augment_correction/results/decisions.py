"""`decisions.jsonl`: what a person decided about the conversations of a run, one decision a line, only ever appended to.

A decision names its conversation by the id that the run gave it, which is the hash of its text: when the passage is asked anew, or
another config makes another conversation of it, the decision stays in the file and is about nothing. Whoever writes it (`review`, a
program, another tool) writes by `Decisions.add`; what the decisions do to the rows is in `reviewed.py`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from augment_correction.errors import InputError
from augment_correction.folders import private_folder
from augment_correction.store.room import no_room

Action = Literal["approve", "reject", "edit", "ask_again", "undo"]
Verdict = Literal["approved", "rejected", "ask_again"]
VERDICTS: Mapping[str, Verdict] = {"approve": "approved", "reject": "rejected", "ask_again": "ask_again"}
NEEDED = ("conversation", "passage", "action", "at")
TEXTS = ("conversation", "passage", "at", "by", "reason", "text", "stage")
NUMBERS = ("turn", "masked", "times")


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """One line. `edit` has the number of the `turn` (from 0), its whole new `text`, and how many characters at its beginning are
    `masked`; `ask_again` the `stage` that is to be asked anew and how many `times` that had been done before. `undo` takes back
    all that was decided about the conversation. `at` is ISO 8601, `by` whoever decided; empty: a person."""

    conversation: str
    passage: str
    action: Action
    at: str = ""
    by: str = ""
    reason: str = ""
    turn: int | None = None
    text: str | None = None
    masked: int = 0
    stage: str = ""
    times: int = 0
    line: int = 0
    """Where it stands in the file; not written."""

    def as_json(self) -> dict[str, Any]:
        """Without what says nothing for this action."""
        always = ("at", "action", "conversation", "passage")
        named = {"edit": ("turn", "text", "masked"), "ask_again": ("stage", "times")}.get(self.action, ())
        maybe = [name for name in ("by", "reason") if getattr(self, name)]
        return {name: getattr(self, name) for name in (*always, *maybe, *named)}


@dataclass
class ReviewState:
    """What is decided about one conversation by all lines so far. `edits` are the last ones by turn."""

    passage: str
    verdict: Verdict | None = None
    reason: str = ""
    edits: dict[int, ReviewDecision] = field(default_factory=dict)
    decided: ReviewDecision | None = None
    """The line that the verdict is from."""

    def take(self, decision: ReviewDecision) -> None:
        if decision.action == "undo":
            self.verdict, self.reason, self.edits, self.decided = None, "", {}, None
        elif decision.action == "edit":
            assert decision.turn is not None
            self.edits[decision.turn] = decision
        else:
            self.verdict, self.reason, self.decided = VERDICTS[decision.action], decision.reason, decision

    @property
    def anything(self) -> bool:
        return self.verdict is not None or bool(self.edits)


class Decisions:
    """The file as it is now, by conversation.

    Raises: InputError with file, line and remedy where a line is no decision. A last line that was cut short is none yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._load()

    def _load(self) -> None:
        self._standing: dict[str, ReviewState] = {}
        self._lines: Counter[str] = Counter()
        data = self.path.read_bytes() if self.path.is_file() else b""
        self.digest = _digest(data)
        for decision in _read(self.path, data):
            self._take(decision)

    def of(self, conversation: str) -> ReviewState | None:
        """None where nothing was decided, or all of it was taken back."""
        found = self._standing.get(conversation)
        return found if found and found.anything else None

    def lines(self, conversation: str) -> int:
        """How many decide about it, those that were taken back included: the number grows with each."""
        return self._lines[conversation]

    def passages(self) -> dict[str, list[str]]:
        """The conversations about which something is decided, by their passage."""
        found: dict[str, list[str]] = {}
        for conversation, standing in self._standing.items():
            if standing.anything:
                found.setdefault(standing.passage, []).append(conversation)
        return found

    def add(self, decision: ReviewDecision) -> ReviewDecision:
        """Append it, durably, with the time where it has none; several processes may do so.

        Raises: InputError where the file cannot be written.
        """
        written = ReviewDecision(
            **{**_values(decision), "at": decision.at or datetime.now(UTC).isoformat(timespec="seconds")}
        )
        try:
            before, after = _append(self.path, orjson.dumps(written.as_json()) + b"\n")
        except OSError as failure:
            remedy = "free some space on the disk" if no_room(failure) else "make its folder writable"
            raise InputError(
                f"{self.path} cannot be written: {failure.strerror}", hint=f"{remedy} and repeat the decision"
            ) from None
        if before == self.digest:
            self.digest = after
            self._take(written)
        else:  # another process has written since it was read
            self._load()
        return written

    def _take(self, decision: ReviewDecision) -> None:
        self._lines[decision.conversation] += 1
        self._standing.setdefault(decision.conversation, ReviewState(decision.passage)).take(decision)


def state_of(path: Path) -> str:
    """Changes with every decision; empty where there is none."""
    return _digest(path.read_bytes()) if path.is_file() else ""


def _values(decision: ReviewDecision) -> dict[str, Any]:
    return {name: getattr(decision, name) for name in ReviewDecision.__slots__}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16] if data else ""


def _append(path: Path, line: bytes) -> tuple[str, str]:
    """Returns the digests of the file without and with it. Raises: OSError where it is not written; then the file is as it was."""
    private_folder(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = file.read()
        if before and not before.endswith(b"\n"):  # a line that was cut short
            line = b"\n" + line
        try:
            rest = line
            while rest:  # a full disk takes the beginning of a line before it refuses
                rest = rest[os.write(file.fileno(), rest) :]
            os.fsync(file.fileno())
        except OSError:
            os.ftruncate(file.fileno(), len(before))
            raise
        return _digest(before), _digest(before + line)


def _read(path: Path, data: bytes) -> Iterator[ReviewDecision]:
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _decision(orjson.loads(line), number)
        except (ValueError, TypeError) as failure:
            if _cut_short(line, is_last=number == len(lines)):
                continue
            raise InputError(
                f"{path}:{number}: this line is not a decision: {failure}",
                hint="correct or delete the line; docs/reference/decisions.md describes its fields",
            ) from None


def _cut_short(line: bytes, *, is_last: bool) -> bool:
    """A write that a power cut ended: where it is not the last one, the next began a new line behind it."""
    try:
        orjson.loads(line)
    except ValueError:
        return is_last or (line.startswith(b'{"') and not line.rstrip().endswith(b"}"))
    return False


def _decision(found: Any, line: int) -> ReviewDecision:
    """Raises: ValueError."""
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    if missing := [name for name in NEEDED if not found.get(name)]:
        raise ValueError(f"it has no {', '.join(missing)}")
    if unknown := sorted(found.keys() - {*NEEDED, *TEXTS, *NUMBERS}):
        raise ValueError(f"no key is called {', '.join(unknown)}")
    for name in (*TEXTS, *NUMBERS):
        right = str if name in TEXTS else int
        if name in found and type(found[name]) is not right:
            raise ValueError(f"{name} is {orjson.dumps(found[name]).decode()[:40]}, and must be {right.__name__}")
    if found["action"] not in get_args(Action):
        raise ValueError(f"its action is {found['action']!r}, and must be one of {', '.join(get_args(Action))}")
    if negative := [name for name in NUMBERS if found.get(name, 0) < 0]:
        raise ValueError(f"{negative[0]} is {found[negative[0]]}, and must not be below 0")
    made = ReviewDecision(**found, line=line)
    if made.action == "edit" and (made.turn is None or not (made.text or "").strip()):
        raise ValueError("an edit needs a turn and its text")
    return made
