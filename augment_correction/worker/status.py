"""What `worker status` shows, read from the outside while the worker works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import InputError
from augment_correction.launching.process_id import ProcessId
from augment_correction.launching.slot import Launch
from augment_correction.worker.config import WorkerConfig
from augment_correction.worker.context import WorkerContext, free_gb
from augment_correction.worker.current import current
from augment_correction.worker.entries import storable
from augment_correction.worker.folder import MARKERS, PRIORITIES
from augment_correction.worker.jobs import Job
from augment_correction.worker.log import tail


def open_context(config: WorkerConfig) -> WorkerContext:
    """Raises: InputError where no worker has ever worked there."""
    if not (config.root / "worker.sqlite").is_file():
        waiting = sum(1 for name in PRIORITIES for _ in (config.root / "queue" / name).glob("*"))
        told = f"; {waiting} files are waiting in its queue" if waiting else ""
        raise InputError(f"no worker has worked in {config.root} yet{told}", hint="start one: worker run CONFIG")
    return WorkerContext(config)


def worker_of(context: WorkerContext) -> ProcessId | None:
    """The one that runs; on another machine also one that was killed there."""
    found = context.places.holder()
    return found if found and (found.alive or not found.here) else None


def snapshot(context: WorkerContext) -> dict[str, Any]:
    """JSON-safe; times are seconds since 1970."""
    now, worker = current(context), worker_of(context)
    return {
        "root": str(context.places.root),
        "workers": [{"pid": worker.pid, "host": worker.host}] if worker else [],
        "markers": [name for name in MARKERS if context.places.marker(name).exists()],
        "free_gb": round(free_gb(context.places.root), 1),
        "current": {"round": now.number, "adapter": str(context.places.root / now.adapter)} if now else None,
        "inbox": sorted(storable(path.name) for path in context.places.inbox.iterdir()),
        "jobs": [_job(context, job) for job in context.jobs.all()],
        "rounds": [
            {name: getattr(each, name) for name in each.__slots__}
            | {"metrics": orjson.loads(each.metrics) if each.metrics else None}
            for each in context.jobs.rounds()
        ],
    }


def _job(context: WorkerContext, job: Job) -> dict[str, Any]:
    shown = ("id", "original", "state", "phase", "format", "rows", "attempts", "round", "reason", "sha256", "run")
    times = ("added", "started", "ended")
    folder = context.places.job(job.id)
    made = context.jobs.round(job.round)
    return {name: getattr(job, name) for name in (*shown, *times)} | {
        "priority": PRIORITIES[job.priority],
        "file": str(Path("queue") / job.folder / job.name),
        "decision": made.decision if made else None,
        "parent": made.parent if made else None,
        "last_line": tail(Launch(folder, job.phase, job.launches).log, 1) if job.phase else "",
    }
