"""Curated files as conversations: read, told what is wrong with them, and made by a pipeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from augment_correction.config import RunConfig
from augment_correction.failures.curated import CuratedRow, FieldCoverage, RowProblem, read_curated
from augment_correction.failures.failure import Failure
from augment_correction.failures.making import make
from augment_correction.records import Conversation

PIPELINE = "curated_failures"


@dataclass
class SourceFile:
    """Where rows come from, and how many of them are used; `coverage` for a curated file."""

    path: Path
    read: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    coverage: FieldCoverage | None = None
    codes: Counter[str] = field(default_factory=Counter)
    """What the bad outputs look like, by the catalogue of error codes: hints."""

    @property
    def kept(self) -> int:
        return self.read - sum(self.rejected.values())


@dataclass
class Imported:
    """`rows[i]` came from `origins[i]`."""

    rows: list[CuratedRow] = field(default_factory=list)
    origins: list[SourceFile] = field(default_factory=list)
    sources: list[SourceFile] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)

    def drop(self, origin: SourceFile, problem: RowProblem) -> None:
        origin.rejected[problem.reason] += 1
        self.problems.append(problem)


def read_files(files: Iterable[tuple[Path, Literal[1, 2] | None]]) -> Imported:
    """Every row that can be used, once; each file may demand a schema.

    Raises: InputError where a file cannot be read.
    """
    made, seen = Imported(), dict[str, str]()
    for path, schema in files:
        rows, coverage, problems = read_curated(path, schema, seen)
        source = SourceFile(path, len(rows) + len(problems), coverage=coverage)
        made.sources.append(source)
        for problem in problems:
            made.drop(source, problem)
        made.rows += rows
        made.origins += [source] * len(rows)
        for row in rows:
            source.codes.update(row.found.patterns if isinstance(row.found, Failure) else ())
    return made


def conversations(made: Imported, config: RunConfig) -> list[tuple[Conversation, SourceFile]]:
    """A conversation for every row that the pipeline kept, in their order, with file and line in its provenance.
    What it did not keep becomes a problem.

    Raises: what `make` raises.
    """
    failures = [row.found for row in made.rows if isinstance(row.found, Failure)]
    outcomes = iter(make(failures, config) if failures else ())
    kept = []
    for row, origin in zip(made.rows, made.origins, strict=True):
        if isinstance(row.found, Conversation):
            kept.append((_placed(row.found, row), origin))
            continue
        outcome = next(outcomes)
        kept += [(_placed(each, row), origin) for each in outcome.conversations]
        if not outcome.conversations:
            remedy = "report.html beside the rows shows why"
            made.drop(origin, RowProblem(row.file, row.line, outcome.reason, outcome.detail, remedy))
    return kept


def only_failures(made: Imported) -> list[Failure]:
    """Rows that are conversations already become problems: there is nothing to be made of them."""
    kept = []
    for row, origin in zip(made.rows, made.origins, strict=True):
        if isinstance(row.found, Failure):
            kept.append(row.found)
        else:
            detail, remedy = "it already is a conversation", "train on the file directly: train --data FILE"
            made.drop(origin, RowProblem(row.file, row.line, "conversation", detail, remedy))
    return kept


def _placed(made: Conversation, row: CuratedRow) -> Conversation:
    """Where the row stands, in place of where the failure stood in between."""
    known = {name: value for name, value in made.provenance.items() if name not in ("chunk_id", "places")}
    belongs = {"group": row.group} if row.group else {}
    return replace(made, provenance={**known, "file": row.file, "line": row.line, **belongs})
