"""A disk without room, and a folder that may not be written."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.chaos.rows import Row, judged, skipped
from tests.chaos.world import IN_FLIGHT, World, demand
from tests.projects import ended

FULL = "disk full in mid-run"
READ_ONLY = "output folder is read-only"


def full(world: World, times: int, seed: int) -> Row:
    """A tmpfs too small for the journal or for the files; then room is made and the same command goes on."""
    rng = random.Random(seed)
    twice, places = 0, set()
    row = None
    for number in range(times):
        share = (number + rng.random()) / times if number < times - 1 or times == 1 else 1.08
        with _small_disk(world, int(world.reference.room * (0.15 + 0.75 * share))) as mounted:
            if not mounted:
                return skipped(FULL, "no tmpfs may be mounted here")
            world.reset()
            made = ended(world.start(), 120)
            told = f"error: {world.root}" in made.err or "cannot be written" in made.err
            demand(made.code == 2 and told and "make room" in made.err, f"exit {made.code}\n{made.out}\n{made.err}")
            demand("Traceback" not in made.err, made.err)
            places.add("journal" if "journal.sqlite cannot" in made.err else "files")
            _mount("remount", 64 * 2**20, world)
            row = judged(world, FULL, world.finish(), times=1, repeats=IN_FLIGHT)
            twice += row.asked_twice
            world.reset()
    assert row is not None
    note = f"it hit the {' and the '.join(sorted(places))}; room made, gone on"
    return Row(FULL, times, 0, twice, row.classes, row.files, note=note)


@contextmanager
def _small_disk(world: World, size: int) -> Iterator[bool]:
    if os.geteuid() != 0 or not shutil.which("mount") or _mount("rw", size, world) != 0:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", world.project.output], check=True)


def _mount(option: str, size: int, world: World) -> int:
    command = ["mount", "-t", "tmpfs", "-o", f"{option},size={size}", "tmpfs", str(world.project.output)]
    return subprocess.run(command, capture_output=True, check=False).returncode


def read_only(world: World) -> Row:
    """The folder of a run that was stopped half-way may not be written any more; nor may a new one be made."""
    prefix: tuple[str, ...] = ("env",)
    if os.geteuid() == 0:  # root may write everywhere, unless it gives that up
        prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
        if not shutil.which("setpriv") or subprocess.run([*prefix, "true"], check=False).returncode:
            return skipped(READ_ONLY, "root cannot give up its power over files here")
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
            made = ended(world.start(*prefix), 60)
        finally:
            folder.chmod(0o755)
            if aside.exists():
                aside.rename(output)
        # Not "move it away": the journal is as good as ever.
        demand(made.code == 2 and "cannot be written" in made.err and "remedy: " in made.err, made)
        demand("Traceback" not in made.err and "move it away" not in made.err, made.err)
        demand(world.cuts[-1].asked == len(world.server.asked), "it asked before it found out")
    return judged(world, READ_ONLY, world.finish(), times=2, repeats=IN_FLIGHT)
