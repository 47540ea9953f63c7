"""`check`: what is wrong with a config and all it names, before a run finds out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from augment_correction.cli import Config, Json, Overrides, app
from augment_correction.errors import ExitCode
from augment_correction.terminal import say

if TYPE_CHECKING:
    from augment_correction.models import ModelsConfig
    from augment_correction.runner.finding import Finding

EXAMPLES = """
Examples:

  python -m augment_correction check configs/correction_api.yaml

  python -m augment_correction check configs/evaluate.yaml
"""


@app.command(epilog=EXAMPLES)
def check(config: Config, overrides: Overrides = None, as_json: Json = False) -> None:
    """Check the config of a run, an evaluation, a training, a monitor, a chat or a worker, and everything that it names: prompts and their
    variables, input, held-out set, keys and servers. No tokens are spent."""
    findings = asyncio.run(_findings(config, overrides or []))
    findings += _plugins(findings)
    wrong = sum(not finding.ok for finding in findings)
    if as_json:
        say(json.dumps({"failed": wrong, "findings": [asdict(finding) for finding in findings]}, indent=1))
        raise typer.Exit(int(ExitCode.USER if wrong else ExitCode.DONE))
    for finding in findings:
        say(f"{'ok     ' if finding.ok else 'FAILED '}{finding.what}")
        if finding.remedy:
            say(f"         remedy: {finding.remedy}")
    say(f"{wrong} of {len(findings)} checks failed" if wrong else "all good")
    raise typer.Exit(int(ExitCode.USER if wrong else ExitCode.DONE))


def _plugins(findings: Sequence[Finding]) -> list[Finding]:
    """Those that were loaded for the rows of an evaluation, a training or a worker; a run says it where it names its pipeline."""
    from augment_correction.plugins import loaded
    from augment_correction.runner.finding import Finding

    said = {finding.what for finding in findings}
    return [Finding(True, plugin) for plugin in loaded() if plugin not in said]


async def _findings(config: str, overrides: list[str]) -> list[Finding]:
    from augment_correction.config_files import command_of

    match command_of(config):
        case "evaluate":
            from augment_correction.evals.checking import check_evaluation

            return await check_evaluation(config, overrides)
        case "train":
            from augment_correction.training.checking import check_training

            return [*check_training(config, overrides), *await _monitor_of(config, overrides)]
        case "train --monitor":
            return await _monitor(config, overrides)
        case "chat":
            return await _chat(config, overrides)
        case "worker run":
            return await _worker(config)
        case "experiment run":
            from augment_correction.experiment.checking import check_experiment

            return await check_experiment(config, overrides)
    from augment_correction.runner.checking import check_run

    return await check_run(config, overrides)


async def _monitor(path: str, overrides: list[str]) -> list[Finding]:
    from augment_correction.monitor import load_monitor

    return await _with_models(load_monitor, path, overrides)


async def _chat(path: str, overrides: list[str]) -> list[Finding]:
    from augment_correction.corrections.config import load_chat

    return await _with_models(load_chat, path, overrides)


async def _with_models(
    load: Callable[[str, list[str]], ModelsConfig], path: str, overrides: list[str]
) -> list[Finding]:
    """Of a config that names little but models."""
    from augment_correction.errors import AugmentCorrectionError
    from augment_correction.runner.finding import Finding, wrong
    from augment_correction.runner.model_checks import check_models

    try:
        loaded = load(path, overrides)
    except AugmentCorrectionError as failure:
        return list(wrong(failure))
    return [Finding(True, f"config {path}"), *await check_models(loaded, loaded.by_role)]


async def _monitor_of(path: str, overrides: list[str]) -> list[Finding]:
    """Of the monitor that a training names."""
    from augment_correction.errors import AugmentCorrectionError
    from augment_correction.training.config import load_train_config

    try:
        loaded = load_train_config(path, None, overrides)
    except AugmentCorrectionError:
        return []  # said already
    return await _monitor(str(loaded.project.resolve(loaded.monitor)), []) if loaded.monitor else []


async def _worker(path: str) -> list[Finding]:
    """With the configs of its training and its gate, whose data and models are those of a round."""
    from augment_correction.evals.checking import check_evaluation
    from augment_correction.training.checking import check_training
    from augment_correction.worker.checking import check_worker

    findings, config = check_worker(path)
    if config is None:
        return findings
    if train := config.existing(config.train.config):
        findings += check_training(train, data=False)
    if gate := config.existing(config.gate.config):
        findings += await check_evaluation(gate, models=False)
    if chat := config.existing(config.corrections.config):
        findings += await _chat(chat, [])
    return findings
