"""The page for Python: every public name from its signature and its docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any, ForwardRef

from pydantic import BaseModel

import augment_correction

TOPICS = {
    "Run a pipeline": (
        "load_config", "run", "run_async", "RunResult", "read_conversations", "ExitCode",
    ),
    "Configs": ("RunConfig", "ApiConfig", "ModelConfig", "PathConfig", "SystemConfig", "Sampling"),
    "Texts and conversations": ("Passage", "Document", "Conversation", "Turn"),
    "Pipelines": (
        "Pipeline", "load_pipeline", "ChunkStage", "JudgeStage", "AskStage", "CheckStage", "GroundStage", "AttemptStage", "GradeStage",
        "FillStage", "SpreadStage", "ComposeStage", "TurnSpec", "CheckSpec",
    ),
    "Stages, checks, readers, row formats and export formats of your own": (
        "register_stage", "StageDeclaration", "ModelStage", "StageContext", "Tools", "Record", "with_fields", "Reject", "ModelCall",
        "read_tags", "read_json", "register_check", "CheckInput", "CheckResult", "register_rows", "register_reader", "register_export", "ExportSource",
    ),
    "Evaluate": ("load_evaluation", "EvalConfig", "evaluate", "evaluate_async", "Evaluation"),
    "Train, and watch a training": (
        "load_train_config", "TrainConfig", "train", "TrainingResult", "load_monitor", "MonitorConfig", "LiveInferenceMonitor",
    ),
    "Errors": ("AugmentCorrectionError", "UserError", "ConfigError", "InputError", "MissingExtra"),
}  # fmt: skip
KEYS = {
    "RunConfig": "config.md", "ApiConfig": "config.md#api", "ModelConfig": "config.md#api", "PathConfig": "config.md#path",
    "SystemConfig": "config.md#system", "Sampling": "config.md#samplingstage", "Pipeline": "pipeline.md",
    "TurnSpec": "pipeline.md#a-turn", "CheckSpec": "pipeline.md#a-check", "EvalConfig": "evaluate.md",
    "TrainConfig": "train.md", "MonitorConfig": "monitor.md",
}  # fmt: skip
"""Where the keys of a declaration are listed; a stage has its own place."""
INTRODUCTION = """\
Generated from the docstrings by `docs/reference/generate.py`; a test runs each example.

```python
from augment_correction import load_config, run

result = run(load_config("configs/correction.yaml"))
for conversation in result.conversations():
    print([turn.text for turn in conversation.turns if turn.train])
```

Everything is imported from `augment_correction` and loaded on first use: the import itself takes no time, and torch or Ray are loaded
by what needs them alone. Lengths of texts are in characters and places count from 0 where nothing else is said, costs are USD,
times are seconds. [Extending](../guides/extending.md) has one of each kind and a plugin, step by step.
"""


def python_page() -> str:
    lines = ["# Python", "", *INTRODUCTION.splitlines()]
    for topic, names in TOPICS.items():
        lines += ["", f"## {topic}"]
        for name in names:
            lines += ["", *_entry(name)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def _entry(name: str) -> Iterator[str]:
    found = getattr(augment_correction, name)
    yield f"### `{name}`"
    yield ""
    if signature := _signature(name, found):
        yield from ("```python", signature, "```", "")
    yield from _told(inspect.getdoc(found) or "")
    if place := _keys(name, found):
        yield from ("", f"Its keys: [{place.split('#')[0]}]({place}).")
    for member, about in _members(found):
        yield from ("", f"- `{member}`: {about}")


def _told(text: str) -> Iterator[str]:
    """A docstring as Markdown: examples and indented code in fences."""
    for block in _blocks(text):
        code = block.startswith((">>>", "    "))
        if code:
            yield from ("```python", *(line.removeprefix("    ") for line in block.split("\n")), "```", "")
        else:
            yield from (" ".join(block.split()).replace("<", "\\<"), "")


def _blocks(text: str) -> Iterator[str]:
    """Its paragraphs; indented code with the blank lines inside it is one."""
    for code, found in groupby(re.split(r"\n[ \t]*\n", text), key=lambda block: block.startswith("    ")):
        blocks = list(found)
        yield from ["\n\n".join(blocks)] if code else blocks


def _signature(name: str, found: Any) -> str:
    if inspect.isclass(found) and (issubclass(found, BaseModel | Exception) or hasattr(found, "__members__")):
        return ""
    signature = inspect.signature(found)
    parameters = list(signature.parameters.values())
    returned = (
        "" if inspect.isclass(found) or signature.return_annotation is signature.empty else signature.return_annotation
    )
    before = "async def " if inspect.iscoroutinefunction(found) else "class " if inspect.isclass(found) else "def "
    shown = [_parameter(each) for each in _with_star(parameters)]
    line = f"{before}{name}({', '.join(shown)})"
    if len(line) > 110:
        line = f"{before}{name}(\n    " + ",\n    ".join(shown) + ",\n)"
    return f"{line} -> {_shown(returned)}" if returned else line


def _with_star(parameters: list[inspect.Parameter]) -> Iterator[inspect.Parameter | None]:
    """None stands for the `*` before the first parameter that is given by name alone."""
    starred = False
    for each in parameters:
        if each.kind is each.KEYWORD_ONLY and not starred:
            starred = True
            yield None
        yield each


def _parameter(each: inspect.Parameter | None) -> str:
    if each is None:
        return "*"
    text = each.name if each.annotation is each.empty else f"{each.name}: {_shown(each.annotation)}"
    if each.default is each.empty:
        return text
    default = "..." if callable(each.default) or " object at " in repr(each.default) else repr(each.default)
    if default.startswith(("mappingproxy", "<factory")):
        default = "..."
    return f"{text} = {default}"


def _shown(annotation: Any) -> str:
    if isinstance(annotation, ForwardRef):  # of a NamedTuple
        return annotation.__forward_arg__
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _keys(name: str, found: Any) -> str:
    if name in KEYS:
        return KEYS[name]
    words = getattr(found, "model_fields", {})
    word = words["stage"].default if "stage" in words else None
    return f"pipeline.md#stage-{word}" if isinstance(word, str) else ""


def _members(found: Any) -> Iterator[tuple[str, str]]:
    """Methods and properties of a class that have a docstring of their own."""
    if not inspect.isclass(found) or issubclass(found, Exception):
        return
    for name, member in vars(found).items():
        inner = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if name.startswith("_") or not inspect.isfunction(inner) or not inner.__doc__:
            continue
        if name in BaseModel.__dict__ or name.startswith("on_") or inner.__doc__ == "Raises":
            continue
        call = name if isinstance(member, property) else f"{name}{_arguments(inner)}"
        yield call, " ".join(inspect.cleandoc(inner.__doc__).split()).replace("<", "\\<")


def _arguments(function: Any) -> str:
    given = [each for each in inspect.signature(function).parameters.values() if each.name not in ("self", "cls")]
    return f"({', '.join(_parameter(each) for each in _with_star(given))})"
