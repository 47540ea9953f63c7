"""Writes the pages of the reference beside this file from the strings under the fields of the declarations.

python docs/reference/generate.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from augment_correction.config import RunConfig
from augment_correction.declarations import (
    AskStage,
    CheckSpec,
    CheckStage,
    ChunkStage,
    ComposeStage,
    JudgeStage,
    TurnSpec,
)
from augment_correction.evals.config import EvalConfig, RetentionSet, TokenPrice
from augment_correction.models import ModelConfig
from augment_correction.monitor.config import MonitorConfig
from augment_correction.pipeline import Pipeline
from augment_correction.sampling import Sampling
from augment_correction.training.config import TrainConfig
from augment_correction.worker.config import WorkerConfig

HERE = Path(__file__).parent
STAGES = (ChunkStage, JudgeStage, AskStage, CheckStage, ComposeStage)


def config_page() -> str:
    lines = [
        "# Config",
        "",
        "Generated from the classes by `docs/reference/generate.py`. A config is one YAML file.",
        "",
    ]
    lines += [
        "A relative path starts at the project: the config's nearest ancestor with `pipelines/` or `prompts/`.",
        "",
    ]
    lines += _table(RunConfig, "", skip=_sections(RunConfig))
    for name, model in _sections(RunConfig).items():
        lines += ["", f"## `{name}`", "", *_about(model)]
        lines += _table(model, f"{name}.") if name != "api" else _table(ModelConfig, "api.small_", "api.large_")
    lines += ["", "## `sampling.<stage>`", "", *_about(Sampling), *_table(Sampling, "")]
    return "\n".join(lines) + "\n"


def pipeline_page() -> str:
    lines = ["# Pipelines", "", "Generated from the classes by `docs/reference/generate.py`.", "", *_about(Pipeline)]
    lines += _table(Pipeline, "")
    for stage in (*STAGES, TurnSpec, CheckSpec):
        name = stage.model_fields["stage"].annotation if "stage" in stage.model_fields else None
        title = (
            f"stage: {get_args(name)[0]}" if name else {"TurnSpec": "a turn", "CheckSpec": "a check"}[stage.__name__]
        )
        lines += ["", f"## {title}", "", *_about(stage), *_table(stage, "", skip={"stage": None})]
    return "\n".join(lines) + "\n"


def evaluation_page() -> str:
    lines = _guided("Evaluation", EvalConfig, "evaluate", skip=("judge", "sampling"))
    lines += ["", "## `limits.retention[]`", "", *_about(RetentionSet), *_table(RetentionSet, "")]
    lines += ["", "## `cost.per_million.<model>`", "", *_about(TokenPrice), *_table(TokenPrice, "")]
    return "\n".join(lines) + "\n"


def training_page() -> str:
    return "\n".join(_guided("Training", TrainConfig, "failures")) + "\n"


def worker_page() -> str:
    return "\n".join(_guided("Worker", WorkerConfig, "failures")) + "\n"


def monitor_page() -> str:
    return "\n".join(_guided("Monitor", MonitorConfig, "failures")) + "\n"


PAGES = {
    "config.md": config_page,
    "pipeline.md": pipeline_page,
    "evaluate.md": evaluation_page,
    "train.md": training_page,
    "worker.md": worker_page,
    "monitor.md": monitor_page,
}


def _guided(title: str, model: type[BaseModel], guide: str, skip: Sequence[str] = ()) -> list[str]:
    """A page for a config of its own, of which docs/<guide>.md tells; sections in `skip` have their keys elsewhere."""
    told = f"Generated from the classes by `docs/reference/generate.py`; [{guide}.md](../{guide}.md) explains it."
    sections = {name: section for name, section in _sections(model).items() if name not in skip}
    lines = [f"# {title}", "", told]
    if model.model_fields.keys() - sections.keys():
        lines += ["", *_table(model, "", skip=sections)]
    for name, section in sections.items():
        lines += ["", f"## `{name}`", "", *_about(section), *_table(section, f"{name}.")]
    return lines


def _sections(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    fields = {name: field.annotation for name, field in model.model_fields.items()}
    return {name: kind for name, kind in fields.items() if isinstance(kind, type) and issubclass(kind, BaseModel)}


def _about(model: type[BaseModel]) -> Iterator[str]:
    if model.__doc__:
        yield " ".join(model.__doc__.split())
        yield ""


def _table(model: type[BaseModel], *prefixes: str, skip: dict[str, Any] | None = None) -> list[str]:
    rows = ["| key | default | |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        if skip and name in skip:
            continue
        keys = ", ".join(f"`{prefix}{field.alias or name}`" for prefix in prefixes)
        about = " ".join((field.description or "").split())
        rows.append(f"| {keys} | {_default(field)} | {_kind(field.annotation)}{about} |")
    return rows


def _default(field: Any) -> str:
    if field.is_required():
        return "needed"
    value = field.default if field.default is not PydanticUndefined else field.default_factory()
    if value in (None, (), {}, "") or isinstance(value, BaseModel):
        return ""
    if isinstance(value, float):
        value = f"{value:g}"
    text = (", ".join(value) if isinstance(value, tuple) else str(value)).replace("|", "\\|").replace("\n", "\\n")
    return f"`{text}`" if len(text) < 80 else "Augmentoolkit's"


def _kind(annotation: Any) -> str:
    choices = [arg for arg in get_args(annotation) if isinstance(arg, str)]
    return f"one of {', '.join(f'`{choice}`' for choice in choices)}. " if choices else ""


if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
