"""One job on its way: check, train, gate, and what each of them can end with.

Every step reads the database, does one thing and writes the database, so that the next step, of this worker or of
another one after a kill, finds all it needs there, in the slot's lock and in the exit file of the last start.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import UserError
from augment_correction.launching.commands import fill
from augment_correction.launching.slot import Launch, Slot
from augment_correction.store.room import no_room
from augment_correction.worker.context import WorkerContext
from augment_correction.worker.current import current, point, shown
from augment_correction.worker.intake import give_reason
from augment_correction.worker.jobs import Job, Round
from augment_correction.worker.log import tail
from augment_correction.worker.phases import phase_command
from augment_correction.worker.report import read_report, why
from augment_correction.worker.rows import CORRECTIONS

HOPELESS = (2, 4, 127)
"""Exit codes that another try would repeat: the user's mistake, the end of the money, no such program."""
REJECTED = 3
CHECKPOINTS = ("checkpoint-*", "checkpoints")


class Rounds:
    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self.slot = Slot(context.places.slot)
        self._not_before = 0.0
        self._after: dict[str, Callable[[Job, int], None]] = {
            "check": self._checked, "train": self._trained, "gate": self._gated,
        }  # fmt: skip

    # ------------------------------------------------------------------------------------------------ begin

    def begin(self, job: Job) -> None:
        """A round of its own; that of an earlier try, if it failed and its parent is still current."""
        context, now = self._context, current(self._context)
        parent = now.number if now else None
        made = context.jobs.round(job.round)
        with context.jobs.together():
            if made is not None and made.decision == "failed" and made.parent == parent:
                number, phase = made.number, job.phase
                context.jobs.change_round(number, decision=None, reason=None, ended=None)
            else:
                number, phase = max((each.number for each in context.jobs.rounds()), default=0) + 1, "check"
                adapter = Path(fill(context.config.train.adapter, {"out": str(context.places.round(number))}))
                where = str(adapter.relative_to(context.places.root))
                context.jobs.add_round(number=number, job=job.id, adapter=where, parent=parent, sha256=job.sha256)
            started = {"state": "running", "started": time.time()}
            job = context.jobs.change(job, **started, round=number, phase=phase, launched=0)
        context.places.put(job.name, job.folder)
        context.say(job, f"starts round {number} on {shown(now)}")

    # ---------------------------------------------------------------------------------------------- advance

    def advance(self, job: Job, *, stopping: bool) -> None:
        """Call it again and again while the job runs; it never waits."""
        if self.slot.busy:
            return
        if job.launched:
            self._ended(job, self.launch(job).code)
        elif not stopping and time.monotonic() >= self._not_before:
            try:
                self._launch(job)
            except (UserError, OSError) as failure:
                if no_room(failure):
                    raise
                self._fail(job, str(failure), getattr(failure, "hint", None))

    def launch(self, job: Job) -> Launch:
        """The job's last one."""
        return Launch(self._context.places.job(job.id), job.phase or "check", job.launches)

    def _launch(self, job: Job) -> None:
        context = self._context
        words = phase_command(context, job, self._round(job))
        if not words:
            self._checked(job, 0)
            return
        if not self.room(job):
            return
        context.places.job(job.id).mkdir(parents=True, exist_ok=True)
        job = context.jobs.change(job, launched=1, launches=job.launches + 1, attempts=job.attempts + 1)
        context.say(job, f"{job.phase}: {' '.join(words)}")
        started = False
        try:
            started = self.slot.start(words, self.launch(job), context.config.project.root)
        finally:
            if not started:
                context.jobs.change(job, launched=0, attempts=job.attempts - 1)

    def room(self, job: Job) -> bool:
        free, needed = self._context.free(self._context.places.root), self._context.config.worker.min_free_gb
        if free >= needed:
            return True
        self._context.say_once(f"job {job.id} waits: {free:.1f} GB are free, and worker.min_free_gb is {needed:g}")
        return False

    def _round(self, job: Job) -> Round:
        made = self._context.jobs.round(job.round)
        assert made is not None, "a running job has a round"
        return made

    # ------------------------------------------------------------------------------------------------- ends

    def _ended(self, job: Job, code: int | None) -> None:
        if job.stopping and code != 0:
            self._context.jobs.change(job, launched=0, stopping=0, attempts=job.attempts - 1)
            self._context.say(job, f"{job.phase} was stopped; the next worker resumes it")
            return
        if code is not None:
            self._after[job.phase or "check"](job, code)
        else:
            self._try_again(job, "was killed")

    def _checked(self, job: Job, code: int) -> None:
        if code:
            self._fail_with(job, code)
        else:
            self._context.jobs.change(job, phase="train", launched=0, attempts=0)

    def _learned(self, job: Job, code: int) -> None:
        """Corrections of chats: their training has its own probes and versions, and what is current here stays."""
        if code in (0, REJECTED):
            decision = "rejected" if code else "accepted"
            reason = why(self._report(self._round(job)), accepted=not code)
            self._finish(job, decision, reason or f"the training of the corrections says {decision}")
        else:
            self._broke(job, code)

    def _trained(self, job: Job, code: int) -> None:
        if job.format == CORRECTIONS:
            self._learned(job, code)
            return
        adapter = self._context.places.root / self._round(job).adapter
        if code == REJECTED:
            self._finish(job, "rejected", "the training found no checkpoint better than its starting point")
        elif code:
            self._broke(job, code)
        elif not adapter.is_dir() or not any(adapter.iterdir()):
            self._fail(
                job, f"the training ended with exit code 0 but wrote no adapter to {adapter}", "set train.adapter"
            )
        else:
            self._context.jobs.change(job, phase="gate", launched=0, attempts=0)
            self._context.say(job, f"trained: {adapter}")

    def _gated(self, job: Job, code: int) -> None:
        if code == 0:
            self._accept(job)
        elif code == REJECTED:
            reason = why(self._report(self._round(job)), accepted=False)
            self._finish(job, "rejected", reason or "the acceptance test rejected it")
        else:
            self._broke(job, code)

    def _accept(self, job: Job) -> None:
        """The link first: a kill before the row is written comes here again, and finds the link as it wants it."""
        made, now = self._round(job), current(self._context)
        if now is not None and now.number == made.number:
            pass
        elif (now.number if now else None) != made.parent:
            self._finish(job, "rejected", f"its parent is no longer current; current is {shown(now)}")
            return
        point(self._context, made)
        self._finish(job, "accepted", why(self._report(made), accepted=True) or "the acceptance test accepted it")

    def _finish(self, job: Job, decision: str, reason: str) -> None:
        context, made = self._context, self._round(job)
        ended = {"ended": time.time(), "reason": reason}
        report = self._report(made)
        metrics = None if report is None else orjson.dumps(report).decode()
        with context.jobs.together():
            context.jobs.change_round(made.number, decision=decision, metrics=metrics, **ended)
            job = context.jobs.change(job, state="done", phase=None, launched=0, stopping=0, **ended)
        context.places.put(job.name, job.folder)
        context.say(job, f"round {made.number} {decision}: {reason}; current is {shown(current(context))}")
        if not context.config.worker.keep_checkpoints:
            for pattern in CHECKPOINTS:
                for folder in context.places.round(made.number).glob(pattern):
                    shutil.rmtree(folder)

    def _report(self, made: Round) -> Any:
        out = str(self._context.places.round(made.number))
        return read_report(Path(fill(self._context.config.gate.report, {"out": out})))

    def _broke(self, job: Job, code: int) -> None:
        if code in HOPELESS:
            self._fail_with(job, code)
        else:
            self._try_again(job, f"ended with exit code {code}")

    def _try_again(self, job: Job, what: str) -> None:
        settings = self._context.config.worker
        if job.attempts >= settings.max_attempts:
            self._fail(job, f"{_named(job)} {what}, attempt {job.attempts} of {settings.max_attempts}", None)
            return
        self._not_before = time.monotonic() + settings.retry_seconds
        self._context.jobs.change(job, launched=0, stopping=0)
        self._context.say(
            job, f"{job.phase} {what}, attempt {job.attempts} of {settings.max_attempts}; it is tried again"
        )

    def _fail_with(self, job: Job, code: int) -> None:
        self._fail(job, f"{_named(job)} ended with exit code {code}", "the end of its log shows the cause")

    def _fail(self, job: Job, what: str, remedy: str | None) -> None:
        context, ended = self._context, {"ended": time.time()}
        log = self.launch(job).log
        said = tail(log) if job.launched else ""
        reason = f"{what}\n--- the end of {log}\n{said}\n---" if said else what
        with context.jobs.together():
            if job.round is not None:
                context.jobs.change_round(job.round, decision="failed", reason=what, **ended)
            job = context.jobs.change(job, state="failed", reason=reason, launched=0, stopping=0, **ended)
        context.places.put(job.name, job.folder)
        give_reason(context, job, remedy)
        context.say(job, f"failed: {what}")


def _named(job: Job) -> str:
    return {"train": "the training", "gate": "the acceptance test"}.get(job.phase or "", "the check")
