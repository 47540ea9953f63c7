"""Conversations that give away an item of a benchmark: a run of words that both have (13 of them in Brown et al., 2020,
arXiv:2005.14165), or a question that is nearly the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from augment_correction.selection.candidate import Candidate, LeftOut, source_of
from augment_correction.selection.similar import SIMILAR, QuestionIndex, ShingledText
from augment_correction.selection.texts import read_texts
from augment_correction.text import normalised
from augment_correction.text.scripts import UNSPACED

SHORTEST = 6
"""Words of the shortest item that is looked for as a whole; shorter ones stand in half of all texts."""
LONGEST = 4000
"""Characters of the longest item that a question can be nearly the same as."""
_WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")


@dataclass(frozen=True, slots=True)
class Match:
    """Where a benchmark has it. `shared` are the words that both have, `similarity` is that of the questions."""

    file: str
    place: str
    shared: str | None = None
    similarity: float | None = None

    @property
    def detail(self) -> str:
        what = f'shares "{self.shared}"' if self.shared else f"similarity {self.similarity:.2f}"
        return f"{self.file}, {self.place}: {what}"


class Benchmarks:
    """The runs of words of all items as 64-bit hashes, each with the text that it stands in: 90 bytes a run. `files` are
    known in details by the names that they have here.

    Raises: ConfigError where a file cannot be read.
    """

    def __init__(self, files: Mapping[str, Path], ngram: int) -> None:
        self._ngram = ngram
        self._runs: dict[int, int] = {}
        self._heads: dict[int, list[int]] = {}
        self._places: list[tuple[str, str]] = []
        self._texts: list[str] = []
        self._numbers: dict[str, int] = {}
        self._index = QuestionIndex(self._texts.__getitem__)
        self._sums = Sums(ngram)
        for name, path in files.items():
            before = len(self._texts)
            for place, text in read_texts(path):
                self._add(name, place, text)
            self._sums.files.append({"file": name, "texts": len(self._texts) - before})

    def _add(self, name: str, place: str, text: str) -> None:
        number = len(self._texts)
        if self._numbers.setdefault(text, number) != number:  # "yes" and "no" stand in thousands of items
            return
        words = words_of(text)
        self._texts.append(text)
        self._places.append((name, place))
        if len(words) >= self._ngram:
            for run in _runs(words, self._ngram):
                self._runs.setdefault(run, number)
        elif len(words) >= SHORTEST:
            self._heads.setdefault(next(_runs(words, SHORTEST)), []).append(number)
        if len(text) <= LONGEST:
            self._index.add(ShingledText(text), number)

    def left_out(self, candidate: Candidate) -> LeftOut | None:
        self._sums.compared += 1
        found = self.find(candidate)
        if found is None:
            return None
        made = candidate.conversation
        self._sums.removed.append({"id": made.id, "kind": made.kind, "source": source_of(made), **asdict(found)})
        return LeftOut("in_benchmark", found.detail)

    def find(self, candidate: Candidate) -> Match | None:
        for turn in candidate.conversation.turns:
            words = words_of(turn.text)
            found = self._long(words) or self._short(words)
            if found:
                return found
        near = self._index.nearest(candidate.question)
        return Match(*self._places[near.number], similarity=round(near.similarity, 3)) if near else None

    def _long(self, words: Sequence[str]) -> Match | None:
        # One set operation over all runs: a loop in Python over the 20 million of 100,000 conversations takes 4 times as long.
        if self._runs.keys().isdisjoint(_runs(words, self._ngram)):
            return None
        hits = [start for start, run in enumerate(_runs(words, self._ngram)) if run in self._runs]
        first = last = hits[0]
        while last + 1 in hits:
            last += 1
        number = self._runs[next(_runs(words[first:], self._ngram))]
        return Match(*self._places[number], shared=" ".join(words[first : last + self._ngram]))

    def _short(self, words: Sequence[str]) -> Match | None:
        if not self._heads or self._heads.keys().isdisjoint(_runs(words, SHORTEST)):
            return None
        for start, run in enumerate(_runs(words, SHORTEST)):
            for number in self._heads.get(run, ()):
                item = words_of(self._texts[number])
                if words[start : start + len(item)] == item:
                    return Match(*self._places[number], shared=" ".join(item))
        return None

    def report(self) -> dict[str, Any]:
        """What was compared and what was found, for `decontamination.json`."""
        return {**asdict(self._sums), "runs": len(self._runs)}


@dataclass
class Sums:
    """`files` with how many texts each had that no earlier one has; `compared` conversations; `removed` ones, each with its match."""

    ngram: int
    similar: float = SIMILAR
    files: list[dict[str, Any]] = field(default_factory=list)
    compared: int = 0
    removed: list[dict[str, Any]] = field(default_factory=list)


def words_of(text: str) -> list[str]:
    """Case-folded words without punctuation; in scripts that put no spaces between words, single characters."""
    return _WORD.findall(normalised("NFKC", text).casefold())


def _runs(words: Sequence[str], length: int) -> Iterator[int]:
    """The hash of every `length` words in a row. Python's own is of 64 bits, and salted: it is never stored."""
    return map(hash, zip(*(words[start:] for start in range(length)), strict=False))
