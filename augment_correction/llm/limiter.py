"""How many calls to one model may be in flight, and when the next may start."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress


class Limiter:
    """`async with limiter:` is one call. After `hold(seconds)` nothing starts for that long (a 429's Retry-After);
    calls in flight go on. Once `stopped` is set nobody is held back any more: who waits shall find out and give up."""

    def __init__(self, capacity: int, stopped: asyncio.Event | None = None) -> None:
        self.capacity = capacity
        self.in_flight = 0
        self._stopped = stopped or asyncio.Event()
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
            while self.held_for > 0 and not self._stopped.is_set():
                await sleep_unless(self._stopped, self.held_for)
        except BaseException:
            self._slots.release()
            raise
        self.in_flight += 1

    async def __aexit__(self, *_: object) -> None:
        self.in_flight -= 1
        self._slots.release()


async def sleep_unless(stopped: asyncio.Event, seconds: float) -> None:
    """Sleep, but not longer than until `stopped` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopped.wait()
