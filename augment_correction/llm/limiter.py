"""How many calls to one model may be in flight, when the next may start, and when a silent server is given up.

Three things are told apart, because each wants another answer:

* *a refusal now and then* (429 on a few of many calls): the refused call waits out its Retry-After, all others go on, and one
  of them in its slot. Stopping everybody would cost a second for each of them.
* *saturation* (429 on a large share of the last calls): the capacity falls to what the server is really working on, and
  from then on only a probe now and then asks for more. Where it works on nothing, nobody starts until Retry-After.
* *an outage* (nothing but errors, from every call): everybody waits, one call at a time asks whether the server is
  back, and no call's retries are used up by it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress

from augment_correction.errors import ModelError, TransientError
from augment_correction.llm.outage import Outage
from augment_correction.llm.pace import Pace, seconds_of

REFUSED_TOO_OFTEN = 0.15
"""Share of the last calls above which the capacity shrinks by a tenth. Random refusals of 5 % stay below it."""
SATURATED = 0.3
FAST_PROBES, SLOW_PROBES = 0.5, 5.0
"""Seconds between two tries at one call more than the server was found to take: from fast to slow, doubled by each that
is refused and halved by each that is not. Simulated with two models that share a bucket of 100 requests per second:
1.9 times the ideal with slow probes only, 1.1 with these; 16 slots shared by two are 90 % busy instead of 60 %."""
UNNAMED_PAUSE = 1.0
"""Seconds that a refused call waits where the server names none."""
SHORT_CALL = 0.25
"""Seconds that a call is taken to last before the first answer tells."""
LONG_PAUSE = 30.0
"""Seconds; a refused call that waits longer than this is said, once until the next answer: nothing else may move."""
LONGEST_HOLD = 300.0
"""Seconds; a server that asks for a longer pause than this is asked again anyway."""


class Limiter:
    """`async with limiter.slot(tokens):` is one call. `capacity` moves between 1 and `maximum`; `rpm` and `tpm` are caps
    of requests and prompt tokens per minute. Once `stopped` is set nobody is held back any more: who waits shall find
    out and give up."""

    def __init__(
        self,
        maximum: int,
        stopped: asyncio.Event | None = None,
        *,
        rpm: float | None = None,
        tpm: float | None = None,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.maximum = maximum
        self.capacity = maximum
        self.in_flight = 0
        self.outage = Outage(notice)
        self._notice = notice
        self._said_pause = False
        self.pace = Pace(rpm, tpm)
        self._stopped = stopped or asyncio.Event()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._outcomes: deque[bool] = deque(maxlen=max(32, 2 * maximum))  # True: refused
        self._ceiling = maximum
        self._bursting = False
        self._probe_every = SLOW_PROBES
        self._grown_at = 0.0
        self._shrunk_at = 0.0
        self._seconds = 0.0
        self._idle = 0
        self._answered_since_growth = 0
        self._open_at = 0.0

    # ------------------------------------------------------------------------------------------------ slots

    @asynccontextmanager
    async def slot(self, tokens: int = 0) -> AsyncIterator[None]:
        await self._enter()
        try:
            await self._may_start(tokens)
            yield
        finally:
            self.in_flight -= 1
            self._wake()

    async def _enter(self) -> None:
        if self.in_flight < self.capacity and not self._waiting:
            self.in_flight += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.in_flight -= 1
                self._wake()
            raise

    def _wake(self) -> None:
        """Give free slots to those who wait, first come first served."""
        while self._waiting and self.in_flight < self.capacity:
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)

    async def _may_start(self, tokens: int) -> None:
        while not self._stopped.is_set():
            wait = max(self.held_for, self.pace.delay())
            if wait > 0:
                await sleep_unless(self._stopped, wait)
            elif self.outage.probing:
                await sleep_unless(self._stopped, 0.1)
            else:
                break
        self.outage.probing = self.outage.since is not None
        self.pace.started(tokens)

    # ---------------------------------------------------------------------------------------- what it learns from

    def hold(self, seconds: float) -> None:
        """Nothing starts for that long; calls in flight go on."""
        self._open_at = max(self._open_at, time.monotonic() + min(seconds, LONGEST_HOLD))

    @property
    def held_for(self) -> float:
        """Seconds until the next call may start."""
        return max(0.0, self._open_at - time.monotonic())

    def answered(self, seconds: float = 0.0) -> None:
        """A call came home with a reply, after so long where that is known."""
        if seconds:
            self._seconds = 0.9 * self._seconds + 0.1 * seconds if self._seconds else seconds
        self.outage.answered()
        self._said_pause = False
        if self._bursting:
            self._bursting = False
            self._outcomes.clear()  # what was learned holds for the old capacity
        self._outcomes.append(False)
        self._answered_since_growth += 1
        if self.capacity < self.maximum and self._answered_since_growth >= self.capacity:
            self._grow()

    def _grow(self) -> None:
        if self.capacity < self._ceiling:
            grow = self._share() < REFUSED_TOO_OFTEN / 2
        else:
            grow = time.monotonic() - self._grown_at > self._probe_every
            if grow:
                self._probe_every = max(FAST_PROBES, self._probe_every / 2)
        if grow:
            self._answered_since_growth, self._grown_at = 0, time.monotonic()
            self.capacity += 1
            self._ceiling = max(self._ceiling, self.capacity - 1)
            self._wake()

    async def refused(self, failure: TransientError) -> None:
        """A 429: wait as long as the server wants, and shrink where too many were refused."""
        self.outage.answered()  # a refusal is an answer
        self._outcomes.append(True)
        pause = min(failure.retry_after or UNNAMED_PAUSE, LONGEST_HOLD)
        if pause > LONG_PAUSE and not self._said_pause:
            self._said_pause = True
            self._notice(f"waiting {pause:.0f} s before asking again, as the server demands: {failure.message}")
        self._learn(pause)
        self._idle += 1
        try:
            await sleep_unless(self._stopped, self._typical(pause))
        finally:
            self._idle -= 1
        with self.given_back():
            await sleep_unless(self._stopped, pause - self._typical(pause))

    def _typical(self, most: float) -> float:
        """Seconds that a call takes, at most `most`. A refused one keeps its slot for as long, else a server that refuses at
        once would be asked by everybody who waits."""
        return min(most, self._seconds or SHORT_CALL)

    @contextmanager
    def given_back(self) -> Iterator[None]:
        """A call that only waits leaves its slot to others for that time, and then stands in line again."""
        self.in_flight -= 1
        self._wake()
        try:
            yield
        finally:
            self.in_flight += 1  # which the end of `slot` takes back

    def _learn(self, pause: float) -> None:
        share = self._share()
        accepted = self.in_flight - self._idle - 1
        if accepted <= 0:
            self.hold(pause)
        if self._bursting or (len(self._outcomes) >= 16 and share > SATURATED):
            # A burst of refusals lasts until the next answer: each of them says how few are really worked on.
            self._bursting = True
            self._ceiling = self._shrink(accepted)
            self._probe_every = FAST_PROBES
        elif self.capacity > self._ceiling:
            self._shrink(self._ceiling)  # the probe has found the ceiling again
            self._probe_every = min(SLOW_PROBES, 2 * self._probe_every)
        elif self._ceiling < self.maximum:
            if time.monotonic() - self._shrunk_at > 2 * self._typical(SLOW_PROBES):
                self._ceiling = self._shrink(self.capacity - 1)  # a ceiling that was found still lets too many through
                self._probe_every = min(SLOW_PROBES, 2 * self._probe_every)
        elif len(self._outcomes) >= 64 and share > REFUSED_TOO_OFTEN:
            self._shrink(int(self.capacity * 0.9))
            self._outcomes.clear()  # what was learned holds for the old capacity

    def _shrink(self, to: int) -> int:
        self.capacity = max(1, self.maximum // 16, min(self.capacity, to))
        self._answered_since_growth, self._grown_at = 0, time.monotonic()
        self._shrunk_at = self._grown_at
        return self.capacity

    def _share(self) -> float:
        return sum(self._outcomes) / len(self._outcomes) if self._outcomes else 0.0

    def failed(self, failure: ModelError) -> bool:
        """A call came home with an error that is no refusal. True: it belongs to an outage and is not the call's fault.

        Raises: ModelUnusable after a very long outage.
        """
        pause = self.outage.failed(failure)
        if pause is not None:
            self.hold(pause)
        return pause is not None

    def note_limits(self, headers: Mapping[str, str]) -> None:
        """`x-ratelimit-remaining-*` at zero: wait until the reset that the server names."""
        for what in ("requests", "tokens"):
            if headers.get(f"x-ratelimit-remaining-{what}") == "0":
                self.hold(seconds_of(headers.get(f"x-ratelimit-reset-{what}", "")))


class SharedLimiter:
    """One role's part of the limiter of a server that several roles ask with one key: what the server refuses is learned
    once for all of them. `maximum`, `rpm` and `tpm` are the role's own."""

    def __init__(
        self,
        maximum: int,
        server: Limiter,
        stopped: asyncio.Event | None = None,
        *,
        rpm: float | None = None,
        tpm: float | None = None,
    ) -> None:
        self.maximum = maximum
        self._own = Limiter(maximum, stopped, rpm=rpm, tpm=tpm)
        self._server = server
        self.answered, self.failed = server.answered, server.failed
        self.hold, self.note_limits = server.hold, server.note_limits

    @asynccontextmanager
    async def slot(self, tokens: int = 0) -> AsyncIterator[None]:
        async with self._own.slot(tokens), self._server.slot():
            yield

    async def refused(self, failure: TransientError) -> None:
        """The role's own slot is free for the whole pause: its place in the server's line is what counts."""
        with self._own.given_back():
            await self._server.refused(failure)


AnyLimiter = Limiter | SharedLimiter


async def sleep_unless(stopped: asyncio.Event, seconds: float) -> None:
    """Sleep, but not longer than until `stopped` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopped.wait()
