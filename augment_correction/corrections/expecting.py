"""What a round over approved corrections would take, before anybody is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from augment_correction.config_files import with_environment_keys
from augment_correction.corrections.config import ChatConfig
from augment_correction.corrections.correction import Correction
from augment_correction.corrections.preparing import passages_of, pipeline_of, run_config_of, trained_kinds
from augment_correction.runner import Estimate, estimate


@dataclass(frozen=True)
class Expected:
    """`rows` to train of them at most, where each wording and each demonstration passes its checks, those of `corrections.keep` not counted; `estimate` is of what writes them and
    the probes. The answers to probes are the model's own, on this machine."""

    corrections: int
    rows: int
    estimate: Estimate


def expected(config: ChatConfig, approved: Sequence[Correction]) -> Expected:
    """Reads the corrections as `learn` does, and asks nobody.

    Raises: ConfigError where the pipeline or its prompts cannot be used.
    """
    config = with_environment_keys(config.untrained())
    made = asyncio.run(estimate(run_config_of(config), passages=passages_of(approved)))
    return Expected(len(approved), len(approved) * rows_of_one(config), made)


def rows_of_one(config: ChatConfig) -> int:
    """The most training rows of a correction: 36 with 8 wordings besides the question and 4 demonstrations of each."""
    pipeline = pipeline_of(config)
    if config.corrections.context == "follow_up" and config.corrections.method != "sft":
        return 1
    kinds = trained_kinds(config)
    return sum(pipeline.records_at(each) for each in pipeline.compositions if each.kind in kinds)
