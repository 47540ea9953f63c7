"""The streaming engine: documents through the stages into a run folder."""

from augment_correction.plan import Plan, make_plan
from augment_correction.runner.estimate import Estimate, estimate
from augment_correction.runner.previewing import Preview, preview
from augment_correction.runner.running import run, run_async
from augment_correction.runner.state import RunResult, RunState, StageCounts

__all__ = [
    "Estimate",
    "Plan",
    "Preview",
    "RunResult",
    "RunState",
    "StageCounts",
    "estimate",
    "make_plan",
    "preview",
    "run",
    "run_async",
]
