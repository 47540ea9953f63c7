"""The steps of a pipeline: each a small async function of a record. A stage asks, checks and raises `Reject`; it never
catches, counts, times, retries or writes, since the runner does that once for all of them."""

from augment_correction.stages.base import BoundStage, StageContext, Tools, neutral, with_fields
from augment_correction.stages.building import bind_stages, register_stage, versions_of
from augment_correction.stages.checks import CheckInput, CheckResult, register_check
from augment_correction.stages.model_call import ModelCall
from augment_correction.text.language import language_of

__all__ = [
    "BoundStage",
    "CheckInput",
    "CheckResult",
    "ModelCall",
    "StageContext",
    "Tools",
    "bind_stages",
    "language_of",
    "neutral",
    "register_check",
    "register_stage",
    "versions_of",
    "with_fields",
]
