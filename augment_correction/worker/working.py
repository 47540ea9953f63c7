"""The worker's loop: one small step after another, none of which waits."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from augment_correction.launching.process_id import ProcessId
from augment_correction.store.room import no_room
from augment_correction.worker.config import WorkerConfig
from augment_correction.worker.context import WorkerContext, free_gb
from augment_correction.worker.intake import Intake
from augment_correction.worker.jobs import Job
from augment_correction.worker.log import tail
from augment_correction.worker.rounds import Rounds

REPORT_SECONDS = 60.0
KILL_SECONDS = 10.0
"""Between SIGTERM and SIGKILL."""


class Worker:
    """`free` tells how many GB a folder's disk has left."""

    def __init__(self, config: WorkerConfig, free: Callable[[Path], float] = free_gb) -> None:
        self._settings = config.worker
        self._context = WorkerContext(config, free)
        self._places = self._context.places
        self._intake = Intake(self._context)
        self._rounds = Rounds(self._context)
        self._signalled = self._waits_for_room = False
        self._stop_since: float | None = None
        self._sent: set[signal.Signals] = set()
        self._reported = time.monotonic()

    def run(self) -> None:
        """Until it is stopped, by the marker, SIGINT or SIGTERM; the training of that moment writes its checkpoint. A
        second signal leaves at once, and the training to the next worker.

        Raises: InputError where another worker runs on the folder; ConfigError where a round would find no config.
        """
        self._context.config.check_configs()
        with self.at_work(), self._signals():
            while self._stepped():
                time.sleep(self._settings.poll_seconds)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with self._places.held():
            self._places.marker("stop").unlink(missing_ok=True)
            try:
                self._intake.mend()
                self._context.log.say(f"worker {ProcessId.own().pid} started on {self._places.root}")
                self._tell_taken_over()
                yield
                self._context.log.say("worker stopped")
            finally:
                self._places.marker("stop").unlink(missing_ok=True)
                self._context.jobs.close()

    def _tell_taken_over(self) -> None:
        job = self._context.jobs.running()
        if job is not None:
            still = "its process still runs and is awaited" if self._rounds.slot.busy else "nothing runs"
            self._context.say(job, f"taken over in phase {job.phase} from a worker that is gone; {still}")

    def _stepped(self) -> bool:
        """A step, or a wait for room on the disk: every step can be made again, as after a kill."""
        try:
            if self._waits_for_room:
                self._intake.mend()
            again = self.step()
        except (OSError, sqlite3.Error) as failure:
            if not no_room(failure):
                raise
            self._waits_for_room = True
            self._context.say_once(
                f"{failure}: the worker waits until there is free space on the disk of {self._places.root}"
            )
            return self._stop_since is None
        if self._waits_for_room:
            self._waits_for_room = False
            self._context.say_once("there is free space on the disk again; the worker goes on")
        return again

    def step(self) -> bool:
        """False when there is nothing left to do before the end."""
        stopping = self._stopping()
        if not stopping:
            self._intake.look()
        job = self._context.jobs.running()
        if job is not None:
            self._rounds.advance(job, stopping=stopping)
            self._report(job)
            job = self._context.jobs.running()
        if stopping:
            return job is not None and self._still_ending(job)
        if job is None:
            self._begin_next()
        return True

    def _begin_next(self) -> None:
        job = self._context.jobs.next()
        if job is None:
            return
        if self._places.marker("pause").exists():
            self._context.say_once("paused: no job is started until 'worker resume'")
        elif self._rounds.room(job):
            self._rounds.begin(job)

    # ------------------------------------------------------------------------------------------------- stop

    def _stopping(self) -> bool:
        if self._stop_since is None and (self._signalled or self._places.marker("stop").exists()):
            self._stop_since = time.monotonic()
            self._context.log.say("stopping")
        return self._stop_since is not None

    def _still_ending(self, job: Job) -> bool:
        """Ask the training to end, more and more firmly; True while its end has to be awaited or written down."""
        if not self._rounds.slot.busy:
            return bool(job.launched)
        if not job.stopping:
            self._context.jobs.change(job, stopping=1)
        waited = time.monotonic() - (self._stop_since or 0)
        grace = self._settings.grace_seconds
        due = {signal.SIGINT: 0.0, signal.SIGTERM: grace, signal.SIGKILL: grace + KILL_SECONDS}
        for number, seconds in due.items():
            if number not in self._sent and waited >= seconds and self._rounds.launch(job).signal(number):
                self._sent.add(number)
                self._context.say(job, f"{job.phase} was sent {number.name}")
        return True

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(number: int, _: FrameType | None) -> None:
            if self._signalled:
                raise KeyboardInterrupt
            self._signalled = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _report(self, job: Job) -> None:
        if time.monotonic() - self._reported >= REPORT_SECONDS:
            self._reported = time.monotonic()
            if said := tail(self._rounds.launch(job).log, 1):
                self._context.say(job, f"{job.phase}: {said}")
