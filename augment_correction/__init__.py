"""Turns mistakes into better models: documents in, loss-masked correction conversations out.

from augment_correction import load_config, run

result = run(load_config("configs/correction.yaml"))
print(result.kept, result.dataset)

`docs/reference/python.md` has every name with an example.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augment_correction.config import ApiConfig, PathConfig, RunConfig, SystemConfig, load_config
    from augment_correction.declarations import (
        AskStage,
        AttemptStage,
        CheckSpec,
        CheckStage,
        ChunkStage,
        ComposeStage,
        FillStage,
        GradeStage,
        GroundStage,
        JudgeStage,
        ModelStage,
        SpreadStage,
        StageDeclaration,
        TurnSpec,
    )
    from augment_correction.documents import register_reader
    from augment_correction.errors import (
        AugmentCorrectionError,
        ConfigError,
        ExitCode,
        InputError,
        MissingExtra,
        Reject,
        UserError,
    )
    from augment_correction.evals import EvalConfig, Evaluation, evaluate, evaluate_async, load_evaluation
    from augment_correction.export import ExportSource, register_export
    from augment_correction.finetuning import train
    from augment_correction.models import ModelConfig
    from augment_correction.monitor import LiveInferenceMonitor, MonitorConfig, load_monitor
    from augment_correction.parsing import read_json, read_tags
    from augment_correction.pipeline import Pipeline, load_pipeline
    from augment_correction.records import Conversation, Document, Passage, Record, Turn
    from augment_correction.results.finished import read_conversations
    from augment_correction.rows import register_rows
    from augment_correction.runner import RunResult, run, run_async
    from augment_correction.sampling import Sampling
    from augment_correction.stages import (
        CheckInput,
        CheckResult,
        ModelCall,
        StageContext,
        Tools,
        register_check,
        register_stage,
        with_fields,
    )
    from augment_correction.training.config import TrainConfig, load_train_config
    from augment_correction.training.summary import TrainingResult

__version__ = "0.1.0"
__all__ = [
    "ApiConfig",
    "AskStage",
    "AttemptStage",
    "AugmentCorrectionError",
    "CheckInput",
    "CheckResult",
    "CheckSpec",
    "CheckStage",
    "ChunkStage",
    "ComposeStage",
    "ConfigError",
    "Conversation",
    "Document",
    "EvalConfig",
    "Evaluation",
    "ExitCode",
    "ExportSource",
    "FillStage",
    "GradeStage",
    "GroundStage",
    "InputError",
    "JudgeStage",
    "LiveInferenceMonitor",
    "MissingExtra",
    "ModelCall",
    "ModelConfig",
    "ModelStage",
    "MonitorConfig",
    "Passage",
    "PathConfig",
    "Pipeline",
    "Record",
    "Reject",
    "RunConfig",
    "RunResult",
    "Sampling",
    "SpreadStage",
    "StageContext",
    "StageDeclaration",
    "SystemConfig",
    "Tools",
    "TrainConfig",
    "TrainingResult",
    "Turn",
    "TurnSpec",
    "UserError",
    "__version__",
    "evaluate",
    "evaluate_async",
    "load_config",
    "load_evaluation",
    "load_monitor",
    "load_pipeline",
    "load_train_config",
    "read_conversations",
    "read_json",
    "read_tags",
    "register_check",
    "register_export",
    "register_reader",
    "register_rows",
    "register_stage",
    "run",
    "run_async",
    "train",
    "with_fields",
]

_NAMES = {
    "config": ("ApiConfig", "PathConfig", "RunConfig", "SystemConfig", "load_config"),
    "models": ("ModelConfig",),
    "records": ("Conversation", "Document", "Passage", "Record", "Turn"),
    "rows": ("register_rows",),
    "documents": ("register_reader",),
    "runner": ("RunResult", "run", "run_async"),
    "results.finished": ("read_conversations",),
    "pipeline": ("Pipeline", "load_pipeline"),
    "declarations": (
        "AskStage",
        "AttemptStage",
        "CheckSpec",
        "CheckStage",
        "ChunkStage",
        "ComposeStage",
        "FillStage",
        "GradeStage",
        "GroundStage",
        "JudgeStage",
        "ModelStage",
        "SpreadStage",
        "StageDeclaration",
        "TurnSpec",
    ),
    "sampling": ("Sampling",),
    "stages": (
        "CheckInput",
        "CheckResult",
        "ModelCall",
        "StageContext",
        "Tools",
        "register_check",
        "register_stage",
        "with_fields",
    ),
    "parsing": ("read_json", "read_tags"),
    "evals": ("EvalConfig", "Evaluation", "evaluate", "evaluate_async", "load_evaluation"),
    "export": ("ExportSource", "register_export"),
    "training.config": ("TrainConfig", "load_train_config"),
    "training.summary": ("TrainingResult",),
    "finetuning": ("train",),
    "monitor": ("LiveInferenceMonitor", "MonitorConfig", "load_monitor"),
    "errors": (
        "AugmentCorrectionError",
        "ConfigError",
        "ExitCode",
        "InputError",
        "MissingExtra",
        "Reject",
        "UserError",
    ),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    # On first use only: a program that imports the package to ask its version should not pay for pydantic.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOME]
