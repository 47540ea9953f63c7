"""How repetitive a set of texts is: distinct-2, compression ratio, self-repetition and self-BLEU (arXiv 2403.00553).

Raw distinct-n favours short texts, so two sets are compared at equal numbers of tokens. All of it is lexical: it sees a model
that says the same again, and not whether texts differ in what they teach (arXiv 2505.20161).
"""

from __future__ import annotations

import random
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import exp, fsum, log
from statistics import fmean

from augment_correction.text.scripts import UNSPACED

COMPARED = 200
"""Texts that self-BLEU is made of: it compares each with all others."""
REPEATED = 4
"""Words of a run that counts as repeated."""
ORDER = 4
_WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")
"""A sign is a word where a script puts no space between them."""


@dataclass(frozen=True, slots=True)
class Diversity:
    """`distinct_2`: of the pairs of words in the first `tokens` words the share that are different ones (higher is more
    diverse). `compression`: characters to compressed bytes (higher is more repetitive). `repetition`: the mean of log(1 + runs
    of four words that another text has, too). `self_bleu`: 0 to 1, higher is more alike; None of fewer than two texts."""

    texts: int
    tokens: int
    distinct_2: float
    compression: float
    repetition: float
    self_bleu: float | None

    def as_json(self) -> dict[str, float | int | None]:
        return {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(self).items()}


def diversity(texts: Iterable[str], tokens: int | None = None) -> Diversity | None:
    """Of at most `tokens` words; the texts are taken in an order drawn at random, always the same. None without a word.

    >>> diversity(["The heap is warm.", "The heap is warm."]).distinct_2
    0.5
    """
    said = [found for text in texts if (found := words(text))]
    random.Random(0).shuffle(said)
    cut = _first(said, tokens)
    count = sum(map(len, cut))
    if not count:
        return None
    raw = "\n".join(" ".join(each) for each in cut).encode()
    return Diversity(
        len(cut),
        count,
        distinct(cut),
        len(raw) / len(zlib.compress(raw, 9)),
        repetition(cut),
        self_bleu(cut[:COMPARED]),
    )


def equal(*sets: Iterable[str]) -> list[Diversity | None]:
    """Each set at as many words as the smallest has."""
    held = [list(each) for each in sets]
    least = min((sum(len(words(text)) for text in each) for each in held), default=0)
    return [diversity(each, least) for each in held]


def words(text: str) -> list[str]:
    """All of them, articles too: what repeats is looked for, and not what is said."""
    return _WORD.findall(text.casefold())


def _first(said: Sequence[Sequence[str]], tokens: int | None) -> list[Sequence[str]]:
    if tokens is None:
        return list(said)
    cut: list[Sequence[str]] = []
    for each in said:
        if tokens <= 0:
            break
        cut.append(each[:tokens])
        tokens -= len(each)
    return cut


def pairs(said: Sequence[str]) -> list[tuple[str, ...]]:
    return _runs(said, 2)


def _runs(said: Sequence[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(said[at : at + length]) for at in range(len(said) - length + 1)]


def distinct(said: Sequence[Sequence[str]]) -> float:
    """1 where no text has two words."""
    found = [pair for each in said for pair in pairs(each)]
    return len(set(found)) / len(found) if found else 1.0


def repetition(said: Sequence[Sequence[str]]) -> float:
    runs = [set(_runs(each, REPEATED)) for each in said]
    seen = Counter(run for each in runs for run in each)
    return fmean(log(1 + sum(seen[run] > 1 for run in each)) for each in runs)


def self_bleu(said: Sequence[Sequence[str]]) -> float | None:
    """Each text against all others as its references (Zhu et al. 2018, Texygen), of up to four words, with one added where
    nothing longer than a word is shared (smoothing of Lin and Och 2004)."""
    if len(said) < 2:
        return None
    counts = [[Counter(_runs(each, order)) for order in range(1, ORDER + 1)] for each in said]
    most = [_highest([each[order] for each in counts]) for order in range(ORDER)]
    return fmean(_bleu(at, said, counts, most) for at in range(len(said)))


def _highest(counts: Sequence[Counter[tuple[str, ...]]]) -> dict[tuple[str, ...], tuple[int, int, int]]:
    """By run (the most often it stands in one text, how many texts have it so often, the most in any other one)."""
    made: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for each in counts:
        for run, times in each.items():
            first, holders, second = made.get(run, (0, 0, 0))
            if times > first:
                made[run] = (times, 1, first)
            elif times == first:
                made[run] = (first, holders + 1, first)
            else:
                made[run] = (first, holders, max(second, times))
    return made


def _bleu(
    at: int,
    said: Sequence[Sequence[str]],
    counts: Sequence[Sequence[Counter[tuple[str, ...]]]],
    most: Sequence[dict[tuple[str, ...], tuple[int, int, int]]],
) -> float:
    logs = []
    for order in range(ORDER):
        mine = counts[at][order]
        total = sum(mine.values())
        shared = 0
        for run, times in mine.items():
            first, holders, second = most[order][run]
            others = second if times == first and holders == 1 else first
            shared += min(times, others)
        extra = 1 if order else 0
        if not shared + extra:
            return 0.0
        logs.append(log((shared + extra) / (total + extra)) if total + extra else 0.0)
    length = len(said[at])
    nearest = min((len(each) for place, each in enumerate(said) if place != at), key=lambda n: (abs(n - length), n))
    brevity = 1.0 if length >= nearest else exp(1 - nearest / length)
    return brevity * exp(fsum(logs) / ORDER)
