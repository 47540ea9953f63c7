"""Writes the pages of the reference beside this file from the strings under the fields of the declarations.

python docs/reference/generate.py
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from augment_correction.config import RunConfig
from augment_correction.corrections.config import CorrectionsSection
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
    SeveralStage,
    SpreadStage,
    TurnSpec,
)
from augment_correction.documents.folder_settings import FolderSettings
from augment_correction.evals.config import EvalConfig, RetentionSet
from augment_correction.evals.limits import ProbeLimit, ProbeLimits
from augment_correction.experiment.config import ExperimentConfig
from augment_correction.models import ModelConfig, TokenPrice
from augment_correction.monitor.config import MonitorConfig
from augment_correction.pipeline import Pipeline
from augment_correction.rows import KINDS, NAMES, TITLES
from augment_correction.rows.chats import MAYBE_SPOKEN, ROLES, SPEAKER, SPOKEN, WORDS
from augment_correction.sampling import Sampling
from augment_correction.training.config import TrainConfig
from augment_correction.worker.config import WorkerConfig

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from cli_page import cli_page  # noqa: E402
from python_page import python_page  # noqa: E402

MODELS = ("student",)
"""Keys that hold a model: they are told of once."""
STAGES = (
    *(ChunkStage, JudgeStage, AskStage, SeveralStage, CheckStage, GroundStage),
    *(AttemptStage, GradeStage, FillStage, SpreadStage, ComposeStage),
)


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
    lines += [
        "",
        "## `_settings.yaml` in a folder of documents",
        "",
        *_about(FolderSettings),
        *_table(FolderSettings, ""),
    ]
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
    lines += ["", "## `limits.probes`", "", *_about(ProbeLimits), *_table(ProbeLimits, "limits.probes.")]
    lines += ["", "## `limits.probes.<kind>`", "", *_about(ProbeLimit), *_table(ProbeLimit, "")]
    lines += ["", "## `cost.per_million.<model>`", "", *_about(TokenPrice), *_table(TokenPrice, "")]
    return "\n".join(lines) + "\n"


def training_page() -> str:
    return "\n".join(_guided("Training", TrainConfig, "train")) + "\n"


def chat_page() -> str:
    told = "A chat's config is a [run's](config.md) with the section `corrections`; the keys of both are the same elsewhere."
    lines = [
        "# Chat and corrections",
        "",
        told,
        "",
        *_about(CorrectionsSection),
        *_table(CorrectionsSection, "corrections."),
    ]
    return "\n".join(lines) + "\n"


def experiment_page() -> str:
    lines = _guided("Experiment", ExperimentConfig, "experiment", skip=("grading", "sampling", *MODELS))
    lines += [
        "",
        "## `student`, `generator`, `verifier`, `judge`",
        "",
        "The keys of any model: [config.md](config.md), `api`.",
    ]
    return "\n".join(lines) + "\n"


def worker_page() -> str:
    return "\n".join(_guided("Worker", WorkerConfig, "worker")) + "\n"


def monitor_page() -> str:
    return "\n".join(_guided("Monitor", MonitorConfig, "monitor")) + "\n"


def rows_page() -> str:
    lines = [
        "# Rows",
        "",
        "Generated by `docs/reference/generate.py` from `augment_correction/rows/`, by which every command reads.",
    ]
    lines += [
        "",
        "A file is JSON lines (`.jsonl`: one object a line) or one JSON list (`.json`). Objects of another shape are read by a",
        "[row format of your own](../guides/extending.md#a-row-format), which makes rows of them.",
    ]
    for kind in KINDS:
        lines += ["", f"## {kind.title}", "", f"{kind.about} Read by {kind.readers}.", ""]
        for example in kind.examples:
            lines += ["```json", example, "```", ""]
        lines.pop()
    lines += ["", "## Names of the fields", "", *NAMING]
    lines += ["", "| field | names |", "|---|---|"]
    lines += [f"| {TITLES[field]} | {_named(names)} |" for field, names in NAMES.items()]
    said = [f"`{name}`" for name in (*SPOKEN, *MAYBE_SPOKEN)]
    lines += ["", "## Names in a chat", "", f"The messages stand under one of {', '.join(said)}."]
    lines += ["", "| of a message | names |", "|---|---|"]
    lines += [f"| role | {_named(SPEAKER)} |", f"| what is said | {_named(WORDS)} |"]
    lines += ["", "| role | also called |", "|---|---|"]
    for role in dict.fromkeys(ROLES.values()):
        lines.append(f"| `{role}` | {_named([name for name, known in ROLES.items() if known == role != name])} |")
    return "\n".join(lines) + "\n"


def _named(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


NAMING = (
    "The first name that a row has a text under is taken. A name that stands for two fields belongs to the one that the",
    "kind of row needs: `output` is a reference, or corrects a wrong answer where there is one. Numbers are texts; a list of",
    "answers is refused, since nobody says which is right, and so are two different questions in one row. A row that cannot be",
    "used is named by file, line and column, with the known name that is nearest to a misspelt one.",
)


WRITTEN = ("decisions.md", "files.md")
"""Pages about files and not about classes, written by hand."""
PAGES = {
    "config.md": config_page,
    "pipeline.md": pipeline_page,
    "evaluate.md": evaluation_page,
    "train.md": training_page,
    "chat.md": chat_page,
    "worker.md": worker_page,
    "experiment.md": experiment_page,
    "monitor.md": monitor_page,
    "rows.md": rows_page,
    "python.md": python_page,
    "cli.md": cli_page,
}


def _guided(title: str, model: type[BaseModel], guide: str, skip: Sequence[str] = ()) -> list[str]:
    """A page for a config of its own, which docs/guides/<guide>.md explains; sections in `skip` have their keys elsewhere."""
    told = f"Generated from the classes by `docs/reference/generate.py`; the guide [{guide}](../guides/{guide}.md) explains it."
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
    """The docstring's first paragraphs: what it raises and its example are on the page for Python."""
    told = re.split(r"\n\s*\n\s*(?:Raises:|>>>)", model.__doc__ or "")[0]
    if told:
        yield " ".join(told.split())
        yield ""


def _table(model: type[BaseModel], *prefixes: str, skip: dict[str, Any] | None = None) -> list[str]:
    rows = ["| key | default | |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        if skip and name in skip:
            continue
        keys = ", ".join(f"`{prefix}{field.alias or name}`" for prefix in prefixes)
        about = " ".join(_under(model, name).split())
        rows.append(f"| {keys} | {_default(field)} | {_kind(field.annotation)}{about} |")
    return rows


def _under(model: type[BaseModel], name: str) -> str:
    """The string under a field. Read here and not by pydantic, which would read it at every start of the program."""
    home = next(each for each in model.__mro__ if name in vars(each).get("__annotations__", {}))
    return _strings(home).get(name, "")


@cache
def _strings(model: type[BaseModel]) -> dict[str, str]:
    [declared] = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(declared, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(told.value.value)
        for field, told in pairwise(declared.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(told, ast.Expr) and isinstance(told.value, ast.Constant) and isinstance(told.value.value, str)
    }


def _default(field: Any) -> str:
    if field.is_required():
        return "needed"
    value = field.default if field.default is not PydanticUndefined else field.default_factory()
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in sorted(value.model_fields_set)}
        value = f"{{{', '.join(f'{name}: {part:g}' for name, part in value.items())}}}" if value else None
    if value in (None, (), {}, ""):
        return ""
    if isinstance(value, float):
        value = f"{value:g}"
    text = (
        (", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
        .replace("|", "\\|")
        .replace("\n", "\\n")
    )
    return f"`{text}`" if len(text) < 80 else "a sentence"


def _kind(annotation: Any) -> str:
    choices = [arg for arg in get_args(annotation) if isinstance(arg, str)]
    return f"one of {', '.join(f'`{choice}`' for choice in choices)}. " if choices else ""


if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
