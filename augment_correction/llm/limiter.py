"""How many calls to one model may be in flight, and when the next may start."""

from __future__ import annotations

import asyncio
import time


class Limiter:
    """`async with limiter:` is one call. After `hold(seconds)` nothing starts for that long (a 429's Retry-After);
    calls in flight go on."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.in_flight = 0
        self._slots = asyncio.Semaphore(capacity)
        self._open_at = 0.0

    def hold(self, seconds: float) -> None:
        self._open_at = max(self._open_at, time.monotonic() + seconds)

    @property
    def held_for(self) -> float:
        """Seconds until the next call may start."""
        return max(0.0, self._open_at - time.monotonic())

    async def __aenter__(self) -> None:
        await self._slots.acquire()
        try:
            while self.held_for > 0:
                await asyncio.sleep(self.held_for)
        except BaseException:
            self._slots.release()
            raise
        self.in_flight += 1

    async def __aexit__(self, *_: object) -> None:
        self.in_flight -= 1
        self._slots.release()
