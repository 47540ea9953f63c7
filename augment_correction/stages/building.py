"""From a declaration to the stage that does it, ours and those that are registered."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from augment_correction.declarations import (
    STAGES,
    AskStage,
    AttemptStage,
    CheckStage,
    ComposeStage,
    FillStage,
    GradeStage,
    GroundStage,
    JudgeStage,
    SeveralStage,
    SpreadStage,
    StageDeclaration,
)
from augment_correction.errors import AugmentCorrectionError, PluginFailure
from augment_correction.pipeline import Pipeline
from augment_correction.plugins import failed, name_of
from augment_correction.stages.ask import Ask
from augment_correction.stages.attempt import Attempts
from augment_correction.stages.base import BoundStage, Stage, StageContext, stage_place
from augment_correction.stages.check import Check
from augment_correction.stages.checks import VERSIONS as CHECK_VERSIONS
from augment_correction.stages.compose import Compose
from augment_correction.stages.fill import Fill
from augment_correction.stages.grade import GradeAttempts
from augment_correction.stages.ground import Ground
from augment_correction.stages.judge import Judge
from augment_correction.stages.several import Several
from augment_correction.stages.spread import Spread

DeclarationT = TypeVar("DeclarationT", bound=StageDeclaration)
BUILDERS: dict[type, Callable[[Any, StageContext], Stage]] = {
    JudgeStage: Judge,
    AskStage: Ask,
    SeveralStage: Several,
    CheckStage: Check,
    GroundStage: Ground,
    AttemptStage: Attempts,
    GradeStage: GradeAttempts,
    FillStage: Fill,
    SpreadStage: Spread,
    ComposeStage: Compose,
}
"""`chunk` is not among them: documents are cut before the first stage."""
VERSIONS: dict[str, str] = {}
"""Of the stages that are registered, by their word."""


def register_stage(
    declaration: type[DeclarationT], build: Callable[[DeclarationT, StageContext], Stage], *, version: str = "1"
) -> None:
    """Register a stage of your own, so that pipelines can name it by the word of its declaration's `stage`.

    `build` is called once per run with the entry of the pipeline and a `StageContext` (prompts, sampling); what it returns is
    called with each record and the run's `Tools`, and returns the records to go on with: one, several, or none. It raises `Reject` to drop
    the record. It does not catch, retry, count or write: the runner does that for all stages, and a model that is
    asked through `Tools` is journaled, limited and paid for like every other. Raise `version` when the stage does something else: passages
    that went through an earlier version are then made anew, and model calls that are the same are still not asked again.

    Call it before a pipeline that names the stage is made; in an installed package, in the module that its entry point
    `augment_correction.plugins` names. On a Ray cluster every machine needs that package. To register the same word again replaces your own stage.

    Raises: ValueError where the word is one of ours, or the declaration has none.

    >>> class Shout(StageDeclaration):
    ...     stage: Literal["shout"] = "shout"
    ...     field: str
    ...
    ...     @property
    ...     def reads(self) -> tuple[str, ...]:
    ...         return (self.field,)
    >>> class InCapitals:
    ...     def __init__(self, stage: Shout, context: StageContext) -> None:
    ...         self.field = stage.field
    ...
    ...     async def __call__(self, record: Record, tools: Tools) -> list[Record]:
    ...         text = str(record.fields[self.field])
    ...         if not text:
    ...             raise Reject("empty", f"{self.field} is empty")
    ...         return [with_fields(record, {self.field: text.upper()})]
    >>> register_stage(Shout, InCapitals)
    """
    word = declaration.model_fields["stage"].default
    if not isinstance(word, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", word):
        raise ValueError(f'{declaration.__name__} needs a word of its own: stage: Literal["my_word"] = "my_word"')
    if word in STAGES and word not in VERSIONS:
        raise ValueError(f"'{word}' is a stage of augment_correction: give yours another word")
    STAGES[word] = declaration
    BUILDERS[declaration] = build
    VERSIONS[word] = version


def bind_stages(pipeline: Pipeline, context: StageContext) -> tuple[BoundStage, ...]:
    """Its stages in order, each built for its place.

    Raises: PluginFailure where a registered one cannot be built.
    """
    return tuple(
        BoundStage(
            declared.name,
            _built(declared, context),
            pipeline.kinds_at(declared),
            *((declared.stage, declared.writes) if declared.stage in VERSIONS else ()),
        )
        for declared in pipeline.stages
        if type(declared) in BUILDERS
    )


def _built(declared: StageDeclaration, context: StageContext) -> Stage:
    build = BUILDERS[type(declared)]
    if declared.stage not in VERSIONS:
        return build(declared, context)
    place = stage_place(declared.name, declared.stage)
    try:
        stage = build(declared, context)
    except AugmentCorrectionError:
        raise
    except Exception as failure:
        raise PluginFailure(f"{place} cannot be built: {failed(failure, build)}") from failure
    if not callable(stage):
        raise PluginFailure(f"{place}: {name_of(build)} returned {stage!r:.80}, which cannot be called with a record")
    return stage


def versions_of(pipeline: Pipeline) -> dict[str, str]:
    """Of the registered stages and checks that it names; empty where it names only ours."""
    stages = {stage.stage: VERSIONS[stage.stage] for stage in pipeline.stages if stage.stage in VERSIONS}
    checks = {check: CHECK_VERSIONS[check] for check in sorted(pipeline.checks) if check in CHECK_VERSIONS}
    return {f"stage {word}": version for word, version in stages.items()} | {
        f"check {name}": version for name, version in checks.items()
    }
