"""What became of the rows of each file, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from augment_correction.failures.curated import RowProblem
from augment_correction.failures.importing import SourceFile
from augment_correction.store.json_files import write_lines

CODES = 6
LISTED = 5
"""Rows shown for a look; all of them are in the file that `write_problems` writes."""


def source_lines(sources: Iterable[SourceFile], problems: Sequence[RowProblem]) -> Iterator[str]:
    for source in sources:
        yield f"  {source.path}: {source.read:,} rows read, {source.kept:,} kept"
        yield from (f"    {count:>6,} left out: {reason}" for reason, count in source.rejected.most_common())
        passed = source.coverage.passed_over if source.coverage else {}
        yield from (f"    {count:>6,} passed over by {name}" for name, count in passed.items())
        if source.coverage:
            yield f"    fields: {source.coverage}"
        if source.codes:
            listed = ", ".join(f"{count:,} {code}" for code, count in source.codes.most_common(CODES))
            yield f"    error codes of the wrong outputs (explained by `codes`): {listed}"
    for problem in problems[:LISTED]:
        yield f"    {problem.place}: {problem.detail}; {problem.remedy}"
    if len(problems) > LISTED:
        yield f"    and {len(problems) - LISTED:,} more"


def write_problems(path: Path, problems: Iterable[RowProblem]) -> None:
    """One JSON line for each row that was left out: file, line, reason, detail, remedy."""
    write_lines(path, map(asdict, problems))
