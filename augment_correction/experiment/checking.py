"""Everything that can be found out about an experiment's config without a call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from augment_correction.errors import AugmentCorrectionError
from augment_correction.experiment.config import load_experiment
from augment_correction.experiment.planning import ExperimentPlan
from augment_correction.experiment.running import refuse
from augment_correction.experiment.sealing import read_sets
from augment_correction.runner.finding import Finding, writable, wrong
from augment_correction.runner.model_checks import check_models


async def check_experiment(path: str | Path, overrides: Sequence[str] = ()) -> list[Finding]:
    """Findings in the order in which an experiment would meet them."""
    try:
        config = load_experiment(path, overrides)
    except AugmentCorrectionError as failure:
        return list(wrong(failure))
    findings = [Finding(True, f"config {path}")]
    try:
        refuse(config)
    except AugmentCorrectionError as failure:
        findings += wrong(failure)
    try:
        plan = ExperimentPlan(config, read_sets(config))
        findings += (Finding(True, line.strip()) for line in plan.lines())
        findings.append(writable("output folder", config.output_dir, "set path.output_dir"))
    except AugmentCorrectionError as failure:
        findings += wrong(failure)
    return findings + await check_models(config, config.by_role)
