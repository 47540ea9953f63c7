"""The worker: takes jobs, runs each as a process of its own that outlives it, and writes down how it ended.

Killed at any moment, another worker goes on: it finds the process that still runs, or how it ended, or starts the same command
again, which goes on where it was."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from augment_correction.folders import private_folder
from augment_correction.launching.slot import Launch, Slot
from augment_correction.workspace import datasets, jobs, tokens
from augment_correction.workspace.database import DATABASE_AWAY, Database
from augment_correction.workspace.learning import hand_over, harvest
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.tables import Job

POLL = 1.0
ENDED_WELL = (0, 3)
"""3: the acceptance test rejects, or cannot decide. That is a result, too."""
GONE = "Its process ended for an unknown reason."


class Worker:
    """One job of its `kinds` at a time; several workers may run, on one machine, over one database."""

    def __init__(self, settings: Settings, database: Database, kinds: Sequence[str] = jobs.KINDS) -> None:
        self._settings, self._database, self._kinds = settings, database, kinds
        self._lease = tokens.new_token()
        self._stop = threading.Event()

    def run(self) -> None:
        """Until `stop`."""
        while not self._stop.is_set():
            try:
                worked = self.work()
            except Exception:  # a database that is away for a while must not end the worker
                traceback.print_exc(file=sys.stderr)
                worked = False
            if not worked:
                self._stop.wait(POLL)

    def stop(self) -> None:
        """What runs goes on by itself, and the next worker takes it over."""
        self._stop.set()

    def work(self) -> bool:
        """One job to its end, or until stopped. False where there is none."""
        with self._database.as_system(writes=True) as session:
            found = jobs.take(session, self._lease, self._kinds)
        if found is None:
            return False
        try:
            self._run(found)
        except DATABASE_AWAY:
            raise  # the job is still ours, and goes on when it is back
        except Exception as failure:
            traceback.print_exc(file=sys.stderr)
            self._finish(found, "failed", f"{type(failure).__name__}: {failure}"[:500])
        return True

    # ------------------------------------------------------------------------------------------------- a process

    def _run(self, job: Job) -> None:
        slot, launch = self._place(job)
        while not slot.busy and launch.code is None:
            if job.tries >= jobs.MOST_TRIES:
                self._finish(job, "failed", f"{GONE} It was tried {job.tries} times. The end of its log shows more.")
                return
            if not self._begin(job):
                return
            slot, launch = self._place(job)
            if slot.start(self._command(job), launch, Path.cwd()):
                break
        if not self._await(job, slot, launch):
            return
        code = launch.code
        if code is None:
            self._run(job)
        elif code in ENDED_WELL:
            self._finish(job, "done", self._harvest(job))
        else:
            self._finish(job, "failed", self._words(job, launch.log) or f"It ended with exit code {code}.")

    def _place(self, job: Job) -> tuple[Slot, Launch]:
        folder = job_folder(self._settings, job)
        private_folder(folder)
        organisation = self._settings.organisation_folder(job.org_id)
        return Slot(organisation / f"{job.kind}.slot"), Launch(folder, job.kind, job.tries)

    def _begin(self, job: Job) -> bool:
        job.tries += 1
        with self._database.as_system(writes=True) as session:
            return jobs.beat(session, job.id, self._lease, tries=job.tries)

    def _await(self, job: Job, slot: Slot, launch: Launch) -> bool:
        """False where it is no longer ours, or we are to stop."""
        while slot.busy:
            with self._database.as_system(writes=True) as session:
                ours = jobs.beat(session, job.id, self._lease)
            if not ours:
                self._end_if_cancelled(job, launch)
                return False
            if self._stop.wait(POLL):
                return False
        for _ in range(20):  # its supervisor writes the code a moment after
            if launch.code is not None:
                break
            time.sleep(0.1)
        return True

    def _end_if_cancelled(self, job: Job, launch: Launch) -> None:
        with self._database.as_system() as session:
            cancelled = jobs.job(session, job.id).state == "cancelled"
        if cancelled:
            launch.signal(signal.SIGTERM)

    def _words(self, job: Job, log: Path) -> str:
        unread = datasets.unread(log) if job.kind in datasets.KINDS else ""
        return unread or without_paths(self._settings, job, last_words(log))

    def _finish(self, job: Job, state: str, result: str) -> None:
        with self._database.as_system(writes=True) as session:
            jobs.finish(session, job.id, self._lease, state, result)

    # ----------------------------------------------------------------------------------------------- its kinds

    def _command(self, job: Job) -> list[str]:
        commands: dict[str, Callable[[], list[str]]] = {
            "train": lambda: hand_over(self._settings, self._database, job.org_id),
            **dict.fromkeys(datasets.KINDS, lambda: datasets.command(self._settings, job)),
        }
        return commands[job.kind]()

    def _harvest(self, job: Job) -> str:
        if job.kind in datasets.KINDS:
            return datasets.result(self._settings, job, log_path(self._settings, job))
        return harvest(self._settings, self._database, job)


def job_folder(settings: Settings, job: Job) -> Path:
    return settings.organisation_folder(job.org_id) / "jobs" / job.id


def log_path(settings: Settings, job: Job) -> Path:
    return job_folder(settings, job) / f"{job.kind}.log"


def log_of(settings: Settings, job: Job, most: int = 20_000) -> str:
    """The end of what its process said, for a person: about `most` bytes, from the beginning of a line on."""
    try:
        with log_path(settings, job).open("rb") as file:
            begin = max(0, file.seek(0, os.SEEK_END) - most)
            file.seek(begin)
            data = file.read(most)
    except OSError:
        return ""
    if begin:
        data = data[data.find(b"\n") + 1 :]
    return without_paths(settings, job, data.decode("utf-8", "replace"))


def without_paths(settings: Settings, job: Job, text: str) -> str:
    """Nobody who reads a log in a browser needs to know where the server keeps its files."""
    return text.replace(f"{settings.organisation_folder(job.org_id)}/", "")


def last_words(log: Path) -> str:
    """The last line that says why it ended, else the last one."""
    try:
        lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    except OSError:
        return ""
    errors = [line for line in lines if line.startswith(("error:", "stopped:"))]
    return (errors or lines or [""])[-1].removeprefix("stopped: ")[:500]
