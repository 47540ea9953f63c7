"""Validates an incoming file before training: the kind and number of its rows, and each invalid line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.failures.curated import CuratedRow, read_curated
from augment_correction.project import Project
from augment_correction.records import Conversation
from augment_correction.rows import RowError, demonstrated, each_row, segments_of
from augment_correction.store import RunFolder
from augment_correction.worker.entries import refuse_special

SHOWN = 5
LONGEST_PATH = 2**14
"""Bytes of a text file that are read for the path in it; Linux allows a path of 4096."""
FORMATS = (
    'write one JSON object per line: {"messages": [{"role", "content", "train"}]}, {"segments": [{"label", "text"}]}, '
    '{"instruction", "input", "output"}, {"instruction", "reference_answer"} or {"question", "context"}'
)


@dataclass(frozen=True)
class Checked:
    """`data` is the file with the rows. `run` is set where that is the dataset of a run."""

    data: Path
    format: str
    rows: int
    sha256: str
    run: Path | None = None


CORRECTIONS = "corrections"
"""The format of a file of what users corrected in chats, which is learned in a way of its own."""


def check(entry: Path, project: Project, *, chats: bool = False) -> Checked:
    """A file of rows, a run's output folder, or a text file with the path of one. `chats`: corrections of chats are told apart from
    other failures.

    Raises: InputError that says what is wrong, with the lines, and the remedy.
    """
    run = run_of(entry, project)
    if run is None:
        found = _checked(entry, None)
        corrections = chats and found.format == "failures" and _are_corrections(entry)
        return replace(found, format=CORRECTIONS) if corrections else found
    folder = RunFolder(run)
    if not folder.journal.is_file() or not folder.manifest.is_file():
        raise InputError(
            f"{run} is not the output folder of a finished run: it has no {folder.manifest.name}",
            hint="name the output folder of a run that has ended (path.output_dir of its config)",
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
        raise InputError(f"{data.name} is neither a .jsonl nor a .json file", hint=FORMATS)
    rows, format_, wrong = _segments(data) if _has_segments(data) else _trained(data)
    if wrong and _are_demonstrations(data):
        return Checked(data, "demonstrations", rows, digest(data), run)
    if wrong:
        listed = "\n".join(f"  {each}" for each in wrong[:SHOWN])
        more = f"\n  and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise InputError(f"{len(wrong)} of {rows} rows cannot be used:\n{listed}{more}", hint=FORMATS)
    return Checked(data, format_, rows, digest(data), run)


def _has_segments(data: Path) -> bool:
    """Of any row: among others such a one would be trained whole."""
    return any(found is True for _, found in each_row(data, lambda row, _: "segments" in row))


def _are_corrections(data: Path) -> bool:
    """Every row, as `corrections export` and `corrections queue` write them."""
    graded = {"origin": "user", "verdict": "wrong"}
    return all(found is True for _, found in each_row(data, lambda row, _: graded.items() <= row.items()))


def _are_demonstrations(data: Path) -> bool:
    """Every row; whether the trainer distils, the command under `check.rows` finds out."""
    return all(not isinstance(found, RowError) for _, found in each_row(data, demonstrated))


def _segments(data: Path) -> tuple[int, str, list[str]]:
    """(rows, format, what is wrong, line by line)"""
    checked = [found for _, found in each_row(data, segments_of)]
    wrong = [each for each in checked if isinstance(each, RowError)]
    return len(checked), "segments", [_told(each.at, each.of_the_row) for each in wrong]


def _told(at: str, what: str) -> str:
    line, _, column = at.partition(":")
    return f"line {line}, column {column}: {what}" if column else f"line {line}: {what}"


def _trained(path: Path) -> tuple[int, str, list[str]]:
    """As the trainer reads them; what stands there twice is trained once."""
    rows, _, problems = read_curated(path)
    wrong = [_told(each.at, each.detail) for each in problems if each.reason != "duplicate"]
    first: dict[str, int] = {}
    for each in rows:
        first.setdefault(_format(each), each.line)
    if len(first) > 1 and not wrong:
        formats = ", ".join(f"{name} (line {line})" for name, line in first.items())
        raise InputError(f"rows of several formats: {formats}", hint="put each format into a separate file")
    return len(rows) + len(problems), next(iter(first), ""), wrong


def _format(row: CuratedRow) -> str:
    if isinstance(row.found, Conversation):
        return "messages"
    return "references" if row.found.verdict == "unanswered" else "failures"
