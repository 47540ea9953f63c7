"""Questions that say nearly the same: MinHash signatures of their 4-character shingles, banded (Leskovec, Rajaraman and
Ullman, Mining of Massive Datasets, chapter 3)."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field

from rensa import RMinHash, RMinHashLSH

SIMILAR = 0.8
"""Jaccard similarity of the shingles from which on two questions count as nearly the same."""
PERMUTATIONS, BANDS, SEED = 128, 16, 42
CANDIDATES = 64
"""Compared for each question at most: bounds the time where all questions come out of one mould."""


@dataclass(slots=True)
class Group:
    """Rows whose questions are nearly the same as the first one's, with their similarity to it (1.0: the same but for
    case, spacing and punctuation)."""

    row: int
    question: str
    others: list[tuple[int, float, str]] = field(default_factory=list)


class QuestionIndex:
    """Each question joins the most similar earlier one that leads a group, or leads one of its own: one pass, about a
    kilobyte of memory a question."""

    def __init__(self) -> None:
        self._leaders: list[Group] = []
        self._signatures: list[RMinHash] = []
        self._index = RMinHashLSH(SIMILAR, PERMUTATIONS, BANDS)
        self._exact: dict[bytes, int] = {}

    def add(self, row: int, question: str) -> None:
        text = normal(question)
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        leader = self._exact.get(digest)
        if leader is not None:
            group = self._leaders[leader]
            group.others.append((row, round(jaccard(text, normal(group.question)), 3), question))
            return
        signature = RMinHash(PERMUTATIONS, SEED)
        signature.update(sorted(shingles(text)))
        found = self._nearest(text, signature)
        if found is None:
            self._exact[digest] = len(self._leaders)
            self._index.insert(len(self._leaders), signature)
            self._leaders.append(Group(row, question))
            self._signatures.append(signature)
            return
        leader, similarity = found
        self._exact[digest] = leader
        self._leaders[leader].others.append((row, round(similarity, 3), question))

    def groups(self) -> list[Group]:
        """Of two and more, the largest first."""
        return sorted(
            (group for group in self._leaders if group.others), key=lambda group: (-len(group.others), group.row)
        )

    def _nearest(self, text: str, signature: RMinHash) -> tuple[int, float] | None:
        candidates = sorted(self._index.query(signature))[:CANDIDATES]
        estimated = sorted((-signature.jaccard(self._signatures[key]), key) for key in candidates)
        best: tuple[int, float] | None = None
        for _, key in estimated[:3]:
            similarity = jaccard(text, normal(self._leaders[key].question))
            if similarity >= SIMILAR and (best is None or similarity > best[1]):
                best = key, similarity
        return best


def normal(text: str) -> str:
    """Letters and digits, case-folded, with one space between words."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def shingles(text: str, size: int = 4) -> set[str]:
    return {text[start : start + size] for start in range(max(1, len(text) - size + 1))}


def jaccard(one: str, other: str) -> float:
    first, second = shingles(one), shingles(other)
    return len(first & second) / len(first | second)
