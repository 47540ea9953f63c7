"""The command of a job's phase."""

from __future__ import annotations

import sys
from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.launching.commands import command
from augment_correction.rows import in_known_kinds
from augment_correction.store import RunFolder
from augment_correction.store.json_files import write_lines
from augment_correction.worker.axolotl import write_round
from augment_correction.worker.context import WorkerContext
from augment_correction.worker.jobs import Job, Round
from augment_correction.worker.rows import CORRECTIONS, digest, run_of


def phase_command(context: WorkerContext, job: Job, made: Round) -> list[str]:
    """Empty where there is nothing to do in this phase.

    Raises: UserError where the data are not those that came in, or a config it needs cannot be read or names no command.
    """
    config, out = context.config, context.places.round(made.number)
    values = _values(context, job, made)
    if job.format == CORRECTIONS:
        if job.phase == "check":
            return []
        out.mkdir(parents=True, exist_ok=True)
        if words := command(config.corrections.command, values):
            return words
        raise InputError(
            "the worker's config no longer has a command for corrections of chats",
            hint="set corrections.command as in configs/worker.yaml and start the worker again",
        )
    if job.phase == "check":
        return command(config.check.run if values["run"] else config.check.rows, values)
    if job.phase == "gate":
        return command(config.gate.command, values)
    again = command(config.train.resume, values) if out.is_dir() else []
    out.mkdir(parents=True, exist_ok=True)
    return [*command(config.train.command, values), *again]


def _values(context: WorkerContext, job: Job, made: Round) -> dict[str, str | None]:
    config, out = context.config, context.places.round(made.number)
    data, run = _data(context, job)
    data = data if run else _in_known_kinds(context, job, data)
    base = context.jobs.round(made.parent)
    parent = str(context.places.root / base.adapter) if base else None
    values = {
        "python": sys.executable,
        "data": str(run or data),
        "run": str(run) if run else None,
        "out": str(out),
        "adapter": str(context.places.root / made.adapter),
        "parent": parent,
        "train_config": config.path(config.train.config),
        "evaluate_config": config.path(config.gate.config),
        "chat_config": config.path(config.corrections.config),
    }
    if config.train.axolotl:
        template, target = config.project.resolve(config.train.axolotl), context.places.job(job.id) / "axolotl.yaml"
        values["axolotl_yaml"] = str(write_round(template, target, data=data, out=out, parent=parent))
    return values


def _in_known_kinds(context: WorkerContext, job: Job, data: Path) -> Path:
    """A file in a registered format is given to the commands as rows that every trainer knows."""
    rows = in_known_kinds(data)
    if rows is None:
        return data
    target = context.places.job(job.id) / "rows.jsonl"
    write_lines(target, rows, default=str)
    return target


def _data(context: WorkerContext, job: Job) -> tuple[Path, Path | None]:
    """The file with the rows, and the run that it is of."""
    entry = context.places.queue / job.folder / job.name
    run = Path(job.run) if job.run else run_of(entry, context.config.project)
    data = RunFolder(run).dataset if run else entry
    if not data.is_file() or digest(data) != job.sha256:
        what = "has changed since it came in" if data.is_file() else "is gone"
        raise InputError(f"{data} {what}", hint="copy the file, or the file that names the run, into the inbox again")
    return data, run
