"""How far a job is, read from what its process said: for people who do not read logs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_COUNTS = re.compile(r"^(?:running|writing|asking): (passages|questions) ([\d,]+)/([\d,]+)(\+?)", re.MULTILINE)
_STEP = re.compile(r"^step ([\d,]+) of ([\d,]+): loss ([\d.]+)", re.MULTILINE)
_COST = re.compile(r"^(?:running|writing|asking): (passages|questions) .*?([\d.]+) USD", re.MULTILINE)
_VERDICT = re.compile(r"^version \d+(?::| was made)", re.MULTILINE)
_WIDTH, _HEIGHT = 300, 60


@dataclass(frozen=True)
class Step:
    """`state` is done, now or waiting; `done` of `of` where the log counts."""

    name: str
    state: str = "waiting"
    done: int = 0
    of: int = 0


def steps_of(kind: str, log: str, *, running: bool) -> list[Step]:
    """Of a job of this kind; what has not begun by the time it ended stays waiting."""
    if kind == "run":
        return _standing([("Conversations from the passages", _counted(log, "passages"))], running=running)
    found = [
        ("Wordings and demonstrations", _counted(log, "passages")),
        ("Training", _trained(log)),
        ("Probes, before and after", _counted(log, "questions")),
        ("Verdict", (1, 1) if _VERDICT.search(log) else None),
    ]
    return _standing(found, running=running)


def _standing(found: Sequence[tuple[str, tuple[int, int] | None]], *, running: bool) -> list[Step]:
    """A step is done where a later one has begun, or all of it was counted."""
    last = max((place for place, (_, counted) in enumerate(found) if counted), default=-1)
    made: list[Step] = []
    for place, (name, counted) in enumerate(found):
        done, of = counted or (0, 0)
        whole = place < last or 0 < of <= done
        first_open = running and not whole and all(step.state == "done" for step in made)
        made.append(Step(name, "done" if whole else "now" if first_open else "waiting", done, of))
    return made


def _counted(log: str, what: str) -> tuple[int, int] | None:
    """A number of passages that is followed by + is not all of them yet."""
    found = [each for each in _COUNTS.findall(log) if each[0] == what]
    if not found:
        return None
    _, done, of, open_ = found[-1]
    return _number(done), 0 if open_ else _number(of)


def _trained(log: str) -> tuple[int, int] | None:
    found = _STEP.findall(log)
    return (_number(found[-1][0]), _number(found[-1][1])) if found else None


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def cost_of(log: str) -> float | None:
    """US dollars so far, of what is paid by tokens; None where nothing was counted."""
    last = {what: float(usd) for what, usd in _COST.findall(log)}
    return sum(last.values()) if last else None


@dataclass(frozen=True)
class Curve:
    """The loss of each step, and the points of its line in a picture of `width` by `height`."""

    first: float
    last: float
    points: str
    width: int = _WIDTH
    height: int = _HEIGHT


def curve_of(log: str) -> Curve | None:
    """None where fewer than two steps were made."""
    losses = [float(loss) for _, _, loss in _STEP.findall(log)]
    if len(losses) < 2:
        return None
    low, high = min(losses), max(losses)
    spread = (high - low) or 1.0
    points = " ".join(
        f"{place * _WIDTH / (len(losses) - 1):.1f},{4 + (high - loss) / spread * (_HEIGHT - 8):.1f}"
        for place, loss in enumerate(losses)
    )
    return Curve(losses[0], losses[-1], points)
