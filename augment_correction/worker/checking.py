"""Everything that can be found out about a worker's config before a file comes in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from augment_correction.errors import AugmentCorrectionError
from augment_correction.launching.commands import command, placeholders
from augment_correction.runner.finding import Finding, writable, wrong
from augment_correction.worker.config import WorkerConfig, load_worker


def check_worker(path: str | Path) -> tuple[list[Finding], WorkerConfig | None]:
    """The findings, and the config where it can be read: it names other configs."""
    try:
        config = load_worker(path)
    except AugmentCorrectionError as failure:
        return list(wrong(failure)), None
    findings = [Finding(True, f"config {path}"), writable("folder", config.root, "set worker.root")]
    try:
        config.check_configs()
    except AugmentCorrectionError as failure:
        findings += wrong(failure)
    return [*findings, *_programs(config)], config


def _programs(config: WorkerConfig) -> Iterator[Finding]:
    """The first word of each command, where it is no placeholder."""
    commands = {
        "check.rows": config.check.rows,
        "check.run": config.check.run,
        "train.command": config.train.command,
        "gate.command": config.gate.command,
        "corrections.command": config.corrections.command,
    }
    for key, template in commands.items():
        name = next(iter(command(template, {})), "")
        if not name or placeholders(template.split()[0]):
            continue
        if shutil.which(name):
            yield Finding(True, f"{key}: {name} is there")
        else:
            yield Finding(False, f"{key}: there is no program '{name}'", "install it, or write its full path")
