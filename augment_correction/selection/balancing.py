"""No more rows from one document, type of error or kind than the config allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from augment_correction.records import content_id
from augment_correction.selection.candidate import Candidate, LeftOut, Reason, document_of

Dimension = Literal["document", "error_type", "kind"]
DIMENSIONS: Mapping[Dimension, Reason] = {
    "document": "over_document",
    "error_type": "over_error_type",
    "kind": "over_kind",
}


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the balance needs of a candidate. Rows are taken in by `order`, the same on every machine and whatever the
    order in which they came. A group is None where the row is of none (a stand-by has no type of error)."""

    key: tuple[str, int]
    order: str
    groups: Mapping[Dimension, str | None]


def weigh(candidate: Candidate, key: tuple[str, int], seed: int) -> Weighed:
    conversation = candidate.conversation
    places = conversation.provenance.get("places") or ()
    return Weighed(
        key,
        content_id("balance", str(seed), conversation.id),
        {
            "document": document_of(places[0]) if places else None,
            "error_type": conversation.provenance.get("error_type"),
            "kind": conversation.kind,
        },
    )


@dataclass(frozen=True, slots=True)
class BalanceResult:
    """`unmet` are the shares that could not be applied, since nothing at all would be left."""

    left_out: Mapping[tuple[str, int], LeftOut]
    unmet: tuple[Dimension, ...] = ()


def balance(rows: Sequence[Weighed], at_most: Mapping[Dimension, float]) -> BalanceResult:
    """A limit from 1 on is a number of rows, one below 1 a share of the rows that are left in the end.

    For a supposed size of the dataset every limit is a number, and one pass over the rows takes in what still fits. If
    that makes fewer rows than supposed, their number is supposed next. It falls with each pass, so this ends; when it
    does not fall, all shares hold of what was taken in. The first supposition is the largest size that any one of the
    shares allows by itself, so that a second pass is rare. Shares that only an empty dataset would meet (two kinds, at
    most 0.4 each) are dropped.
    """
    ordered = sorted(rows, key=lambda row: (row.order, row.key))
    size = min([len(rows), *(_largest(rows, name, limit) for name, limit in at_most.items() if limit < 1)])
    while True:
        left_out = _take_in(ordered, at_most, size)
        made = len(rows) - len(left_out)
        if made >= size:
            break
        size = made
    counts = {name: limit for name, limit in at_most.items() if limit >= 1}
    if made or not rows or counts == at_most:
        return BalanceResult(left_out)
    return BalanceResult(_take_in(ordered, counts, size), tuple(sorted(at_most.keys() - counts.keys())))


def _take_in(
    ordered: Sequence[Weighed], at_most: Mapping[Dimension, float], size: int
) -> dict[tuple[str, int], LeftOut]:
    """What does not fit any more."""
    allowed = {name: _number(limit, size) for name, limit in at_most.items()}
    taken: dict[Dimension, Counter[str | None]] = {name: Counter() for name in at_most}
    left_out = {}
    for row in ordered:
        groups = {name: row.groups[name] for name in at_most if row.groups[name] is not None}
        full = next((name for name, group in groups.items() if taken[name][group] >= allowed[name]), None)
        if full:
            left_out[row.key] = LeftOut(DIMENSIONS[full], f"{allowed[full]} rows of {full} '{groups[full]}' are in")
            continue
        for name, group in groups.items():
            taken[name][group] += 1
    return left_out


def _largest(rows: Sequence[Weighed], name: Dimension, share: float) -> int:
    """The largest size at which this share holds, as if it were the only limit: a bound for all limits together."""
    groups = Counter(row.groups[name] for row in rows)
    free = groups.pop(None, 0)
    sizes = Counter(groups.values())
    size = len(rows)
    while True:
        made = free + sum(times * min(each, _number(share, size)) for each, times in sizes.items())
        if made >= size:
            return size
        size = made


def _number(limit: float, size: int) -> int:
    return int(limit) if limit >= 1 else int(limit * size + 1e-9)  # a third of 9 is 3, not 2.9999999999999996
