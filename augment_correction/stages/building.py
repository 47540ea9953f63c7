"""From a declaration to the stage that does it. A new kind of stage is registered here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from augment_correction.declarations import (
    AskStage,
    AttemptStage,
    CheckStage,
    ComposeStage,
    FillStage,
    GradeStage,
    GroundStage,
    JudgeStage,
    SpreadStage,
)
from augment_correction.pipeline import Pipeline
from augment_correction.stages.ask import Ask
from augment_correction.stages.attempt import Try
from augment_correction.stages.base import Stage, Station, Surroundings
from augment_correction.stages.check import Check
from augment_correction.stages.compose import Compose
from augment_correction.stages.fill import Fill
from augment_correction.stages.grade import Grade
from augment_correction.stages.ground import Ground
from augment_correction.stages.judge import Judge
from augment_correction.stages.spread import Spread

BUILDERS: dict[type, Callable[[Any, Surroundings], Stage]] = {
    JudgeStage: Judge,
    AskStage: Ask,
    CheckStage: Check,
    GroundStage: Ground,
    AttemptStage: Try,
    GradeStage: Grade,
    FillStage: Fill,
    SpreadStage: Spread,
    ComposeStage: Compose,
}


def build_stations(pipeline: Pipeline, around: Surroundings) -> tuple[Station, ...]:
    """Its stages in order; cutting the documents is done before the first of them."""
    stations = []
    for declared in pipeline.stages:
        if type(declared) in BUILDERS:
            kinds = pipeline.kinds_at(declared)
            stations.append(Station(declared.name, BUILDERS[type(declared)](declared, around), kinds))
    return tuple(stations)
