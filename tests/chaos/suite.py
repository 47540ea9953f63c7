"""All faults, one after the other."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.chaos import disk, killing, serving, stopping
from tests.chaos.rows import Row, table
from tests.chaos.server import ChaosServer
from tests.chaos.world import World

Fault = tuple[str, Callable[[World], Row]]


def faults(short: bool, seed: int) -> Iterator[Fault]:
    """(what it is called here, what does it)."""

    def times(full: int, some: int) -> int:
        return some if short else full

    yield "kill -9", lambda world: killing.kills(world, times(20, 4), seed)
    yield "power cut, log", lambda world: killing.wal_cuts(world, times(8, 2), seed)
    yield "power cut, file", lambda world: killing.page_cuts(world, times(8, 2), seed)
    yield disk.FULL, lambda world: disk.full(world, times(5, 1), seed)
    yield disk.READ_ONLY, disk.read_only
    for name in [serving.EVERYTHING] if short else serving.FAULTS:
        share = 0.1 if "stalls" in name or "MB" in name else 0.3
        yield name, partial(serving.misbehaves, name=name, share=share, seed=seed)
    yield "outage", lambda world: serving.outage(world, times(10, 2))
    yield "clock", stopping.clock_jumps
    yield "two runs", stopping.two_runs
    yield "SIGINT once", stopping.interrupt_once
    yield "SIGINT twice", stopping.interrupt_twice


def run_suite(*, short: bool, seed: int, only: str, say: Callable[[str], None]) -> tuple[str, dict[str, str]]:
    """The table, and what broke by the fault's name. The short form runs two worlds side by side, for most of the time
    goes by in the start of processes."""
    chosen = [fault for fault in faults(short, seed) if only in fault[0]]
    passages, lanes = (16, 2) if short else (40, 1)
    with ThreadPoolExecutor(lanes) as pool:
        made = list(pool.map(lambda lane: _run(chosen[lane::lanes], passages, say), range(lanes)))
    found = {name: (row, why) for lane in made for name, row, why in lane}
    rows = [found[name][0] for name, _ in chosen]
    return table(rows), {name: why for name, (_, why) in found.items() if why}


def _run(chosen: Sequence[Fault], passages: int, say: Callable[[str], None]) -> list[tuple[str, Row, str]]:
    """One after the other in one world: name, row, and why it broke if it did."""
    made: list[tuple[str, Row, str]] = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, ChaosServer() as server:
        world = World(Path(folder) / "project", server, passages)
        for name, fault in chosen:
            began, why = time.monotonic(), ""
            try:
                row = fault(world)
            except Exception as failure:
                why = f"{type(failure).__name__}: {failure}"
                row = Row(name, 0, 0, 0, "BROKEN", "-")
            finally:
                world.end_all()
            row = replace(row, seconds=time.monotonic() - began)
            made.append((name, row, why))
            say(f"{row.seconds:5.0f} s  {name}  {why or row.note}")
    return made
