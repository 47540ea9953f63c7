"""What comes in, looked at before it costs a training: which rows, how many, and each line that is none."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import InputError
from augment_correction.jsonlines import BYTE_ORDER_MARK
from augment_correction.project import Project
from augment_correction.store import RunFolder

SHOWN = 5
ROLES = ("system", "user", "assistant")
FORMATS = (
    'write one JSON object a line: {"messages": [{"role", "content", "train"}]}, {"segments": [{"label", "text"}]}, '
    '{"instruction", "input", "output"} or {"instruction", "reference_answer"}'
)


@dataclass(frozen=True)
class Checked:
    """`data` is the file with the rows. `run` is set where that is the dataset of a run."""

    data: Path
    format: str
    rows: int
    sha256: str
    run: Path | None = None


def check(entry: Path, project: Project) -> Checked:
    """A file of rows, a run's output folder, or a text file with the path of one.

    Raises: InputError that says what is wrong, with the lines, and the remedy.
    """
    run = run_of(entry, project)
    if run is None:
        return _checked(entry, None)
    folder = RunFolder(run)
    if not folder.journal.is_file() or not folder.manifest.is_file():
        raise InputError(
            f"{run} is not the output folder of a finished run: it has no {folder.manifest.name}",
            hint="name the folder that path.output_dir of the run's config names, once the run has ended",
        )
    return _checked(folder.dataset, run)


def run_of(entry: Path, project: Project) -> Path | None:
    if entry.is_dir():
        return entry
    if entry.suffix != ".txt":
        return None
    lines = entry.read_text("utf-8", "replace").split("\n")
    named = [line.strip() for line in lines if line.strip()]
    if len(named) != 1:
        raise InputError(
            f"a text file names one run's output folder, and this one has {len(named)} lines", hint=FORMATS
        )
    return project.resolve(named[0])


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked(data: Path, run: Path | None) -> Checked:
    if not data.is_file():
        raise InputError(f"there is no file {data}", hint="a run writes it when it has kept a conversation")
    if data.suffix not in (".jsonl", ".json"):
        raise InputError(f"{data.name} is no .jsonl and no .json file", hint=FORMATS)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for line, value in _values(data):
        found, problem = _format(value)
        if problem:
            wrong.append(f"line {line}: {problem}")
        counts[found] += 1
    if wrong:
        listed = "\n".join(f"  {each}" for each in wrong[:SHOWN])
        more = f"\n  and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise InputError(f"{len(wrong)} of {counts.total()} rows cannot be used:\n{listed}{more}", hint=FORMATS)
    if not counts:
        raise InputError("it holds no rows", hint=FORMATS)
    if len(counts) > 1:
        raise InputError(f"rows of several formats: {', '.join(counts)}", hint="drop each format as a file of its own")
    return Checked(data, next(iter(counts)), counts.total(), digest(data), run)


def _values(path: Path) -> Iterator[tuple[int, Any]]:
    """Items of a JSON list, or lines; one that is no JSON comes as the error."""
    if path.suffix == ".json":
        try:
            whole = orjson.loads(path.read_bytes().removeprefix(BYTE_ORDER_MARK))
        except orjson.JSONDecodeError as failure:
            raise InputError(f"not valid JSON, or cut off: {failure}", hint="write the file again") from None
        yield from enumerate(whole if isinstance(whole, list) else [whole], 1)
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield number, orjson.loads(line.removeprefix(BYTE_ORDER_MARK))
            except orjson.JSONDecodeError as failure:
                yield number, failure


def _format(value: Any) -> tuple[str, str]:
    """The format's name, and what is wrong with the row."""
    if isinstance(value, ValueError):
        return "", f"not valid JSON, or cut off: {value}"
    if not isinstance(value, Mapping):
        return "", f"a {type(value).__name__}, not an object"
    if "segments" in value:
        return "segments", _parts(value["segments"], {"label": bool, "text": str}, _trained_segment)
    if "messages" in value:
        return "messages", _parts(value["messages"], {"role": str, "content": str}, _trained_message)
    if "output" in value:
        return "failures", _texts(value, ("instruction", "input", "output"))
    if "reference_answer" in value:
        return "references", _texts(value, ("instruction", "reference_answer"))
    return "", f"no known row, it has {', '.join(map(str, value)) or 'no keys'}"


def _trained_segment(part: Mapping[str, Any]) -> bool:
    return bool(part["label"])


def _trained_message(part: Mapping[str, Any]) -> bool:
    """Without a flag the assistant's turns are trained, as everywhere."""
    return bool(part.get("train", part["role"] == "assistant"))


def _parts(parts: Any, kinds: Mapping[str, type], trained: Callable[[Mapping[str, Any]], bool]) -> str:
    if not isinstance(parts, list) or not parts:
        return "its parts are no list, or an empty one"
    for index, part in enumerate(parts, 1):
        for key, kind in kinds.items():
            if not isinstance(part, Mapping) or not isinstance(part.get(key), kind):
                return f"part {index} has no '{key}' of type {kind.__name__}"
        if not isinstance(part.get("train", True), bool):
            return f"part {index}: 'train' is {part['train']!r}, not true or false"
        if part.get("role", "user") not in ROLES:
            return f"part {index}: nobody is called {part['role']!r}; {', '.join(ROLES)} are"
    return "" if any(map(trained, parts)) else "nothing in it is trained"


def _texts(value: Mapping[str, Any], keys: Iterable[str]) -> str:
    missing = [key for key in keys if not isinstance(value.get(key), str) or not value[key].strip()]
    return f"no text under {', '.join(missing)}" if missing else ""
