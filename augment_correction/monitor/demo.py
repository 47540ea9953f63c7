"""The whole way with a model that only plays its part: three questions, its answers, their grades, and the rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import yaml

from augment_correction.config import RunConfig
from augment_correction.monitor.manual import answer, from_answers, preview

PLAYED = (
    ("Who wrote the opera Carmen?", "Georges Bizet.", "Carmen was written by Giuseppe Verdi."),
    ("How many legs does a spider have?", "A spider has 8 legs.", "A spider has 8 legs."),
    ("In which year was the Eiffel Tower opened?", "It was opened in 1889.", "In 1901."),
)
"""Question, reference, and what the model says."""
MARKS = {True: "trained", False: "masked "}


def demonstrate(folder: Path) -> Iterator[str]:
    """Lines to print; the files stay in `folder`."""
    config = _stage(folder)
    questions, answers, rows = (folder / f"{name}.jsonl" for name in ("questions", "answers", "training"))
    yield f"1. Questions with their references: {questions}"
    yield from (f"   {asked}  ->  {reference}" for asked, reference, _ in PLAYED)
    paid = answer(config, questions, answers, {"temperature": 0}, None, None)
    yield f"\n2. The model answers ({paid['requests']} requests; asked again it would be none): {answers}"
    metadata, failures = from_answers(config, questions, answers, rows, stand_by_share=1 / 3)
    yield "\n3. Graded without a model; error codes are hints, the verdict is the grader's"
    for each in failures:
        yield f"   {each.verdict:<6} {each.answer}  ({each.why})"
        yield from (f"          {code}" for code in each.codes)
    yield f"\n4. {metadata['num_examples']} rows, a wrong answer never trained: {rows}"
    for row in preview(rows, metadata["num_examples"]):
        yield f"   {row['kind']}"
        yield from _turns(row)


def _turns(row: dict[str, Any]) -> Iterator[str]:
    for message in row["messages"]:
        flat = " ".join(message["content"].split())
        yield f"      {MARKS[message['train']]}  {message['role']:<9}  {flat}"


def _stage(folder: Path) -> RunConfig:
    folder.mkdir(parents=True, exist_ok=True)
    lines = (orjson.dumps({"question": asked, "reference": reference}) + b"\n" for asked, reference, _ in PLAYED)
    (folder / "questions.jsonl").write_bytes(b"".join(lines))
    script = folder / "script.yaml"
    script.write_text(yaml.safe_dump({"rules": [{"contains": asked, "text": said} for asked, _, said in PLAYED]}))
    api = {"target_model": "scripted", "target_mode": "scripted", "target_script": str(script)}
    path = {"input_dir": str(folder), "output_dir": str(folder)}
    return RunConfig.model_validate({"pipeline": "from_failures", "api": api, "path": path})
