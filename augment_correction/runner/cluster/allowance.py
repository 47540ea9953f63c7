"""A cap that many actors keep together: each spends what it has leased from the board."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal

from augment_correction.ledger import Ledger

Lease = Callable[[Decimal], Awaitable[Decimal]]


@dataclass
class LeasedLedger(Ledger):
    """`max_usd` is what was spent before this actor began plus what it has leased, and grows by each lease."""

    lease: Lease | None = None
    _leasing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _all_leased: bool = False

    async def reserve(self, role: str, input_tokens: int, max_tokens: int | None) -> Decimal:
        """Raises: BudgetExhausted where neither the lease nor the board has enough left for this call."""
        if self.max_usd is not None and self.lease is not None:
            async with self._leasing:
                amount = self._may_cost(role, input_tokens, max_tokens)
                if not self._all_leased and self._spent() + self._reserved + amount > self.max_usd:
                    granted = await self.lease(amount)
                    self._all_leased = not granted
                    self.max_usd += granted
        return await super().reserve(role, input_tokens, max_tokens)


def leased(ledger: Ledger, lease: Lease) -> Ledger:
    """The ledger with nothing to spend but what `lease` grants; without a cap as it is."""
    if ledger.max_usd is None:
        return ledger
    spent = ledger._spent()
    return LeasedLedger(ledger.models, ledger.prices, spent, ledger.totals, lease=lease)
