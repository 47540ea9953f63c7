"""How far a job is, read from what its process said: for people who do not read logs."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_COUNTS = re.compile(r"^(?:running|writing|asking): (passages|questions) ([\d,]+)/([\d,]+)(\+?)", re.MULTILINE)
_WORKED = re.compile(r"^(?:running|writing): passages ([\d,]+)/[^,;\n]*(?:, ([\d,]+) reused)?", re.MULTILINE)
_STEP = re.compile(r"^step ([\d,]+) of ([\d,]+): loss (-?[\d.]+(?:e[+-]?\d+)?|-?inf|nan)", re.MULTILINE)
_COST = re.compile(r"^(?:running|writing|asking): (passages|questions) .*?(?<![\d.,])([\d.,]++) USD", re.MULTILINE)
_VERDICT = re.compile(r"^version \d+(?::| was made)", re.MULTILINE)
_TELLING = (b"running: ", b"writing: ", b"asking: ", b"step ", b"version ")
_WIDTH, _HEIGHT = 300, 60
_MOST_POINTS = 200


def telling_lines(path: Path) -> str:
    """Of a whole log, what the functions below read: the first loss and what the wordings cost stand at its beginning, however long it
    is by now. A line that is being written is left out: half of a number is another one."""
    try:
        with path.open("rb") as file:
            found = [line for line in file if line.startswith(_TELLING) and line.endswith(b"\n")]
    except OSError:
        return ""
    return b"".join(found).decode("utf-8", "replace")


@dataclass(frozen=True)
class ProgressStep:
    """`state` is done, now or waiting; `done` of `of` where the log counts."""

    name: str
    state: str = "waiting"
    done: int = 0
    of: int = 0


def steps_of(kind: str, log: str, *, running: bool) -> list[ProgressStep]:
    """Of a job of this kind; what has not begun by the time it ended stays waiting."""
    if kind == "estimate":
        return _standing([("Documents are read and counted", None)], running=running)
    if kind == "run":
        return _standing([("Conversations from the passages", _counted(log, "passages"))], running=running)
    found = [
        ("Wordings and demonstrations", _counted(log, "passages")),
        ("Training", _trained(log)),
        ("Probes, before and after", _counted(log, "questions")),
        ("Verdict", (1, 1) if _VERDICT.search(log) else None),
    ]
    return _standing(found, running=running)


def _standing(found: Sequence[tuple[str, tuple[int, int] | None]], *, running: bool) -> list[ProgressStep]:
    """A step is done where a later one has begun, or all of it was counted."""
    last = max((place for place, (_, counted) in enumerate(found) if counted), default=-1)
    made: list[ProgressStep] = []
    for place, (name, counted) in enumerate(found):
        done, of = counted or (0, 0)
        whole = place < last or 0 < of <= done
        first_open = running and not whole and all(step.state == "done" for step in made)
        made.append(ProgressStep(name, "done" if whole else "now" if first_open else "waiting", done, of))
    return made


def _counted(log: str, what: str) -> tuple[int, int] | None:
    """A number of passages that is followed by + is not all of them yet."""
    found = [each for each in _COUNTS.findall(log) if each[0] == what]
    if not found:
        return None
    _, done, of, open_ = found[-1]
    return _number(done), 0 if open_ else _number(of)


def asked_in(log: str) -> int:
    """Passages that this run has worked on, and no earlier one."""
    found = _WORKED.findall(log)
    return _number(found[-1][0]) - _number(found[-1][1] or "0") if found else 0


def _trained(log: str) -> tuple[int, int] | None:
    found = _STEP.findall(log)
    return (_number(found[-1][0]), _number(found[-1][1])) if found else None


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def cost_of(log: str) -> float | None:
    """US dollars so far, of what is paid by tokens; None where nothing was counted. A process counts from 0: where a number falls,
    one that was killed has been started again."""
    before: dict[str, float] = defaultdict(float)
    last: dict[str, float] = {}
    for what, usd in _COST.findall(log):
        now = float(usd.replace(",", ""))
        if now < last.get(what, 0):
            before[what] += last[what]
        last[what] = now
    return sum(last.values()) + sum(before.values()) if last else None


@dataclass(frozen=True)
class Curve:
    """The first and the last loss, and the points of the line between them in a picture of `width` by `height`."""

    first: float
    last: float
    points: str
    width: int = _WIDTH
    height: int = _HEIGHT


def curve_of(log: str) -> Curve | None:
    """None where fewer than two steps were made. A step that was made again after a restart counts once."""
    by_step = {_number(step): float(loss) for step, _, loss in _STEP.findall(log)}
    losses = [loss for _, loss in sorted(by_step.items())]
    drawn = _thinned([(place, loss) for place, loss in enumerate(losses) if math.isfinite(loss)])
    if len(drawn) < 2:
        return None
    high = max(loss for _, loss in drawn)
    spread = (high - min(loss for _, loss in drawn)) or 1.0
    points = " ".join(
        f"{place * _WIDTH / (len(losses) - 1):.1f},{4 + (high - loss) / spread * (_HEIGHT - 8):.1f}"
        for place, loss in drawn
    )
    return Curve(losses[0], losses[-1], points)


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The first, the last, and some at equal distances between them."""
    last = len(points) - 1
    if last < _MOST_POINTS:
        return points
    return [points[round(place * last / (_MOST_POINTS - 1))] for place in range(_MOST_POINTS)]
