"""Tokens and money of model calls. Convention: `cached_input` lies inside `input`, `reasoning` inside `output`
(the convention of OpenAI's `usage` object). What a server does not tell is None, never 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call; `estimated` is True where the server gave no usage and we counted ourselves."""

    input: int
    output: int
    cached_input: int | None = None
    reasoning: int | None = None
    estimated: bool = False


def add_known(values: Iterable[int | None]) -> int | None:
    """Sum of the known values; None where none is known."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens; `source` names where the figures come from."""

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    source: str = "config"

    def cost(self, usage: Usage) -> Decimal:
        cached = usage.cached_input or 0
        cached_price = self.input if self.cached_input is None else self.cached_input
        total = (usage.input - cached) * self.input + cached * cached_price + usage.output * self.output
        return total / 1_000_000


@dataclass(frozen=True, slots=True)
class CallTotals:
    """Sums over the calls of one role, model and stage."""

    role: str
    model: str
    stage: str
    requests: int
    input: int
    output: int
    cached_input: int | None
    reasoning: int | None
    estimated: int
    """Calls whose tokens we counted ourselves."""
    failures: int
    """Attempts that brought no reply: each was a retry or ended a record."""
