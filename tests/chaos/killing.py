"""kill -9 at random moments, and what a power cut may leave of the journal."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.chaos.rows import Row, judged
from tests.chaos.server import Question
from tests.chaos.world import DELAY, IN_FLIGHT, World, demand, paid_in
from tests.projects import Ended, ended

FRAME_HEADER, WAL_HEADER = 24, 32


def kills(world: World, times: int, seed: int) -> Row:
    """Chains of kills on one folder: it is started again and again until a run reaches its end, then a new chain."""
    rng = random.Random(seed)
    world.reset()
    done = twice = chains = 0
    row = None
    while done < times:
        process = world.start()
        killed = _kill(world, process, rng)
        done += killed
        if killed and done < times:
            continue
        made = world.finish() if killed else ended(process)
        demand(made.code == 0, made)
        row = judged(world, "kill -9", made, times=times, repeats=IN_FLIGHT * len(world.cuts))
        twice, chains = twice + row.asked_twice, chains + 1
        world.reset()
    assert row is not None
    return Row("kill -9 at random moments", done, 0, twice, row.classes, row.files, note=f"{chains} runs to the end")


def _kill(world: World, process: subprocess.Popen[str], rng: random.Random) -> bool:
    """At a random request and a little later, or at a random moment of the start, or of the writing of the files.
    False: the run had ended before."""
    left = sum((world.reference.asked - world.cuts[-1].paid).values())
    if rng.random() < 0.75 and left:
        begun = len(world.server.asked)
        _until(world, process, begun + rng.randint(1, left))
        time.sleep(rng.uniform(0, 2 * DELAY))
    else:
        if rng.random() < 0.5:
            _until(world, process, len(world.server.asked) + left)
        time.sleep(rng.uniform(0, world.reference.seconds / 2))
    if process.poll() is not None:
        return False
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return True


def _until(world: World, process: subprocess.Popen[str], requests: int, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while len(world.server.asked) < requests and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)


# ------------------------------------------------------------------------------------------------- power cuts


def wal_cuts(world: World, times: int, seed: int) -> Row:
    """The write-ahead log of a killed run ends at a random byte: all commits before it survive, and nothing else."""
    rng = random.Random(seed)
    left = _killed_folder(world, rng)
    wal = (left / "journal.sqlite-wal").read_bytes()
    ends = list(_commits(wal))
    made, twice = Ended(0, "", ""), 0
    for _ in range(times):
        cut = rng.randint(0, len(wal))
        end = max((end for end in ends if end <= cut), default=0)
        survivors = _paid_up_to(world, left, end)
        _put_back(world, left, keep_index=rng.random() < 0.5)
        (world.project.output / "journal.sqlite-wal").write_bytes(wal[:cut])
        world.mark()
        paid = world.cuts[-1].paid
        demand(paid == survivors, f"cut at {cut}: {sum(paid.values())} replies, not {sum(survivors.values())}")
        made = world.finish()
        row = judged(world, "log cut", made, times=1)
        twice += row.asked_twice
    shutil.rmtree(left)
    return Row("power cut: the log's end is gone", times, 0, twice, row.classes, row.files, note=f"{len(ends)} commits")


def _killed_folder(world: World, rng: random.Random) -> Path:
    """What a run leaves that is killed in its second half."""
    world.reset()
    process = world.start()
    total = sum(world.reference.asked.values())
    _until(world, process, rng.randint(total // 2, total - 4))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    left = world.project.output.with_name("left")
    shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(world.project.output, left)
    return left


def _put_back(world: World, left: Path, *, keep_index: bool) -> None:
    world.reset()
    for path in left.iterdir():
        if path.is_file() and (keep_index or not path.name.endswith("-shm")):
            shutil.copy(path, world.project.output / path.name)


def _commits(wal: bytes) -> Iterator[int]:
    """Where each transaction of the log ends (https://sqlite.org/fileformat2.html#walformat): a frame that says how
    large the database is after it, and carries the salt of the log's present generation."""
    page = struct.unpack(">I", wal[8:12])[0]
    for start in range(WAL_HEADER, len(wal) - page - FRAME_HEADER + 1, page + FRAME_HEADER):
        size_after = struct.unpack(">I", wal[start + 4 : start + 8])[0]
        if wal[start + 8 : start + 16] != wal[16:24]:
            return
        if size_after:
            yield start + FRAME_HEADER + page


def _paid_up_to(world: World, left: Path, end: int) -> Counter[Question]:
    """What the journal holds where its log ends with a whole transaction."""
    clean = left.with_name("clean")
    shutil.rmtree(clean, ignore_errors=True)
    clean.mkdir()
    shutil.copy(left / "journal.sqlite", clean)
    (clean / "journal.sqlite-wal").write_bytes((left / "journal.sqlite-wal").read_bytes()[:end])
    paid = paid_in(clean)
    shutil.rmtree(clean)
    return paid


def page_cuts(world: World, times: int, seed: int) -> Row:
    """The file itself ends too early: in its last page, before it, or at its very beginning while all is in the log.
    Either the run goes on and nothing is lost, or it says what is wrong and touches nothing: with the file put back
    whole it goes on."""
    rng = random.Random(seed)
    left = _killed_folder(world, rng)
    whole = {path.name: path.read_bytes() for path in left.iterdir() if path.is_file()}
    with closing(sqlite3.connect(left / "journal.sqlite")) as connection:  # its last reader moves the log into the file
        connection.execute("SELECT COUNT(*) FROM calls").fetchone()
    folded = {"journal.sqlite": (left / "journal.sqlite").read_bytes()}
    shutil.rmtree(left)
    told = twice = 0
    row = None
    for number in range(times):
        files, keep = (whole, rng.choice([0, 50, 2000])) if number % 2 else (folded, -rng.choice([1, 500, 2000, 4096]))
        _lay_down(world, files)
        world.mark()
        with (world.project.output / "journal.sqlite").open("r+b") as file:
            file.truncate(keep if keep >= 0 else len(files["journal.sqlite"]) + keep)
        process = world.project.start()
        made = ended(process, 120)
        if made.code != 0:
            demand(made.code == 2 and "journal.sqlite cannot be" in made.err and "remedy: " in made.err, made.err)
            demand("Traceback" not in made.err and not world.server.asked, f"it asked, or broke: {made.err}")
            told += 1
            _lay_down(world, files)
            made = world.finish()
        row = judged(world, "page cut", made, times=1)
        twice += row.asked_twice
    assert row is not None
    note = f"{told} told with a remedy and gone on with the file put back, {times - told} mended by themselves"
    return Row("power cut: the file's end is gone", times, 0, twice, row.classes, row.files, note=note)


def _lay_down(world: World, files: dict[str, bytes]) -> None:
    world.reset()
    for name, data in files.items():
        (world.project.output / name).write_bytes(data)
