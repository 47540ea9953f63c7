"""How much the messages of a dataset begin alike. A model that is asked one conversation at a time falls into few ways to begin,
and whoever is trained on them learns those."""

from __future__ import annotations

import hashlib
import heapq
import math
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from augment_correction.records import Conversation
from augment_correction.selection.benchmarks import words_of

SAMPLE = 300
"""Conversations that are looked at: more alike ones are found the more there are, so that runs of different size are compared on
samples of one size."""
FIRST, OPENING = 4, 20
"""Words by which openings are told apart, and words of a message that are its opening."""
_ORDER = 4


@dataclass
class Openings:
    """Of the questions, the doubts and the last answers of a sample: those whose id has the smallest hashes."""

    _sample: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    _ranks: set[int] = field(default_factory=set)

    def watch(self, conversations: Iterable[Conversation]) -> Iterator[Conversation]:
        """The same conversations, seen on their way."""
        for conversation in conversations:
            self.add(conversation)
            yield conversation

    def add(self, conversation: Conversation) -> None:
        rank = -int.from_bytes(hashlib.sha256(conversation.id.encode()).digest()[:8], "big")
        if rank in self._ranks or (len(self._sample) == SAMPLE and rank <= self._sample[0][0]):
            return
        heapq.heappush(self._sample, (rank, _messages(conversation)))
        self._ranks.add(rank)
        if len(self._sample) > SAMPLE:
            self._ranks.remove(heapq.heappop(self._sample)[0])

    def measured(self) -> dict[str, dict[str, Any]]:
        """By message (`question`, `doubt`, `answer`), where there are two or more of it: see `diversity`."""
        by_message: dict[str, list[str]] = {}
        for _, messages in sorted(self._sample, key=lambda each: each[0], reverse=True):
            for name, text in messages.items():
                by_message.setdefault(name, []).append(text)
        return {name: diversity(texts) for name, texts in by_message.items() if len(texts) > 1}


def _messages(conversation: Conversation) -> dict[str, str]:
    said = [turn.text for turn in conversation.turns if turn.role == "user"]
    last = conversation.turns[-1]
    answer = {"answer": last.text[last.masked :]} if last.role == "assistant" else {}
    return dict(zip(("question", "doubt"), said, strict=False)) | answer


def diversity(texts: Sequence[str]) -> dict[str, Any]:
    """Of two or more texts: their number; the share of `distinct` first four words; `self_bleu` of their first 20 words, from 0 (no
    word in common) to 1 (all the same), lower is more diverse (Zhu et al., 2018, arXiv:1802.01886); `compression`, how many
    times smaller DEFLATE makes these words, lower is more diverse (Shaib et al., 2024, arXiv:2403.00553)."""
    openings = [words_of(text)[:OPENING] for text in texts]
    joined = "\n".join(" ".join(words) for words in openings).encode()
    return {
        "count": len(texts),
        "distinct": round(len({tuple(words[:FIRST]) for words in openings}) / len(texts), 3),
        "self_bleu": round(self_bleu(openings), 3),
        "compression": round(len(joined) / len(zlib.compress(joined, 9)), 2),
    }


def self_bleu(texts: Sequence[Sequence[str]]) -> float:
    """The mean BLEU-4 of each text against all others; orders that a text is too short for are left out."""
    grams = [[Counter(_runs(text, order)) for order in range(1, _ORDER + 1)] for text in texts]
    most = [_two_largest(counts[order] for counts in grams) for order in range(_ORDER)]
    lengths = Counter(map(len, texts))
    scores = []
    for text, counts in zip(texts, grams, strict=True):
        precisions = [_precision(own, most[order]) for order, own in enumerate(counts) if own]
        if precisions:
            logarithm = sum(math.log(each) for each in precisions) / len(precisions)
            scores.append(_brevity(len(text), lengths) * math.exp(logarithm))
    return sum(scores) / len(scores) if scores else 0.0


def _runs(words: Sequence[str], order: int) -> Iterator[tuple[str, ...]]:
    return (tuple(words[at : at + order]) for at in range(len(words) - order + 1))


def _two_largest(counts: Iterable[Counter[tuple[str, ...]]]) -> dict[tuple[str, ...], tuple[int, int]]:
    """Of each run of words, how often the two texts have it that have it most: what the others have is told by these."""
    largest: dict[tuple[str, ...], tuple[int, int]] = {}
    for each in counts:
        for run, count in each.items():
            first, second = largest.get(run, (0, 0))
            largest[run] = (max(first, count), max(min(first, count), second))
    return largest


def _precision(own: Counter[tuple[str, ...]], most: dict[tuple[str, ...], tuple[int, int]]) -> float:
    """Clipped by the most that any other text has; an order without a match counts as a tenth of one (Chen and Cherry, 2014)."""
    matched = 0
    for run, count in own.items():
        first, second = most[run]
        matched += min(count, second if count == first else first)
    return max(matched, 0.1) / own.total()


def _brevity(own: int, lengths: Counter[int]) -> float:
    """Of a text with so many words among all: `lengths` counts it, too."""
    closest = min((abs(length - own), length) for length, times in lengths.items() if length != own or times > 1)[1]
    return 1.0 if own >= closest else math.exp(1 - closest / own)
