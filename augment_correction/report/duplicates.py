"""The kept rows whose questions say nearly the same, in groups."""

from __future__ import annotations

import struct
import tempfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from augment_correction.selection.repeated import Repeated
from augment_correction.selection.similar import SIMILAR, QuestionIndex, ShingledText, hashes_per_text

__all__ = ["SIMILAR", "QuestionGroups", "SimilarRows"]
TEXTS_SHOWN, SHOWN = 6, 300
"""Texts that are shown of a group, and characters of each."""
_HEAD = struct.Struct("<qHI")
"""The row, how many hashes follow and how many bytes of text."""


@dataclass(slots=True)
class SimilarRows:
    """Rows whose questions are nearly the same as the first one's. The same words are shown once: `shown` has by text the first row
    with it, the similarity to the first row's (1.0: the same but for case, spacing and punctuation), its beginning and how often it
    came."""

    rows: array[int] = field(default_factory=lambda: array("q"))
    shown: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, row: int, similarity: float, text: str) -> None:
        self.rows.append(row)
        if text in self.shown:
            self.shown[text][3] += 1
        elif len(self.shown) < TEXTS_SHOWN:
            self.shown[text] = [row, similarity, text[:SHOWN], 1]

    def as_json(self) -> dict[str, Any]:
        shown = list(self.shown.values())
        more = len(self.rows) - sum(times for *_, times in shown)
        return {"count": len(self.rows), "rows": self.rows.tolist(), "shown": shown, "more": more}


class QuestionGroups:
    """Each question joins the most similar earlier one that leads a group, or leads one of its own.

    The texts wait in a file beside the report until all are there. Then it is known which hashes came more than once, and nothing is
    remembered of a question that has none of these: memory grows with what is alike, and by two bytes a hash for the rest.
    """

    def __init__(self, expected: int = 0, folder: Path | None = None) -> None:
        """`expected` questions; the file is made in `folder`, without a name."""
        if folder:
            folder.mkdir(parents=True, exist_ok=True)  # a preview writes its report before anything else
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `groups`
        self._repeated = Repeated(hashes_per_text(SIMILAR) * expected)
        self._leaders = array("Q")
        """Where their texts stand in the file."""
        self._index = QuestionIndex(self._leader, among=self._repeated)

    def add(self, row: int, text: str) -> None:
        hashes = array("q", self._index.hashes(ShingledText(text)))
        self._repeated.note(hashes)
        written = text.encode("utf-8", "surrogatepass")
        self._file.write(_HEAD.pack(row, len(hashes), len(written)) + hashes.tobytes() + written)

    def groups(self) -> list[SimilarRows]:
        """Of two and more, the largest first."""
        groups: dict[int, SimilarRows] = {}
        for row, place, text in self._perhaps_alike():
            question = ShingledText(text)
            found = self._index.nearest(question)
            if found is None:
                self._index.add(question, len(self._leaders))
                self._leaders.append(place)
                continue
            if found.number not in groups:
                groups[found.number] = SimilarRows()
                groups[found.number].add(self._row(found.number), 1.0, self._leader(found.number))
            groups[found.number].add(row, round(found.similarity, 3), text)
        self._file.close()
        return sorted(groups.values(), key=lambda group: (-len(group.rows), group.rows[0]))

    def _perhaps_alike(self) -> Iterator[tuple[int, int, str]]:
        """(row, place in the file, text) of the questions that share a hash with another one."""
        place = 0
        while head := self._read(place, _HEAD.size):
            row, count, size = _HEAD.unpack(head)
            rest = self._file.read(8 * count + size)
            if any(hashed in self._repeated for hashed in array("q", rest[: 8 * count])):
                yield row, place, rest[8 * count :].decode("utf-8", "surrogatepass")
            place += _HEAD.size + len(rest)

    def _row(self, number: int) -> int:
        row: int = _HEAD.unpack(self._read(self._leaders[number], _HEAD.size))[0]
        return row

    def _leader(self, number: int) -> str:
        place = self._leaders[number]
        _, count, size = _HEAD.unpack(self._read(place, _HEAD.size))
        return self._read(place + _HEAD.size + 8 * count, size).decode("utf-8", "surrogatepass")

    def _read(self, place: int, size: int) -> bytes:
        self._file.seek(place)
        return self._file.read(size)
