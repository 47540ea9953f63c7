"""How long an event loop keeps others waiting: a tick that is due every 5 ms, in whatever loop a program opens."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

EVERY = 0.005
SHOWN = 0.002


@dataclass
class Lag:
    """Seconds that ticks came late, but never more than the thread worked meanwhile: what the machine does with other programs is
    not the loop's doing. One tick waits for all that is ready before it, so that many replies in one instant are one lag."""

    ticks: int = 0
    longest: float = 0.0
    late: int = 0
    """Ticks by more than 2 ms."""
    _due: float = 0.0
    _worked: float = 0.0

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due, self._worked = loop.time() + EVERY, time.thread_time()
        loop.call_at(self._due, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        lag = min(loop.time() - self._due, time.thread_time() - self._worked)
        self.ticks += 1
        self.late += lag > SHOWN
        self.longest = max(self.longest, lag)
        self.begin(loop)


class _Watched(asyncio.DefaultEventLoopPolicy):
    def __init__(self, lag: Lag) -> None:
        super().__init__()
        self._lag = lag

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        loop = super().new_event_loop()
        loop.call_soon(self._lag.begin, loop)
        return loop


def watched() -> Lag:
    """Of all loops that this process opens from here on."""
    lag = Lag()
    asyncio.set_event_loop_policy(_Watched(lag))
    return lag
