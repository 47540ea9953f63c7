"""Takes in what lies in the inbox and, by hand or by a program, in the queue's folders of priorities."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson

from augment_correction.errors import InputError, UserError
from augment_correction.folders import to_disk
from augment_correction.rows import format_of, looks_like_a_row
from augment_correction.store.folder import atomic_write
from augment_correction.store.room import no_room
from augment_correction.worker.arrivals import Arrivals
from augment_correction.worker.context import WorkerContext
from augment_correction.worker.entries import is_regular, refuse_special, signature, storable
from augment_correction.worker.folder import PRIORITIES, free_name, move
from augment_correction.worker.jobs import Job
from augment_correction.worker.rows import check

_NUMBERED = re.compile(r"^\d{6,}-")


class Intake:
    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._arrivals = Arrivals(context.config.worker.settle_seconds)
        self._lying: dict[str, Path] = {}
        self._metadata: dict[Path, object] = {}
        self._left: dict[Path, str] = {}

    def look(self) -> None:
        places = self._context.places
        folders = {places.inbox: "normal", **{places.queue / each: each for each in PRIORITIES}}
        entries = {path: PRIORITIES.index(folders[folder]) for folder in folders for path in folder.iterdir()}
        before, self._lying = self._lying, {}
        self._metadata = {path: seen for path, seen in self._metadata.items() if path in entries}
        strangers: list[Path] = []
        for path, priority in entries.items():
            with self._apart(path):
                if not self._is_known(path, priority, before):
                    strangers.append(path)
        for path in self._arrivals.whole(strangers):
            with self._apart(path):
                self._take_in(path, entries[path])

    @contextmanager
    def _apart(self, path: Path) -> Iterator[None]:
        """What is wrong with one entry ends neither the loop nor the repair. A full disk is no fault of an entry."""
        try:
            yield
        except Exception as failure:
            if no_room(failure):
                raise
            told = f"{storable(path.name)} in {path.parent} was left in place: {type(failure).__name__}: {failure}"
            if self._left.get(path) != told:
                self._left[path] = told
                self._context.log.say(told)

    def _take_in(self, path: Path, priority: int) -> None:
        name = storable(path.name)
        coming = self._context.jobs.coming(str(path.with_name(name).relative_to(self._context.places.root)))
        if name != path.name:
            move(path, free_name(path.with_name(name)))  # and it is taken under that name, at a later look
        elif coming is not None:
            self._bring(coming)
        elif self._is_metadata(path):
            self._attach(path)
        else:
            self._register(path, priority)

    def _is_metadata(self, path: Path) -> bool:
        """A file that waits for its rows is read once, not at every look."""
        looks = signature(path)
        if self._metadata.get(path) == looks:
            return True
        if _is_metadata(path):
            self._metadata[path] = looks
        return path in self._metadata

    def mend(self) -> None:
        """Finish what a kill left between the database and the folders. What lies in a folder of priorities is left to
        `look`: it may have been put there by hand."""
        for job in self._context.jobs.all():
            with self._apart(self._context.places.queue / job.folder / job.name):
                self._mend(job)

    def _mend(self, job: Job) -> None:
        entry, reason = self._context.places.found(job.name), self._context.places.reason(job.name)
        by_hand = job.state in ("queued", "failed") and entry is not None and entry.parent.name in PRIORITIES
        if not by_hand:
            self._bring(job)
        if job.state == "failed" and os.path.lexists(reason.with_name(job.name)) and not reason.exists():
            give_reason(self._context, job, None)

    def _is_known(self, path: Path, priority: int, before: Mapping[str, Path]) -> bool:
        """An entry of a job, not a copy of one nor a refused file that was mended. Only what is new in its folder is asked
        for: there may be thousands."""
        original = _NUMBERED.sub("", path.name)
        if path.parent == self._context.places.inbox or original == path.name or storable(original) != original:
            return False
        if before.get(path.name) != path:
            job = self._context.jobs.named(path.name)
            place = self._context.places.queue / job.folder / job.name if job else path
            if job is None or job.rows is None or (place != path and os.path.lexists(place)):
                return False
            self._moved_by_hand(job, priority)
        self._lying[path.name] = path
        return True

    def _moved_by_hand(self, job: Job, priority: int) -> None:
        if job.state == "failed":
            retry(self._context, job, priority=priority)
        elif job.state == "queued" and job.priority != priority:
            self._context.say(
                self._context.jobs.change(job, priority=priority), f"is of {PRIORITIES[priority]} priority now"
            )
        else:
            self._bring(job)

    def _register(self, path: Path, priority: int) -> None:
        """The row first, then the rename: `mend` can do the second alone."""
        context, original = self._context, _NUMBERED.sub("", path.name)
        source = str(path.relative_to(context.places.root))
        try:
            refuse_special(path)
            if path.is_file():
                to_disk(path)
            found = check(path, context.config.project, chats=bool(context.config.corrections.command))
            twin = context.jobs.same_data(found.sha256)
            if twin is not None:
                raise InputError(
                    f"the same rows came in as job {twin.id} ({twin.original})",
                    hint=f"to train on them again: worker retry {twin.id}",
                )
        except Exception as failure:  # whatever a stranger's file does to the readers is said of that file
            if no_room(failure):
                raise
            self._refuse(context.jobs.add(original, source, priority, state="failed", reason=_why(failure)), failure)
            return
        named = {"run": str(found.run)} if found.run is not None and found.run != path else {}
        facts = {"rows": found.rows, "format": found.format, "sha256": found.sha256, **named}
        job = context.jobs.add(original, source, priority, state="queued", **facts)
        self._bring(job)
        context.say(job, f"taken in: {job.rows} rows of {job.format}, {PRIORITIES[priority]} priority")

    def _refuse(self, job: Job, failure: Exception) -> None:
        self._bring(job)
        give_reason(self._context, job, failure.hint if isinstance(failure, UserError) else None)
        self._context.say(job, f"refused: {job.reason}")

    def _bring(self, job: Job) -> None:
        """Into the folder of its state; a file that has not been fetched yet, from where it came in."""
        places = self._context.places
        if job.source:
            if os.path.lexists(places.root / job.source):
                move(places.root / job.source, places.queue / job.folder / job.name)
            self._context.jobs.change(job, source="")
        places.put(job.name, job.folder)

    def _attach(self, path: Path) -> None:
        """A file's metadata goes to the records of its job; while there is none it waits where it is."""
        job = self._context.jobs.last_of(f"{path.stem}.jsonl")
        if job is not None:
            move(path, free_name(self._context.places.job(job.id) / path.name))


def _why(failure: Exception) -> str:
    if isinstance(failure, UserError):
        return failure.message
    return f"cannot be read: {failure if isinstance(failure, OSError) else f'{type(failure).__name__}: {failure}'}"


def _is_metadata(path: Path) -> bool:
    if path.suffix != ".json" or not is_regular(path):
        return False
    try:
        value = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    try:
        return isinstance(value, Mapping) and not looks_like_a_row(value) and format_of(value, str(path), path) is None
    except UserError:
        return False  # `check` refuses the file with the reason


def give_reason(context: WorkerContext, job: Job, remedy: str | None) -> None:
    """`<name>.reason.txt` beside the failed file."""
    again = f"or, once the cause is removed: worker retry {job.id}; with --fresh the training starts without the checkpoints of the round"
    with atomic_write(context.places.reason(job.name)) as file:
        file.write(f"{job.original}: {job.reason}\nremedy: {f'{remedy}; ' if remedy else ''}{again}\n".encode())


def retry(context: WorkerContext, job: Job, *, priority: int | None = None, fresh: bool = False) -> str:
    """Queue an ended job again; returns what was done. A training that failed goes on from its checkpoints, unless it is
    to be `fresh`, was decided, or another adapter is current by then. A refused file is looked at anew.

    Raises: InputError where the job has not ended.
    """
    if job.state not in ("failed", "done"):
        raise InputError(f"job {job.id} is {job.state}", hint="only a failed or finished job can be retried")
    places = context.places
    old = places.reason(job.name)
    if old.exists():
        move(old, free_name(places.job(job.id) / "reason.txt"))
    if job.rows is None:
        entry = places.found(job.name)
        if entry is None:
            raise InputError(f"the file of job {job.id} no longer exists", hint="copy the file into the inbox again")
        move(entry, free_name(places.inbox / job.original))
        return f"job {job.id}: {job.original} is back in the inbox"
    anew = {"round": None, "phase": None} if fresh or job.state == "done" else {}
    priority = job.priority if priority is None else priority
    changes = {"state": "queued", "priority": priority, "attempts": 0, "launched": 0, "stopping": 0, "ended": None}
    queued = context.jobs.change(job, **changes, reason=None, **anew)
    places.put(queued.name, queued.folder)
    return f"job {job.id} is queued again"
