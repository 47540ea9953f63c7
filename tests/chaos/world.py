"""The world of the chaos suite: one project, one server that counts, the undisturbed run, and the judge.

Every passage's fate is a function of its text, so that a run which was disturbed must end in the same bytes:

* `kept` most of them, `filtered` the table of contents, `refused` a 400, `truncated` and `invalid` two bad repliers.

The judge works on questions (model and messages). At the start of every process (`mark`) it notes how often each one
stands in the journal; a process may then ask it as often as the undisturbed run did, less what is in the journal, and
once more for each time that the server did not answer it. Whatever is asked beyond that was paid for and lost.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tests.chaos.server import ChaosServer, Question
from tests.projects import Ended, MadeProject, ended
from tests.servers import fails, says

CONTENTS = "Table of Contents. The bridge, page 1. The mill, page 12. The market, page 31. The index, page 99."
CONCURRENCY = 4
IN_FLIGHT = 2 * CONCURRENCY
"""Calls of both models that one process can have under way, from the first byte sent to the reply on disk."""
DELAY = 0.05
TIMEOUT = 3
DATABASE = ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm")
CLASSES = re.compile(r"^ +in all +(\d+) = (.*)$", re.MULTILINE)


class Broken(AssertionError):
    """The product did not do what the suite demands."""


def demand(holds: object, what: object) -> None:
    if not holds:
        raise Broken(str(what)[-3000:])


@dataclass
class Reference:
    """The undisturbed run."""

    files: dict[str, bytes]
    asked: Counter[Question]
    paid: Counter[Question]
    classes: str
    seconds: float


@dataclass
class Cut:
    """Where one process took over: what had come to the server, and what stood in the journal."""

    asked: int
    paid: Counter[Question]


@dataclass
class World:
    root: Path
    server: ChaosServer
    passages: int
    project: MadeProject = field(init=False)
    reference: Reference = field(init=False)
    cuts: list[Cut] = field(default_factory=list)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.project = MadeProject(self.root)
        self.project.facts(range(self.passages - 1))
        self.project.write("inputs/contents.txt", CONTENTS)
        limits = {f"{role}_timeout": TIMEOUT for role in ("small", "large")}
        self.project.config(self.server, api=limits, system={"concurrency_limit": CONCURRENCY})
        self.reset()
        began = time.monotonic()
        made = ended(self.start())
        seconds = time.monotonic() - began
        demand(made.code == 0, made)
        asked, paid = Counter(map(self.server.question, self.server.asked)), paid_in(self.project.output)
        self.reference = Reference(self.files(), asked, paid, self.classes(made), seconds)
        demand(
            sum(asked.values()) > sum(paid.values()) > 2 * (self.passages - 5), "the undisturbed run asked too little"
        )

    # ------------------------------------------------------------------------------------------- processes

    def reset(self) -> None:
        """An empty output folder and a server that remembers nothing and answers as it should."""
        self.project.output.mkdir(exist_ok=True)
        for path in self.project.output.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.cuts.clear()
        self.server.forget()
        self.server.delay = DELAY
        self.server.where("Ander2 ", fails(400, "maximum context length is 4096 tokens"), model="large")
        self.server.where("Ander4 ", says("<initial_question>What", finish_reason="length"), model="large")
        self.server.where("Ander6 ", says("I would rather not say anything about it."), model="large")

    def start(self, *prefix: str, before: str = "pass") -> subprocess.Popen[str]:
        """The program on the project's config, in a process of its own; `prefix` is a command that starts it."""
        self.mark()
        process = self._start_by(prefix) if prefix else self.project.start(before=before)
        self.processes.append(process)
        return process

    def _start_by(self, prefix: tuple[str, ...]) -> subprocess.Popen[str]:
        program = [*prefix, sys.executable, "-m", "augment_correction", "run", str(self.root / "config.yaml")]
        pipe = subprocess.PIPE
        return subprocess.Popen(program, cwd=self.root, text=True, stdout=pipe, stderr=pipe)

    def end_all(self) -> None:
        """What a broken fault has left running must not disturb the next one."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
        self.processes.clear()

    def mark(self) -> None:
        self.cuts.append(Cut(len(self.server.asked), paid_in(self.project.output)))

    def finish(self, process: subprocess.Popen[str] | None = None) -> Ended:
        """A run that must end well."""
        made = ended(process or self.start(), 120)
        demand(made.code == 0, f"exit {made.code}\n{made.out}\n{made.err}")
        return made

    # ------------------------------------------------------------------------------------------- the judge

    def files(self) -> dict[str, bytes]:
        return self.project.files()

    def classes(self, made: Ended) -> str:
        """`9 kept + 1 filtered`; the sum is checked against the number of passages."""
        found = CLASSES.search(made.out)
        demand(found, f"no line of classes: {made.out}")
        assert found is not None
        total = sum(int(part.split()[0]) for part in found.group(2).split(" + "))
        demand(total == int(found.group(1)) == self.passages, f"{total} of {self.passages} passages have a class")
        return found.group(2)

    def lost(self) -> int:
        """Paid replies that were in the journal and were asked for again, or are not in it any more."""
        ends = [*(cut.asked for cut in self.cuts[1:]), len(self.server.asked)]
        count, final = 0, paid_in(self.project.output)
        for cut, end in zip(self.cuts, ends, strict=True):
            asked = self.server.asked[cut.asked : end]
            excused = Counter(self.server.question(each) for each in asked if not self.server.answered(each))
            allowed = self.reference.asked - cut.paid + excused
            count += sum((Counter(map(self.server.question, asked)) - allowed).values())
            count += sum((cut.paid - final).values())
        return count

    def asked_twice(self) -> int:
        """Requests beyond those of the undisturbed run."""
        return sum((Counter(map(self.server.question, self.server.asked)) - self.reference.asked).values())

    def demand_only_in_flight(self) -> None:
        """Of what the server answered to a process that was killed, only the calls in flight are not in the journal."""
        for cut, after in zip(self.cuts, self.cuts[1:], strict=False):
            asked = [each for each in self.server.asked[cut.asked : after.asked] if self.server.answered(each)]
            unpaid = Counter(map(self.server.question, asked)) - (after.paid - cut.paid)
            missing = sum(number for question, number in unpaid.items() if question in self.reference.paid)
            demand(missing <= IN_FLIGHT, f"{missing} answered requests are not in the journal of a killed run")

    def differences(self, *, retried: bool) -> list[str]:
        """Files that are not the undisturbed run's. With `retried` the one figure that tells of failed tries is left
        out: `retries` of the token ledgers, which the report calls `failures`."""
        mine, theirs = self.files(), self.reference.files
        if retried:
            mine, theirs = without_retries(mine), without_retries(theirs)
        return sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))


def paid_in(folder: Path) -> Counter[Question]:
    """How often each question stands in the journal. Read from a copy: a look must not mend what a kill has left."""
    if not (folder / DATABASE[0]).exists():
        return Counter()
    look = folder.with_name(f"{folder.name}-look")
    shutil.rmtree(look, ignore_errors=True)
    look.mkdir()
    for name in DATABASE[:2]:  # the third is an index that SQLite makes anew
        if (folder / name).exists():
            shutil.copy(folder / name, look / name)
    try:
        with closing(sqlite3.connect(look / DATABASE[0])) as connection:
            rows = connection.execute("SELECT model, messages FROM calls").fetchall()
    except sqlite3.OperationalError:  # killed before the tables were made
        rows = []
    finally:
        shutil.rmtree(look)
    return Counter((model, tuple(map(tuple, orjson.loads(messages)))) for model, messages in rows)


RETRIES = re.compile(rb'("(?:retries|failures)": ?)\d+')


def without_retries(files: dict[str, bytes]) -> dict[str, bytes]:
    return {
        name: RETRIES.sub(rb"\1-", data) if name.endswith(("_model_tokens.json", "report.html")) else data
        for name, data in files.items()
    }
