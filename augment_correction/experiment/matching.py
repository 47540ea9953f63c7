"""Arms of as many rows and, within 1 %, as many trained tokens: what they differ in must not be how much they are trained."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from augment_correction.errors import InputError
from augment_correction.experiment.operations import Example
from augment_correction.records import content_id

WITHIN = 0.01
"""How far the arms' trained tokens may lie apart, as a share of the smallest."""
EXACT = 100
"""Rows up to which every sum that a choice of them can have is looked at; with more some exchange comes near enough."""


def matched(arms: Mapping[str, Sequence[Example]], seed: int) -> dict[str, list[Example]]:
    """As many rows of each arm as can be.

    Raises: InputError where an arm has no row, or no choice of rows comes so near.
    """
    for name, rows in arms.items():
        if not rows:
            raise InputError(
                f"no generated example remains for the arm {name}",
                hint="generated/ in the output folder has what was rejected and why: another generator or verifier, a higher "
                "error_driven.variations_per_error, or a lower data_generation.min_support or min_diversity_score",
            )
    ordered = {name: _shuffled(rows, seed) for name, rows in arms.items()}
    exact = max(map(len, arms.values())) <= EXACT
    for count in range(min(map(len, arms.values())), 0, -1):
        chosen = _exactly(ordered, count) if exact else _nearly(ordered, count)
        if chosen is not None:
            return {name: _in_order(rows, arms[name]) for name, rows in chosen.items()}
    raise InputError(
        "the arms cannot be given the same number of trained tokens: "
        + ", ".join(f"{name} has {len(rows)} rows" for name, rows in arms.items()),
        hint="more examples help to match the arms: raise error_driven.variations_per_error or max_samples",
    )


def _shuffled(rows: Sequence[Example], seed: int) -> list[Example]:
    return sorted(rows, key=lambda each: content_id(str(seed), each.source, str(each.number)))


def _in_order(chosen: Sequence[Example], rows: Sequence[Example]) -> list[Example]:
    place = {id(each): at for at, each in enumerate(rows)}
    return sorted(chosen, key=lambda each: place[id(each)])


def _usual(arms: Mapping[str, Sequence[Example]], count: int) -> float:
    """What `count` rows have on average."""
    return sum(sum(each.tokens for each in rows) / len(rows) * count for rows in arms.values()) / len(arms)


# ---------------------------------------------------------------------------------------- every possible sum


def _exactly(arms: Mapping[str, Sequence[Example]], count: int) -> dict[str, list[Example]] | None:
    tables = {name: _reach(rows, count) for name, rows in arms.items()}
    sums = {name: _bits(table[-1][count]) for name, table in tables.items()}
    usual, best = _usual(arms, count), None
    for low in sorted({each for found in sums.values() for each in found}, key=lambda each: abs(each - usual)):
        near = {name: _from(found, low) for name, found in sums.items()}
        if all(each is not None and each <= low * (1 + WITHIN) for each in near.values()):
            best = near
            break
    if best is None:
        return None
    return {name: _choose(rows, tables[name], count, best[name] or 0) for name, rows in arms.items()}


def _reach(rows: Sequence[Example], count: int) -> list[list[int]]:
    """`made[n][k]` has the bit of every sum that k of the first n rows can have."""
    made = [[1] + [0] * count]
    for each in rows:
        before = made[-1]
        made.append([before[0], *(before[k] | before[k - 1] << each.tokens for k in range(1, count + 1))])
    return made


def _bits(number: int) -> list[int]:
    return [at for at in range(number.bit_length()) if number >> at & 1]


def _from(sums: Sequence[int], least: int) -> int | None:
    at = bisect_left(sums, least)
    return sums[at] if at < len(sums) else None


def _choose(rows: Sequence[Example], table: Sequence[Sequence[int]], count: int, total: int) -> list[Example]:
    chosen = []
    for at in range(len(rows), 0, -1):
        if count and not table[at - 1][count] >> total & 1:
            chosen.append(rows[at - 1])
            total -= rows[at - 1].tokens
            count -= 1
    return chosen


# ------------------------------------------------------------------------------------------- by exchanging


def _nearly(arms: Mapping[str, Sequence[Example]], count: int) -> dict[str, list[Example]] | None:
    sizes = [sorted(each.tokens for each in rows) for rows in arms.values()]
    low, high = max(sum(each[:count]) for each in sizes), min(sum(each[-count:]) for each in sizes)
    wanted = min(max(_usual(arms, count), low), high) if low <= high else (low + high) / 2
    chosen = {name: _near(rows, count, wanted) for name, rows in arms.items()}
    sums = [sum(each.tokens for each in rows) for rows in chosen.values()]
    return chosen if max(sums) - min(sums) <= WITHIN * min(sums) else None


def _near(rows: Sequence[Example], count: int, wanted: float) -> list[Example]:
    """`count` rows whose tokens add up to about `wanted`: the first ones, and then by turns the one that is furthest out of line for
    the row that fits best in its place."""
    chosen, rest = list(rows[:count]), sorted(rows[count:], key=lambda each: each.tokens)
    gap = wanted - sum(each.tokens for each in chosen)
    for _ in range(len(rows)):
        moves = [
            (abs(gap - rest[to].tokens + old.tokens), at, to)
            for at, old in enumerate(chosen)
            for to in _places(rest, gap + old.tokens)
        ]
        left, at, to = min(moves, default=(abs(gap), 0, 0))
        if left >= abs(gap):
            break
        gap -= rest[to].tokens - chosen[at].tokens
        chosen[at], rest[to] = rest[to], chosen[at]
        rest.sort(key=lambda each: each.tokens)
    return chosen


def _places(rest: Sequence[Example], wanted: float) -> list[int]:
    """The rows on both sides of the size that is wanted."""
    at = bisect_left([each.tokens for each in rest], wanted)
    return [place for place in (at - 1, at) if 0 <= place < len(rest)]
