"""From a declaration to the stage that does it. A new kind of stage is registered here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from augment_correction.pipeline import AskStage, CheckStage, ComposeStage, JudgeStage
from augment_correction.stages.ask import Ask
from augment_correction.stages.base import Stage, Surroundings
from augment_correction.stages.check import Check
from augment_correction.stages.compose import Compose
from augment_correction.stages.judge import Judge

BUILDERS: dict[type, Callable[[Any, Surroundings], Stage]] = {
    JudgeStage: Judge,
    AskStage: Ask,
    CheckStage: Check,
    ComposeStage: Compose,
}


def build_stage(declared: JudgeStage | AskStage | CheckStage | ComposeStage, around: Surroundings) -> Stage:
    return BUILDERS[type(declared)](declared, around)
