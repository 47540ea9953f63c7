"""All faults, one after the other."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tests.chaos import killing
from tests.chaos.rows import Row, table
from tests.chaos.server import ChaosServer
from tests.chaos.world import World

Fault = tuple[str, Callable[[World], Row]]


def faults(short: bool, seed: int) -> Iterator[Fault]:
    few = lambda full, some: some if short else full  # noqa: E731
    yield "kill -9", lambda world: killing.kills(world, few(20, 4), seed)
    yield "log cut", lambda world: killing.wal_cuts(world, few(8, 2), seed)


def run_suite(*, short: bool, seed: int, only: str, say: Callable[[str], None]) -> tuple[str, dict[str, str]]:
    """The table, and what broke by the fault's name."""
    rows: list[Row] = []
    broken: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, ChaosServer() as server:
        world = World(Path(folder) / "project", server, passages=16 if short else 40)
        for name, fault in faults(short, seed):
            if only not in name:
                continue
            began = time.monotonic()
            try:
                row = replace(fault(world), seconds=time.monotonic() - began)
            except Exception as failure:
                broken[name] = f"{type(failure).__name__}: {failure}"
                row = Row(name, 0, 0, 0, "BROKEN", "-", time.monotonic() - began)
            rows.append(row)
            say(f"{row.seconds:5.0f} s  {name}  {broken.get(name, row.note)}")
    return table(rows), broken
