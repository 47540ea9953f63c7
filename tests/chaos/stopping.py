"""Ctrl-C, two runs on one folder, and clocks that jump."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import augment_correction
from tests.chaos.rows import Row, judged
from tests.chaos.world import DELAY, IN_FLIGHT, World, demand
from tests.projects import ended
from tests.servers import too_many

INTERRUPTED = 130
JUMPING = (
    "import random, time; real = time.time; "
    "time.time = lambda: real() + random.choice((-400 * 86400, -3600, 0, 3600, 400 * 86400))"
)
WALL_CLOCK = re.compile(r"\btime\.time\(\)|datetime\.(?:now|utcnow|today)\(|\bdate\.today\(")
ON_THE_WALL = {
    *("llm/batch.py", "llm/batch_steps.py", "llm/chat_wire.py"),
    *("corrections/learning.py", "corrections/store.py", "corrections/versions.py"),
    *("experiment/log.py", "results/decisions.py"),
    *("workspace/accounts.py", "workspace/routes/accounts.py", "workspace/tables.py"),
    *("workspace/new_passwords.py", "workspace/pending.py"),
}
"""What may look at the wall clock: the age of a batch, which outlives processes; dates that a server sends; when a person decided
something, which nothing is decided by; how long a session, an invitation, a link for a new password and a sign-in that waits for its code are valid in the workspace."""
NAMING = ("monitor", "worker", "cli")
"""No part of a run: they name files, log lines and days by it, and no deadline."""


def _half_way(world: World) -> subprocess.Popen[str]:
    world.reset()
    process = world.start()
    world.server.wait_for(sum(world.reference.asked.values()) // 2, process)
    return process


def interrupt_once(world: World) -> Row:
    process = _half_way(world)
    process.send_signal(signal.SIGINT)
    made = ended(process, 60)
    demand(made.code == INTERRUPTED and "waiting for the calls in flight" in made.err, (made.code, made.err))
    demand("run the same command again" in made.out and "Traceback" not in made.err, (made.out, made.err))
    demand(not world.server.unanswered(), "calls in flight were not awaited")
    half = world.classes(made)
    demand("pending" in half, half)
    return judged(world, "SIGINT once", world.finish(), times=1, note=f"stopped with {half}")


def interrupt_twice(world: World) -> Row:
    process = _half_way(world)
    world.server.delay = 60
    asked = len(world.server.asked)
    world.server.wait_for(asked + 1, process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "Ctrl-C again" not in process.stderr.readline():
        demand(process.poll() is None, "it ended before the second Ctrl-C")
    process.send_signal(signal.SIGINT)
    made = ended(process, 30)  # half of what the server takes for one reply
    demand(made.code == INTERRUPTED and "run the same command again" in made.err, (made.code, made.err))
    demand("Traceback" not in made.err, made.err)
    world.server.delay = DELAY
    return judged(world, "SIGINT twice", world.finish(), times=1, repeats=IN_FLIGHT)


def two_runs(world: World) -> Row:
    world.reset()
    world.server.delay = 1.0  # the first one shall still be at it when the second one comes
    process = world.start()
    world.server.wait_for(1, process)
    second = ended(world.project.start(), 60)
    demand(process.poll() is None, "the first run had ended before the second one came")
    world.server.delay = DELAY
    demand(second.code == 2 and "another run is writing to" in second.err and "remedy: " in second.err, second)
    demand("Traceback" not in second.err, second.err)
    return judged(world, "two runs on one folder", world.finish(process), times=1)


def clock_jumps(world: World) -> Row:
    """The wall clock is somewhere else at every look, by up to 400 days, while the server names dates to wait for.
    Nothing but what must may look at it: deadlines, pauses and rates go by the monotonic clock."""
    package = Path(augment_correction.__file__).parent
    sources = [path for path in package.rglob("*.py") if path.relative_to(package).parts[0] not in NAMING]
    found = {str(path.relative_to(package)) for path in sources if WALL_CLOCK.search(path.read_text())}
    demand(found <= ON_THE_WALL, f"the wall clock is looked at in {sorted(found - ON_THE_WALL)}")
    world.reset()
    world.server.disturb(too_many(0, as_date=True), share=0.1, seed=1)
    made = world.finish(world.start(before=JUMPING))
    demand(world.server.disturbed, "nobody was told to wait")
    return judged(world, "clock jumps", made, times=1, note=f"{world.server.disturbed} Retry-After dates")
