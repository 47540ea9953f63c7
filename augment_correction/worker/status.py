"""What `worker status` shows, read from the outside while the worker works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import InputError
from augment_correction.launching.process_id import ProcessId
from augment_correction.launching.slot import Launch
from augment_correction.worker.config import WorkerConfig
from augment_correction.worker.current import current
from augment_correction.worker.entries import storable
from augment_correction.worker.jobs import Job
from augment_correction.worker.log import tail
from augment_correction.worker.places import MARKERS, PRIORITIES
from augment_correction.worker.site import Site, free_gb


def open_site(config: WorkerConfig) -> Site:
    """Raises: InputError where no worker has ever worked there."""
    if not (config.root / "worker.sqlite").is_file():
        waiting = sum(1 for name in PRIORITIES for _ in (config.root / "queue" / name).glob("*"))
        told = f"; {waiting} files are waiting in its queue" if waiting else ""
        raise InputError(f"no worker has worked in {config.root} yet{told}", hint="start one: worker run CONFIG")
    return Site(config)


def worker_of(site: Site) -> ProcessId | None:
    """The one that runs; on another machine also one that was killed there."""
    found = site.places.holder()
    return found if found and (found.alive or not found.here) else None


def snapshot(site: Site) -> dict[str, Any]:
    """JSON-safe; times are seconds since 1970."""
    now, worker = current(site), worker_of(site)
    return {
        "root": str(site.places.root),
        "workers": [{"pid": worker.pid, "host": worker.host}] if worker else [],
        "markers": [name for name in MARKERS if site.places.marker(name).exists()],
        "free_gb": round(free_gb(site.places.root), 1),
        "current": {"round": now.number, "adapter": str(site.places.root / now.adapter)} if now else None,
        "inbox": sorted(storable(path.name) for path in site.places.inbox.iterdir()),
        "jobs": [_job(site, job) for job in site.jobs.all()],
        "rounds": [
            {name: getattr(each, name) for name in each.__slots__}
            | {"metrics": orjson.loads(each.metrics) if each.metrics else None}
            for each in site.jobs.rounds()
        ],
    }


def _job(site: Site, job: Job) -> dict[str, Any]:
    shown = ("id", "original", "state", "phase", "format", "rows", "attempts", "round", "reason", "sha256", "run")
    times = ("added", "started", "ended")
    folder = site.places.job(job.id)
    made = site.jobs.round(job.round)
    return {name: getattr(job, name) for name in (*shown, *times)} | {
        "priority": PRIORITIES[job.priority],
        "file": str(Path("queue") / job.folder / job.name),
        "decision": made.decision if made else None,
        "parent": made.parent if made else None,
        "last_line": tail(Launch(folder, job.phase, job.launches).log, 1) if job.phase else "",
    }
