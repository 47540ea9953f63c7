"""What comes in, looked at before it costs a training: which rows, how many, and each line that is none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError
from augment_correction.failures.reading import objects, read_curated
from augment_correction.project import Project
from augment_correction.rows import segments_problem
from augment_correction.store import RunFolder
from augment_correction.worker.entries import refuse_special

SHOWN = 5
LONGEST_PATH = 2**14
"""Bytes of a text file that are read for the path in it; Linux allows a path of 4096."""
NAMES = {1: "failures", 2: "references", 3: "messages"}
"""By schema of `failures/reading.py`."""
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
    with entry.open("rb") as file:
        lines = file.read(LONGEST_PATH).decode("utf-8", "replace").split("\n")
    named = [line.strip() for line in lines if line.strip()]
    if len(named) != 1:
        raise InputError(
            f"a text file names one run's output folder, and this one has {len(named)} lines", hint=FORMATS
        )
    if "\0" in named[0]:
        raise InputError(
            "a text file names one run's output folder, and the name in this one holds a NUL byte", hint=FORMATS
        )
    return project.resolve(named[0])


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked(data: Path, run: Path | None) -> Checked:
    if not data.exists():
        raise InputError(f"there is no file {data}", hint="a run writes it when it has kept a conversation")
    refuse_special(data)
    if data.suffix not in (".jsonl", ".json"):
        raise InputError(f"{data.name} is no .jsonl and no .json file", hint=FORMATS)
    values = list(objects(data))
    segments = any(isinstance(value, Mapping) and "segments" in value for _, value in values)
    rows, format_, wrong = _segments(values) if segments else _spoken_or_failed(data)
    if wrong:
        listed = "\n".join(f"  {each}" for each in wrong[:SHOWN])
        more = f"\n  and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise InputError(f"{len(wrong)} of {rows} rows cannot be used:\n{listed}{more}", hint=FORMATS)
    return Checked(data, format_, rows, digest(data), run)


def _segments(values: Sequence[tuple[int, Any]]) -> tuple[int, str, list[str]]:
    """(rows, format, what is wrong with which line)"""
    checked = [(line, segments_problem(value)) for line, value in values]
    return len(checked), "segments", [f"line {line}: {problem}" for line, problem in checked if problem]


def _spoken_or_failed(path: Path) -> tuple[int, str, list[str]]:
    """As the trainer reads them; what stands there twice is trained once."""
    rows, coverage, problems = read_curated(path)
    wrong = [f"line {each.line}: {each.detail}" for each in problems if each.reason != "duplicate"]
    formats = [NAMES[schema] for schema in sorted(coverage.schemas)]
    if len(formats) > 1 and not wrong:
        raise InputError(f"rows of several formats: {', '.join(formats)}", hint="drop each format as a file of its own")
    return len(rows) + len(problems), "".join(formats[:1]), wrong
