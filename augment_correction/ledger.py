"""What the run has cost, what it may still cost, and the cap. Prices: the config's, else a maintained table
(`genai-prices`), else unknown; an unknown price makes a cost null, never 0. Models on this machine cost 0. A price in
the config counts as it is written; `mode: batch` takes the batch's price from the table (`price_source` says so)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from textwrap import shorten
from typing import Any

from augment_correction.errors import BudgetExhausted, Noted
from augment_correction.models import ModelConfig, ModelsConfig
from augment_correction.usage import CallTotals, Price, Usage, add_known

LOCAL_MODES = ("embedded", "hf", "scripted", "vllm")
UNBOUNDED_REPLY = 4_096
LONGEST_FAILURE = 100
"""Characters of what a server said that a line of progress has room for."""
"""Tokens assumed for a reply that neither a limit nor a finished call bounds."""


def price_of(config: ModelsConfig, role: str) -> Price | None:
    """Raises: ConfigError where only one of a role's two prices is given."""
    model, given = config.model(role), config.price(role)
    if given is not None:
        return given
    if model.mode in LOCAL_MODES:
        return Price(Decimal(0), Decimal(0), source="runs on this machine")
    return _from_table(model)


def _from_table(model: ModelConfig) -> Price | None:
    single = _listed(model, {})
    if single is None or model.mode != "batch":
        return single
    batch = _listed(model, {"processing": "batch"})
    assert batch is not None
    if (batch.input, batch.output) != (single.input, single.output):
        return replace(batch, source=f"{batch.source}, batch")
    if model.host != "api.openai.com":  # rather too much than too little: a cap is kept with it
        return replace(single, source=f"{single.source}, full price, because the table has no price for batches")
    cached = single.cached_input / 2 if single.cached_input is not None else None
    return Price(single.input / 2, single.output / 2, cached, source=f"{single.source}, half price for a batch")


def _listed(model: ModelConfig, context: dict[str, str]) -> Price | None:
    from genai_prices import Usage as TableUsage
    from genai_prices import calc_price

    usage = TableUsage(input_tokens=1, output_tokens=1)
    try:
        found = calc_price(usage, model.model, provider_api_url=model.base_url, price_context=context)
    except LookupError:
        return None
    prices = found.model_price
    sides = [_flat(prices.input_mtok), _flat(prices.output_mtok), _flat(prices.cache_read_mtok)]
    if sides[0] is None or sides[1] is None:
        return None
    return Price(sides[0], sides[1], sides[2], source=f"genai-prices, {found.provider.name}")


def require_prices(config: ModelsConfig, roles: Iterable[str]) -> dict[str, Price | None]:
    """By role; None where none is known and none is needed.

    Raises: ConfigError for every role whose price is unknown, where a cap is set that would then bind nothing.
    """
    prices = {role: price_of(config, role) for role in roles}
    noted = Noted()
    for role in (role for role, price in prices.items() if price is None and config.max_usd is not None):
        noted.add(
            config.error(
                ("cost", "max_usd"),
                f"the spending cap cannot be kept, because no price is known for {config.model(role).model}",
                f"set {config.price_keys(role)}",
            )
        )
    noted.raise_all()
    return prices


def _flat(price: Any) -> Decimal | None:
    """A price with tiers counts with its first: passages stay far below the tiers' bounds (128,000 tokens and more)."""
    flat: Decimal | None = getattr(price, "base", price)
    return flat


@dataclass
class Totals:
    """Sums for one role. `failures` are attempts that brought no reply (retries among them), `last_failure` what the last one in this
    process said."""

    requests: int = 0
    input: int = 0
    output: int = 0
    cached_input: int | None = None
    reasoning: int | None = None
    estimated: int = 0
    failures: int = 0
    last_failure: str = ""

    def add(self, usage: Usage) -> None:
        self.requests += 1
        self.input += usage.input
        self.output += usage.output
        self.cached_input = add_known((self.cached_input, usage.cached_input))
        self.reasoning = add_known((self.reasoning, usage.reasoning))
        self.estimated += usage.estimated

    @property
    def usage(self) -> Usage:
        return Usage(self.input, self.output, self.cached_input, self.reasoning)


def last_failure(totals: Iterable[Totals]) -> str:
    """What one of the models that failed said last, on one line; empty where none did."""
    said = next((each.last_failure for each in totals if each.last_failure), "")
    return shorten(said, LONGEST_FAILURE, placeholder="...")


@dataclass
class Ledger:
    """Everything ever paid into one output folder, by role; goes on from what the journal holds. Calls that another
    model answered for a role, before the config named this one, stand apart in `earlier`: their price is not known."""

    models: Mapping[str, str]
    prices: Mapping[str, Price | None]
    max_usd: Decimal | None = None
    totals: dict[str, Totals] = field(default_factory=dict)
    earlier: list[CallTotals] = field(default_factory=list)
    before: Mapping[str, Usage] = field(default_factory=dict)
    """By role, what had been paid when this run began."""
    _reserved: Decimal = Decimal(0)
    _freed: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def open(cls, config: ModelsConfig, roles: Iterable[str], paid: Iterable[CallTotals]) -> Ledger:
        """Raises: ConfigError where a cap is set that an unknown price makes unenforceable."""
        roles = tuple(roles)
        prices = require_prices(config, roles)
        ledger = cls({role: config.model(role).model for role in roles}, prices, config.max_usd)
        for row in paid:
            if ledger.models.get(row.role, row.model) != row.model:
                ledger.earlier.append(row)
                continue
            totals = ledger.totals.setdefault(row.role, Totals())
            totals.requests += row.requests
            totals.input += row.input
            totals.output += row.output
            totals.cached_input = add_known((totals.cached_input, row.cached_input))
            totals.reasoning = add_known((totals.reasoning, row.reasoning))
            totals.estimated += row.estimated
            totals.failures += row.failures
        ledger.before = {role: totals.usage for role, totals in ledger.totals.items()}
        return ledger

    def of(self, role: str) -> Totals:
        return self.totals.setdefault(role, Totals())

    def cost(self, role: str | None = None) -> Decimal | None:
        """USD so far; None as soon as one price is unknown for a role that was used."""
        total = Decimal(0)
        for name in [role] if role else list(self.totals):
            totals, price = self.of(name), self.prices.get(name)
            if price is None:
                if totals.requests:
                    return None
                continue
            total += price.cost(totals.usage)
        return total

    def cost_of(self, rows: Iterable[CallTotals]) -> Decimal | None:
        """USD of some of these calls; None as soon as one price is unknown. Those of earlier models count nowhere."""
        total = Decimal(0)
        for row in rows:
            if self.models.get(row.role, row.model) != row.model:
                continue
            price = self.prices.get(row.role)
            if price is None:
                return None
            total += price.cost(Usage(row.input, row.output, row.cached_input, row.reasoning))
        return total

    def cost_of_this_run(self) -> Decimal | None:
        """USD since `open`; None as soon as one price is unknown for a role that this run used."""
        total = Decimal(0)
        for role, totals in self.totals.items():
            before, price = self.before.get(role, Usage(0, 0)), self.prices.get(role)
            if price is not None:
                total += price.cost(totals.usage) - price.cost(before)
            elif (totals.input, totals.output) != (before.input, before.output):
                return None
        return total

    # ------------------------------------------------------------------------------------------- the cap

    async def reserve(self, role: str, input_tokens: int, max_tokens: int | None) -> Decimal:
        """Set aside what a call may cost, before it starts. Where only what is in flight stands in the way, wait for
        it to end: most calls cost less than what was set aside for them.

        Raises: BudgetExhausted where the cap could be passed by it.
        """
        if self.max_usd is None:
            return Decimal(0)
        while True:
            amount, spent = self._may_cost(role, input_tokens, max_tokens), self._spent()
            if spent + self._reserved + amount <= self.max_usd:
                self._reserved += amount
                return amount
            if not self._reserved:
                raise BudgetExhausted(
                    f"stopped at the spending cap of {self.max_usd} USD: {spent:.4f} spent, the next call may cost {amount:.4f}",
                    hint="raise cost.max_usd and run the same command again: finished calls are not repeated",
                )
            self._freed.clear()
            await self._freed.wait()

    def set_aside(self, role: str, input_tokens: int, max_tokens: int | None) -> Decimal:
        """Like `reserve`, for what an earlier run has asked and is still to be paid: it neither waits nor fails."""
        if self.max_usd is None or self.prices.get(role) is None:
            return Decimal(0)
        amount = self._may_cost(role, input_tokens, max_tokens)
        self._reserved += amount
        return amount

    def _spent(self) -> Decimal:
        """What the cap counts: every role that has a price (`open` made sure of those that this run uses)."""
        return sum((price.cost(self.of(role).usage) for role, price in self.prices.items() if price), Decimal(0))

    def _may_cost(self, role: str, input_tokens: int, max_tokens: int | None) -> Decimal:
        price, totals = self.prices[role], self.of(role)
        assert price is not None
        # Twice the mean reply where there is experience: replies vary, and the bound of a reasoning model
        # (16,000 tokens and more) would stop a run with most of its money unspent.
        expected = 2 * totals.output // totals.requests if totals.requests >= 8 else UNBOUNDED_REPLY
        return price.cost(Usage(input_tokens, min(expected, max_tokens or expected)))

    def release(self, amount: Decimal) -> None:
        self._reserved -= amount
        self._freed.set()

    # ------------------------------------------------------------------------------------------- the files

    def as_json(self, role: str) -> dict[str, Any]:
        """Augmentoolkit's keys first; the rest is ours. Unknown is null."""
        totals, price = self.of(role), self.prices.get(role)
        total, output = (price.cost(totals.usage), price.cost(Usage(0, totals.output))) if price else (None, None)
        return {
            "input_tokens": totals.input,
            "input_cost": None if total is None or output is None else _number(total - output),
            "output_tokens": totals.output,
            "output_cost": _number(output),
            "name": self.models.get(role),
            "requests": totals.requests,
            "retries": totals.failures,
            "cached_input_tokens": totals.cached_input,
            "reasoning_tokens": totals.reasoning,
            "estimated_requests": totals.estimated,
            "total_cost": _number(total),
            "price_source": price.source if price else None,
            **self._earlier_models(role),
        }

    def _earlier_models(self, role: str) -> dict[str, Any]:
        models: dict[str, dict[str, int]] = {}
        for row in self.earlier:
            if row.role == role:
                sums = models.setdefault(row.model, {"requests": 0, "input_tokens": 0, "output_tokens": 0})
                sums["requests"] += row.requests
                sums["input_tokens"] += row.input
                sums["output_tokens"] += row.output
        return {"earlier_models": models} if models else {}


def _number(cost: Decimal | None) -> float | None:
    return None if cost is None else float(round(cost, 8))
