"""One line of the table, and how it is judged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.chaos.world import World, demand
from tests.projects import Ended

SKIPPED = "skipped"
ALL, BUT_RETRIES = "yes", "yes, but `retries`"


@dataclass(frozen=True)
class Row:
    fault: str
    times: int
    lost: int
    asked_twice: int
    classes: str
    files: str
    seconds: float = 0.0
    note: str = ""


def skipped(fault: str, why: str) -> Row:
    return Row(fault, 0, 0, 0, "-", "-", note=f"{SKIPPED}: {why}")


def judged(world: World, fault: str, made: Ended, *, times: int, note: str = "", repeats: int | None = None) -> Row:
    """The world after a run that ended well. `repeats`: the most requests that may have been made a second time;
    without it, as many as the server left without an answer.

    Raises: Broken where anything was lost, asked for without need, or came out otherwise.
    """
    lost, twice = world.lost(), world.asked_twice()
    demand(lost == 0, f"{fault}: {lost} paid replies lost")
    unanswered = sum(not world.server.answered(each) for each in world.server.asked)
    demand(twice <= (unanswered if repeats is None else repeats), f"{fault}: {twice} requests made twice")
    world.demand_only_in_flight()
    classes = world.classes(made)
    demand(classes == world.reference.classes, f"{fault}: {classes}, and undisturbed {world.reference.classes}")
    different = world.differences(retried=True)
    demand(not different, f"{fault}: other bytes in {different}")
    files = BUT_RETRIES if world.differences(retried=False) else ALL
    return Row(fault, times, lost, twice, classes, files, note=note)


def table(rows: Iterable[Row]) -> str:
    heads = ("fault", "times", "lost", "asked twice", "passages by class", "files equal", "s")
    lines = [heads]
    for row in rows:
        twice = str(row.asked_twice)
        lines.append((row.fault, str(row.times), str(row.lost), twice, row.classes, row.files, f"{row.seconds:.0f}"))
    notes = [""] + [row.note for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        " | ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        + (f" | {note}" if note else "")
        for line, note in zip(lines, notes, strict=True)
    )
