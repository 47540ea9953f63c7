"""A disk without room, and a folder that may not be written."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.chaos.rows import Row, judged, skipped
from tests.chaos.world import IN_FLIGHT, World, demand
from tests.disks import fill, small_disk
from tests.projects import bound_by_permissions, ended

FULL = "disk full in mid-run"
READ_ONLY = "output folder is read-only"


def full(world: World, times: int, seed: int) -> Row:
    """A small tmpfs is filled to its last byte at a random request; then room is made and the same command goes on,
    the first time on a disk that is still full."""
    rng = random.Random(seed)
    twice = 0
    row = None
    with _small_disk(world) as mounted:
        if not mounted:
            return skipped(FULL, "no tmpfs may be mounted here")
        for number in range(times):
            world.reset()
            process = world.start()
            world.server.wait_for(rng.randint(1, sum(world.reference.asked.values()) // 2), process)
            ballast = fill(world.project.output)
            _demand_told(world, process)
            if number == 0:
                _demand_told(world, world.start())
            ballast.unlink()
            row = judged(world, FULL, world.finish(), times=1, repeats=IN_FLIGHT)
            twice += row.asked_twice
        world.reset()
    assert row is not None
    note = "told at once, and when started on the full disk; room made, gone on"
    return Row(FULL, times, 0, twice, row.classes, row.files, note=note)


def _demand_told(world: World, process: subprocess.Popen[str]) -> None:
    made = ended(process, 120)
    demand(made.code == 2 and "cannot be written" in made.err and "free some space" in made.err, made)
    demand("Traceback" not in made.err and "move it away" not in made.err, made.err)


@contextmanager
def _small_disk(world: World) -> Iterator[bool]:
    with small_disk(world.project.output) as mounted:
        try:
            yield mounted
        finally:
            world.end_all()


def read_only(world: World) -> Row:
    """The folder of a run that was stopped half-way may not be written any more; nor may a new one be made."""
    world.reset()
    process = world.start()
    world.server.wait_for(sum(world.reference.asked.values()) // 2, process)
    process.kill()
    process.communicate()
    output = world.project.output
    for folder in (output, output.parent):
        aside = output.with_name("aside")
        if folder == output.parent:
            output.rename(aside)
        folder.chmod(0o555)
        try:
            made = ended(world.start(*bound_by_permissions()), 60)
        finally:
            folder.chmod(0o755)
            if aside.exists():
                aside.rename(output)
        # Not "move it away": the journal is as good as ever.
        demand(made.code == 2 and "cannot be written" in made.err and "remedy: " in made.err, made)
        demand("Traceback" not in made.err and "move it away" not in made.err, made.err)
        demand(world.cuts[-1].asked == len(world.server.asked), "it asked before it found out")
    return judged(world, READ_ONLY, world.finish(), times=2, repeats=IN_FLIGHT)
