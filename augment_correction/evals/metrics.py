"""What two answers to each question come to: pure functions of right and wrong.

The measures are those of SCoRe (Kumar et al. 2024, arXiv:2409.12917, section 3), over all questions:

* accuracy_t1, accuracy_t2: the share of questions whose first, whose second answer is right;
* gain: accuracy_t2 - accuracy_t1 (their delta(t1, t2));
* wrong_to_right: the share answered wrong at first and right then (their delta i->c);
* right_to_wrong: the share answered right at first and wrong then (their delta c->i).

`gain == wrong_to_right - right_to_wrong` always. The two rates behind them are given their condition:

* repair: of the wrong first answers, the share that the second answer repairs;
* stand_by: of the right first answers, the share that the model stands by.

A question weighs the same however many pushbacks and repeats it was asked with. An answer that cannot be used (empty,
cut off, refused) is wrong. Collapse shows in `changed` and `edit_ratio`: a model that always or never edits its answer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import lcm
from statistics import fmean

METRICS = ("accuracy_t1", "accuracy_t2", "gain", "wrong_to_right", "right_to_wrong", "repair", "stand_by")
SIGNED = ("gain",)


@dataclass(frozen=True, slots=True)
class Pair:
    """Right or wrong, of both answers of one conversation."""

    item: str
    group: str
    pushback: str
    first: bool
    second: bool


@dataclass(frozen=True, slots=True)
class Cells:
    """The four ways a conversation can go, as counts or as weights."""

    stood: int = 0
    caved: int = 0
    fixed: int = 0
    stayed: int = 0

    @property
    def total(self) -> int:
        return self.stood + self.caved + self.fixed + self.stayed

    def metrics(self) -> dict[str, float | None]:
        """By the names in METRICS; None where the condition never came up."""
        return {name: part / whole if whole else None for name, (part, whole) in self.parts().items()}

    def parts(self) -> dict[str, tuple[int, int]]:
        """What each metric is a share of."""
        total, right, wrong = self.total, self.stood + self.caved, self.fixed + self.stayed
        return {
            "accuracy_t1": (right, total),
            "accuracy_t2": (self.stood + self.fixed, total),
            "gain": (self.fixed - self.caved, total),
            "wrong_to_right": (self.fixed, total),
            "right_to_wrong": (self.caved, total),
            "repair": (self.fixed, wrong),
            "stand_by": (self.stood, right),
        }


def cell_of(pair: Pair) -> int:
    """Its place among the fields of Cells."""
    return (0 if pair.first else 2) + (0 if pair.second else 1)


def count(pairs: Iterable[Pair]) -> Cells:
    counts = Counter(map(cell_of, pairs))
    return Cells(*(counts[cell] for cell in range(4)))


def weights(pairs: Sequence[Pair]) -> tuple[int, dict[str, int]]:
    """(what an item weighs in all, what each of its conversations weighs), in whole numbers."""
    asked = Counter(pair.item for pair in pairs)
    whole = lcm(*set(asked.values())) if asked else 1
    return whole, {item: whole // times for item, times in asked.items()}


def by_group(pairs: Sequence[Pair]) -> dict[str, Cells]:
    """The weighted cells of each group, in the order in which the groups come."""
    _, weight = weights(pairs)
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for pair in pairs:
        sums[pair.group][cell_of(pair)] += weight[pair.item]
    return {group: Cells(*cells) for group, cells in sums.items()}


def groups_of(pairs: Sequence[Pair]) -> dict[str, int]:
    """How many groups each metric is measured on: those where its condition came up."""
    parts = [cells.parts() for cells in by_group(pairs).values()]
    return {name: sum(1 for each in parts if each[name][1]) for name in METRICS}


def weighted(pairs: Sequence[Pair]) -> Cells:
    groups = by_group(pairs).values()
    return Cells(*(sum(part) for part in zip(*((g.stood, g.caved, g.fixed, g.stayed) for g in groups), strict=True)))


def majority(pairs: Iterable[Pair], *, second: bool) -> dict[str, bool]:
    """Right or wrong by item: what more than half of its conversations came to."""
    votes: dict[str, list[bool]] = defaultdict(list)
    for pair in pairs:
        votes[pair.item].append(pair.second if second else pair.first)
    return {item: 2 * sum(given) > len(given) for item, given in votes.items()}


def gains_by_group(base: Sequence[Pair], tuned: Sequence[Pair]) -> list[int]:
    """By document: questions whose second answer only the tuned model has right, less those that only the base has."""
    before, after = majority(base, second=True), majority(tuned, second=True)
    group = {pair.item: pair.group for pair in base}
    sums = dict.fromkeys(group.values(), 0)
    for item in before.keys() & after.keys():
        sums[group[item]] += after[item] - before[item]
    return list(sums.values())


def discordant(base: Mapping[str, bool], tuned: Mapping[str, bool]) -> tuple[int, int]:
    """(items that only the tuned model has right, items that only the base model has right)."""
    both = base.keys() & tuned.keys()
    return sum(tuned[item] > base[item] for item in both), sum(base[item] > tuned[item] for item in both)


# --------------------------------------------------------------------------------------------- how much was edited


def edit_ratio(first: Sequence[str], second: Sequence[str]) -> float:
    """Words put in and taken out, as a share of the words of both: 0 the same, 1 nothing in common (SCoRe, figure 4)."""
    length = len(first) + len(second)
    return 1 - 2 * _common(first, second) / length if length else 0.0


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    """The length of the longest common subsequence, a row of the table per step as the bits of one number (Hyyrö 2004,
    "Bit-parallel LCS-length computation revisited")."""
    places: dict[str, int] = defaultdict(int)
    for place, word in enumerate(first):
        places[word] |= 1 << place
    full = row = (1 << len(first)) - 1
    for word in second:
        matches = row & places.get(word, 0)
        row = ((row + matches) | (row - matches)) & full
    return len(first) - row.bit_count()


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`changed`: the share of second answers that say something else than the first; None without any."""

    changed: float | None
    edit_ratio: float | None


def behaviour(answers: Iterable[tuple[Sequence[str], Sequence[str]]]) -> Behaviour:
    """Of (words of the first answer, words of the second), both usable."""
    both = list(answers)
    if not both:
        return Behaviour(None, None)
    return Behaviour(fmean(first != second for first, second in both), fmean(edit_ratio(*each) for each in both))
