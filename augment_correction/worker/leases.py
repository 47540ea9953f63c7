"""Who may touch a running job: its owner, while the owner's heart beats."""

from __future__ import annotations

import time

from augment_correction.launching.process_id import ProcessId
from augment_correction.worker.jobs import Job
from augment_correction.worker.site import Site


class Leases:
    """Heartbeats are counted, not dated: whoever waits for one measures by its own monotonic clock."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._patience = site.config.worker.lease_seconds
        self._beaten = 0.0
        self._seen: dict[str, tuple[int, float]] = {}

    def sign_in(self) -> None:
        for owner in map(ProcessId.parse, self._site.jobs.workers()):
            if owner.here and not owner.alive:
                self._site.jobs.sign_out(str(owner))
        self._site.jobs.sign_in(self._site.owner)
        self._beaten = time.monotonic()

    def sign_out(self) -> None:
        self._site.jobs.sign_out(self._site.owner)

    def beat(self) -> None:
        """Four times in a lease; each costs an fsync."""
        if time.monotonic() - self._beaten >= self._patience / 4:
            self._beaten = time.monotonic()
            self._site.jobs.beat(self._site.owner)

    def held(self, job: Job, *, awaited: bool) -> Job | None:
        """The job as ours, which it may have become just now because its owner is gone; None while it is another's."""
        if job.owner == self._site.owner:
            return job
        if not self._expired(job.owner or ""):
            self._site.say_once(f"job {job.id} belongs to another worker: {job.owner}")
            return None
        still = "its process still runs and is awaited" if awaited else "nothing runs"
        self._site.say(job, f"taken over in phase {job.phase} from a worker that is gone; {still}")
        return self._site.jobs.change(job, owner=self._site.owner)

    def _expired(self, owner: str) -> bool:
        beats = self._site.jobs.workers()
        process = ProcessId.parse(owner) if owner else None
        if owner not in beats or process is None or (process.here and not process.alive):
            return True
        now = time.monotonic()
        beat, since = self._seen.get(owner, (-1, now))
        if beats[owner] != beat:
            self._seen[owner] = (beats[owner], now)
            return False
        return now - since >= self._patience
