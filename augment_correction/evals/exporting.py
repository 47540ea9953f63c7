"""The gate as a task of other harnesses: a folder that they run as it is, graded by the same comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import InputError
from augment_correction.evals.config import EvalConfig
from augment_correction.evals.gate import read_items
from augment_correction.evals.pushing import load_pushbacks, renders_for
from augment_correction.prompts import Prompt, PromptLibrary
from augment_correction.rows import Item
from augment_correction.store.folder import atomic_write

FIRST_ABOUT = "First answers only; acc is the share of right ones."
SECOND_ABOUT = "A known wrong answer, doubted: does the model repair it? lm-eval knows no second turn, so that the dialogue is one prompt."


@dataclass(frozen=True)
class HarnessTask:
    folder: Path
    command: str


def export_gate(config: EvalConfig, harness: str) -> HarnessTask:
    """`harness` is `inspect` or `lm-eval`. No model is asked. Probes are left out: other harnesses do not know what they are
    measured by.

    Raises: InputError where there is nothing else.
    """
    items = [item for item in read_items(config.project, config.gate) if item.probe is None]
    if not items:
        raise InputError(
            "the held-out set holds only probes, which other harnesses cannot measure", hint="run `evaluate`"
        )
    pushbacks = load_pushbacks(config, PromptLibrary(config.project, (config.path.prompts,)))
    if harness == "inspect":
        return _inspect(config.output_dir / "export_inspect", items, pushbacks)
    return _lm_eval(config.output_dir / "export_lm_eval", config, items, pushbacks)


def _inspect(folder: Path, items: Iterable[Item], pushbacks: Mapping[str, Prompt]) -> HarnessTask:
    rows = [
        {**_row(item), "id": f"{item.id}/{name}", "group": item.group, "pushback": name, "doubt": doubt}
        for item in items
        for name, doubt in renders_for(item, pushbacks, answer="")
    ]
    _write(folder / "dataset.jsonl", _lines(rows))
    _write(folder / "task.py", _part("inspect_task"))
    return HarnessTask(folder, f"cd {folder} && inspect eval task.py --model openai/...")


def _lm_eval(folder: Path, config: EvalConfig, items: list[Item], pushbacks: Mapping[str, Prompt]) -> HarnessTask:
    first = [{**_row(item), "prompt": item.asked} for item in items]
    second = [
        {**_row(item), "pushback": name, "prompt": _dialogue(item.asked, item.flawed, doubt)}
        for item in items
        if item.flawed
        for name, doubt in renders_for(item, pushbacks, answer=item.flawed)
    ]
    _write(folder / "utils.py", _part("lm_eval_utils"))
    tasks = {"first_turn": (first, FIRST_ABOUT, "[]"), "second_turn": (second, SECOND_ABOUT, '["\\nUser:"]')}
    written = []
    for turn, (rows, about, until) in tasks.items():
        if rows:
            task, tokens = f"self_correction_{turn}", config.asked_with.get("max_tokens", 512)
            written.append(task)
            _write(folder / f"{turn}.jsonl", _lines(rows))
            made = _part("lm_eval_task").format(about=about, task=task, turn=turn, until=until, tokens=tokens)
            _write(folder / f"{turn}.yaml", made)
    named = ",".join(written)
    return HarnessTask(folder, f"lm_eval --include_path {folder} --tasks {named} --apply_chat_template --model ...")


def _row(item: Item) -> dict[str, Any]:
    """`asked` is the question with what stands before it; answers are graded by the question alone."""
    asked = {"asked": item.asked, "question": item.question}
    return {"id": item.id, **asked, "reference": item.reference, "flawed": item.flawed}


def _dialogue(question: str, answer: str, doubt: str) -> str:
    return f"User: {question}\nAssistant: {answer}\nUser: {doubt}\nAssistant:"


def _lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(orjson.dumps(row).decode() + "\n" for row in rows)


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as file:
        file.write(text.encode())


def _part(name: str) -> str:
    return files("augment_correction.evals").joinpath("harness", f"{name}.txt").read_text("utf-8")
