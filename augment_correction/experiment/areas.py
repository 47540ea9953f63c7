"""Weak areas: what the weak items have in common, by category, error codes or the words of the questions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from statistics import fmean

from augment_correction.experiment.sections import ErrorDrivenConfig
from augment_correction.experiment.weak import Looked
from augment_correction.grading import error_codes, pattern_of
from augment_correction.grading.text import words
from augment_correction.rows import Item

MOSTLY = 0.9
"""The share of items with a category from which on categories make the areas."""
APART = 0.85
"""Mean cosine distance above which two clusters stay two."""
CLUSTERED = 800
"""Items that are clustered with each other; more go to the nearest cluster, since the time grows with the square."""
OTHER = "other"
NAMING = 3
COMMON = (
    "a an and are as at be by did do does for from had has have he her his how i in into is it its many much not of on or she "
    "that the their there they this to was were what when where which who whom whose why will with you your one than then "
    "so if but can could would should about between each few more most some such only own same very s t"
)
STOP = frozenset(COMMON.split())


@dataclass(frozen=True, slots=True)
class Area:
    """`items` of the probe set of which `weak` are weak; `score` is the mean of the weak ones'."""

    name: str
    items: int
    weak: int
    score: float
    codes: Mapping[str, int]

    @property
    def share(self) -> float:
        """Of weak items, drawn towards a half where there are few items: 2 of 2 is less sure than 20 of 20."""
        return (self.weak + 1) / (self.items + 2)


def areas_of(items: Sequence[Item], by: str, codes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The area of every item by its id. `codes` are the error codes of the wrong answers, by item.

    Which of them `auto` takes is decided on all items, and never by what a model said about held-out ones.
    """
    named = sum(bool(item.category) for item in items)
    if by == "category" or (by == "auto" and items and named >= MOSTLY * len(items)):
        return {item.id: item.category or OTHER for item in items}
    if by == "codes":
        return {item.id: pattern_of(found[0]).name if (found := codes.get(item.id)) else OTHER for item in items}
    return _by_terms(items)


def weak_areas(
    looked: Iterable[Looked], area: Mapping[str, str], config: ErrorDrivenConfig
) -> tuple[list[Area], list[Area]]:
    """(the weak ones, the weakest first and at most `num_weak_areas`; all that are large enough). An area is weak where a larger
    share of its items is weak than of all items; where all are alike, each that has a weak item."""
    found: dict[str, list[Looked]] = defaultdict(list)
    for each in looked:
        if not each.bad_reference:
            found[area[each.item.id]].append(each)
    made = [_area(name, held) for name, held in found.items() if len(held) >= config.min_area]
    made.sort(key=lambda each: (-each.share, -each.score, each.name))
    whole = sum(each.items for each in made)
    usual = sum(each.weak for each in made) / whole if whole else 0
    weak = [each for each in made if each.weak and each.weak / each.items > usual]
    alike = [each for each in made if each.weak]
    return (weak or alike)[: config.num_weak_areas], made


def _area(name: str, held: Sequence[Looked]) -> Area:
    weak = [each for each in held if each.weak]
    codes = Counter(
        pattern_of(code).name
        for each in weak
        if each.seen.right is False
        for code in error_codes(each.seen.answer, each.item.reference)
    )
    score = fmean(each.score for each in weak) if weak else 0.0
    return Area(name, len(held), len(weak), score, dict(codes.most_common()))


# ------------------------------------------------------------------------------------------------ by words


Vector = Mapping[str, float]


def vectors(texts: Sequence[str]) -> list[Vector]:
    """TF-IDF of each, of length 1; a text without a word that another one has, too, is empty."""
    said = [[word for word in words(text) if word not in STOP and len(word) > 1] for text in texts]
    documents = Counter(word for each in said for word in set(each))
    made: list[Vector] = []
    for each in said:
        counts = Counter(word for word in each if documents[word] > 1)
        raw = {word: (1 + log(times)) * log(1 + len(texts) / documents[word]) for word, times in counts.items()}
        length = sqrt(sum(value * value for value in raw.values()))
        made.append({word: value / length for word, value in raw.items()} if length else {})
    return made


def cosine(one: Vector, other: Vector) -> float:
    if len(other) < len(one):
        one, other = other, one
    return sum(value * other[word] for word, value in one.items() if word in other)


def _by_terms(items: Sequence[Item]) -> dict[str, str]:
    texts = [f"{item.question} {item.reference}" for item in items]
    made = vectors(texts)
    clusters = clustered(made[:CLUSTERED])
    centres = [_centre([made[at] for at in cluster]) for cluster in clusters]
    for at in range(min(len(made), CLUSTERED), len(made)):
        near = max(range(len(centres)), key=lambda number: cosine(made[at], centres[number]))
        clusters[near].append(at)
    named: dict[str, str] = {}
    taken: set[str] = set()
    for cluster in clusters:
        name = _name([made[at] for at in cluster]) if len(cluster) > 1 else OTHER
        while name in taken and name != OTHER:
            name += " (2)"
        taken.add(name)
        named |= {items[at].id: name for at in cluster}
    return named


def clustered(made: Sequence[Vector]) -> list[list[int]]:
    """Agglomerative, by mean distance (UPGMA), as chains of nearest neighbours: time and room grow with the square."""
    count = len(made)
    apart = [[1 - cosine(made[one], made[other]) for other in range(count)] for one in range(count)]
    members = {at: [at] for at in range(count)}
    chain: list[int] = []
    done: list[list[int]] = []
    while members:
        if not chain:
            chain.append(min(members))
        last = chain[-1]
        others = [other for other in members if other != last]
        near = min(
            others, key=lambda other: (apart[last][other], other != (chain[-2] if len(chain) > 1 else -1)), default=None
        )
        if near is None or apart[last][near] > APART:
            # Its nearest is too far, and merging never brings a mean distance below the nearest one's.
            done.append(members.pop(last))
            chain.pop()
        elif len(chain) > 1 and near == chain[-2]:
            chain = chain[:-2]
            _join(members, apart, near, last)
        else:
            chain.append(near)
    return sorted((sorted(each) for each in done), key=lambda each: each[0])


def _join(members: dict[int, list[int]], apart: list[list[float]], one: int, other: int) -> None:
    own, theirs = len(members[one]), len(members[other])
    members[one] += members.pop(other)
    for each in members:
        if each != one:
            mean = (own * apart[one][each] + theirs * apart[other][each]) / (own + theirs)
            apart[one][each] = apart[each][one] = mean


def _centre(held: Sequence[Vector]) -> Vector:
    sums: Counter[str] = Counter()
    for each in held:
        sums.update(each)
    return {word: value / len(held) for word, value in sums.items()}


def _name(held: Sequence[Vector]) -> str:
    centre = _centre(held)
    best = sorted(centre, key=lambda word: (-centre[word], word))[:NAMING]
    return " ".join(best) or OTHER
