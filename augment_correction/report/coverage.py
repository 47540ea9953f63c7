"""Which rows stand for which file. The lines of a JSONL file are documents of their own, but one file here."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

from augment_correction.store import Results


@dataclass(slots=True)
class File:
    name: str
    title: str
    documents: int = 0
    characters: int = 0
    runs: list[list[int]] = field(default_factory=list)
    """[first row, how many], in the file's own order."""

    def as_json(self) -> list[Any]:
        return [self.name, self.title if self.documents == 1 else "", self.documents, self.characters, self.runs]


def files(results: Results, seqs: array[int]) -> list[File]:
    """`seqs[row]` is the seq of the row's passage, ascending: a passage with several rows has it several times."""
    found: dict[str, File] = {}
    for source, title, characters in results.sources():
        file = found.setdefault(_file_of(source), File(_file_of(source), title))
        file.documents += 1
        file.characters += characters or 0
    for source, seq in results.readings():
        file = found.setdefault(_file_of(source), File(_file_of(source), ""))
        row = bisect_left(seqs, seq)
        while row < len(seqs) and seqs[row] == seq:
            _append(file.runs, row)
            row += 1
    return list(found.values())


def _append(runs: list[list[int]], row: int) -> None:
    if runs and sum(runs[-1]) == row:
        runs[-1][1] += 1
    else:
        runs.append([row, 1])


def _file_of(source: str) -> str:
    name, mark, line = source.rpartition("#L")
    return name if mark and line.isdigit() else source
