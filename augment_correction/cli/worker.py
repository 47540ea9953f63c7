"""`worker`: correction data in, one round of training after another, a gate behind each."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augment_correction.cli import Json, app
from augment_correction.cli.helping import Commands
from augment_correction.terminal import say, tell

if TYPE_CHECKING:
    from augment_correction.worker.context import WorkerContext
    from augment_correction.worker.folder import WorkerFolder

DEFAULT = "configs/worker.yaml"
WorkerFile = Annotated[str, typer.Argument(help="The config of the worker.", metavar="CONFIG")]
WorkerOption = Annotated[str, typer.Option("--config", help="The config of the worker.", metavar="CONFIG")]

worker = Commands(
    name="worker",
    help="Train a round on each incoming file; an acceptance test decides whether its adapter becomes the current one.",
    epilog="Example: python -m augment_correction worker run configs/worker.yaml",
)
app.add_typer(worker)


class Priority(StrEnum):
    high = "high"
    normal = "normal"
    low = "low"


@worker.command(epilog="Example: python -m augment_correction worker run configs/worker.yaml")
def run(config: WorkerFile = DEFAULT) -> None:
    """Process the queue in the foreground. Ctrl-C stops after the training has written a checkpoint; a second Ctrl-C stops at once."""
    from augment_correction.project import find_config
    from augment_correction.worker.config import load_worker
    from augment_correction.worker.working import Worker

    loaded = load_worker(config)
    tell(f"{find_config(Path(config)).resolve()}: works in {loaded.root}")
    Worker(loaded).run()


@worker.command(epilog="Example: python -m augment_correction worker add corrections.jsonl --priority high")
def add(
    paths: Annotated[list[Path], typer.Argument(help="Files of rows, or output folders of runs.", metavar="FILE")],
    priority: Annotated[
        Priority, typer.Option(help="The place in the queue: before (high) or after (low) the other jobs.")
    ] = Priority.normal,
    config: WorkerOption = DEFAULT,
) -> None:
    """Check files and copy them into the queue; no worker has to be running. The folder of a run is not copied."""
    from augment_correction.worker.adding import add_entries
    from augment_correction.worker.config import load_worker

    for entry, found in add_entries(load_worker(config), paths, priority.value):
        say(f"{entry}: {found.rows} rows of {found.format}")


@worker.command(epilog="Example: python -m augment_correction worker status --json | jq '.jobs[].state'")
def status(config: WorkerFile = DEFAULT, as_json: Json = False) -> None:
    """Show the worker, its jobs and its rounds."""
    from augment_correction.worker.status import snapshot

    seen = snapshot(_context(config))
    if as_json:
        say(json.dumps(seen, indent=1, ensure_ascii=False))
    else:
        _print_status(seen)


@worker.command(epilog="Example: python -m augment_correction worker pause")
def pause(config: WorkerFile = DEFAULT) -> None:
    """Start no further job. The running job goes on."""
    places = _places(config)
    places.make()
    places.marker("pause").touch()
    say(f"paused: {places.root}")


@worker.command(epilog="Example: python -m augment_correction worker resume")
def resume(config: WorkerFile = DEFAULT) -> None:
    """Start jobs again after `worker pause`."""
    places = _places(config)
    places.marker("pause").unlink(missing_ok=True)
    say(f"resumed: {places.root}")


@worker.command(epilog="Example: python -m augment_correction worker stop")
def stop(config: WorkerFile = DEFAULT) -> None:
    """Stop the worker. A running training writes a checkpoint first, and the next worker resumes from it."""
    from augment_correction.worker.status import worker_of

    context = _context(config)
    if worker_of(context) is None:
        say("no worker is running")
        return
    context.places.marker("stop").touch()
    say("stopping")


@worker.command(epilog="Example: python -m augment_correction worker retry 12")
def retry(
    job: Annotated[int, typer.Argument(help="The number of a failed or finished job.", metavar="JOB")],
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Start a new round instead of resuming from the checkpoints of the failed one."),
    ] = False,
    config: WorkerOption = DEFAULT,
) -> None:
    """Queue a failed or finished job again."""
    from augment_correction.errors import InputError
    from augment_correction.worker import intake

    context = _context(config)
    found = context.jobs.get(job)
    if found is None:
        raise InputError(f"there is no job {job}", hint="'worker status' lists all jobs")
    say(intake.retry(context, found, fresh=fresh))


@worker.command(epilog="Example: python -m augment_correction worker rollback")
def rollback(config: WorkerFile = DEFAULT) -> None:
    """Go back to the adapter from which the current one was trained. Nothing is deleted."""
    from augment_correction.worker import current

    left, now = current.rollback(_context(config))
    say(f"round {left.number} was current; now it is {current.shown(now)}")


def _places(config: str) -> WorkerFolder:
    """Also before the first worker has worked there."""
    from augment_correction.worker.config import load_worker
    from augment_correction.worker.folder import WorkerFolder

    return WorkerFolder(load_worker(config).root)


def _context(config: str) -> WorkerContext:
    from augment_correction.worker.config import load_worker
    from augment_correction.worker.status import open_context

    return open_context(load_worker(config))


def _print_status(seen: dict[str, Any]) -> None:
    from augment_correction.cli.tables import print_table

    running = ", ".join(f"{each['pid']} on {each['host']}" for each in seen["workers"]) or "none"
    marked = f" ({', '.join(seen['markers'])})" if seen["markers"] else ""
    now = f"round {seen['current']['round']}, {seen['current']['adapter']}" if seen["current"] else "the base model"
    say(f"worker   {running}{marked}\ncurrent  {now}\nfree     {seen['free_gb']} GB at {seen['root']}")
    if seen["inbox"]:
        say(f"inbox    {len(seen['inbox'])} waiting to be taken: {', '.join(seen['inbox'][:5])}")
    headers = ("job", "file", "priority", "state", "rows", "tries", "round", "gate", "added", "began", "ended")
    rows = []
    for job in seen["jobs"]:
        state = job["state"]
        if state == "running":
            state = f"running: {job['phase']}" if seen["workers"] else f"waits for a worker: {job['phase']}"
        made = f"{job['round']} on {job['parent'] or 'base'}" if job["round"] else ""
        cells = [
            job["id"],
            job["original"],
            job["priority"],
            state,
            job["rows"],
            job["attempts"],
            made,
            job["decision"],
        ]
        cells += [_time(job[name]) for name in ("added", "started", "ended")]
        rows.append(cells)
    print_table(headers, rows)
    for job in seen["jobs"]:
        if job["state"] == "running" and job["last_line"]:
            say(f"job {job['id']}: {job['last_line']}")
        elif job["state"] == "failed":
            first, *more = job["reason"].splitlines()
            where = f" ({seen['root']}/{job['file']}.reason.txt)" if more else ""
            say(f"job {job['id']} failed: {first}{where}")
        elif job["decision"] and job["reason"]:
            say(f"job {job['id']}, round {job['round']} {job['decision']}: {job['reason']}")


def _time(seconds: float | None) -> str:
    """The day is left out where it is today."""
    if seconds is None:
        return ""
    moment = datetime.fromtimestamp(seconds)
    return f"{moment:%H:%M:%S}" if moment.date() == datetime.now().date() else f"{moment:%m-%d %H:%M}"
