from __future__ import annotations

import asyncio
import time

import pytest

from augment_correction.errors import TransientError
from augment_correction.llm import limiter as limiting
from augment_correction.llm.limiter import Limiter, SharedLimiter, sleep_unless


async def test_no_more_calls_than_its_capacity_are_in_flight() -> None:
    limiter = Limiter(3)
    seen: list[int] = []

    async def call() -> None:
        async with limiter.slot():
            seen.append(limiter.in_flight)
            await asyncio.sleep(0.001)

    await asyncio.gather(*(call() for _ in range(20)))
    assert max(seen) == 3
    assert limiter.in_flight == 0


async def test_a_failed_call_gives_its_slot_back() -> None:
    limiter = Limiter(1)
    for _ in range(3):
        with pytest.raises(KeyError):
            async with limiter.slot():
                raise KeyError
    assert limiter.in_flight == 0


async def test_a_hold_keeps_all_from_starting_and_none_from_ending() -> None:
    limiter = Limiter(2)
    order: list[str] = []

    async def early() -> None:
        async with limiter.slot():
            await asyncio.sleep(0.05)
            order.append("early ends")

    async def late() -> None:
        async with limiter.slot():
            order.append("late starts")

    first = asyncio.create_task(early())
    await asyncio.sleep(0)
    limiter.hold(0.3)
    start = time.monotonic()
    await asyncio.gather(first, late(), late())
    assert order == ["early ends", "late starts", "late starts"]
    assert time.monotonic() - start >= 0.28


async def test_the_longest_hold_counts() -> None:
    limiter = Limiter(1)
    limiter.hold(60)
    limiter.hold(1)
    assert 58 < limiter.held_for <= 60


async def test_a_call_cancelled_while_it_is_held_gives_its_slot_back() -> None:
    limiter = Limiter(1)
    limiter.hold(60)

    async def call() -> None:
        async with limiter.slot():
            pass

    waiting = asyncio.create_task(call())
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    limiter._open_at = 0
    await asyncio.wait_for(call(), 5)


async def test_a_call_cancelled_in_the_line_takes_nothing_with_it() -> None:
    """Before its turn it has no slot; from the moment that it is its turn it has one, though it has not run yet."""
    limiter = Limiter(1)

    async def call() -> None:
        async with limiter.slot():
            pass

    await limiter._enter()
    early, late, last = (asyncio.create_task(call()) for _ in range(3))
    await asyncio.sleep(0)
    early.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert early.done() and not late.done() and limiter.in_flight == 1
    limiter.in_flight -= 1
    limiter._wake()
    late.cancel()  # its turn has come
    await asyncio.wait_for(last, 5)
    assert late.cancelled() and limiter.in_flight == 0


@pytest.mark.parametrize(
    ("named", "waited"),
    [(7.0, 7.0), (None, limiting.UNNAMED_PAUSE), (0.0, limiting.UNNAMED_PAUSE), (3600.0, limiting.LONGEST_HOLD)],
)
async def test_a_refused_call_waits_as_long_as_the_server_names(
    named: float | None, waited: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(_: asyncio.Event, seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(limiting, "sleep_unless", sleep)
    limiter = Limiter(4)
    async with limiter.slot(), limiter.slot():  # one of the two is worked on
        await limiter.refused(TransientError("429", status=429, retry_after=named))
    assert sum(slept) == waited and slept[0] == min(waited, limiting.SHORT_CALL)
    assert limiter.held_for == 0, "the others go on"


async def test_once_the_run_stops_nobody_is_held_back() -> None:
    stopped = asyncio.Event()
    limiter = Limiter(1, stopped)
    limiter.hold(60)

    async def call() -> None:
        async with limiter.slot():
            pass

    waiting = asyncio.create_task(call())
    await asyncio.sleep(0.01)
    stopped.set()
    await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(call(), 5)
    assert limiter.in_flight == 0 and limiter.held_for > 50


async def test_a_sleep_that_nothing_stops_lasts_its_time() -> None:
    start = time.monotonic()
    await sleep_unless(asyncio.Event(), 0.05)
    assert time.monotonic() - start >= 0.045


def refusal(seconds: float = 0.001) -> TransientError:
    return TransientError("429", status=429, retry_after=seconds)


class TestLearning:
    async def test_saturation_shrinks_to_what_the_server_works_on(self) -> None:
        """64 at once against a server of 10 slots: 54 are refused and 10 are not."""
        limiter = Limiter(64)
        accepted = 0

        async def call() -> None:
            nonlocal accepted
            async with limiter.slot():
                await asyncio.sleep(0)
                if accepted < 10:
                    accepted += 1
                    await asyncio.sleep(0.1)
                    limiter.answered()
                else:
                    await limiter.refused(refusal(0.05))

        await asyncio.gather(*(call() for _ in range(64)))
        assert limiter.capacity == 10

    async def test_a_few_random_refusals_leave_the_capacity_alone(self) -> None:
        limiter = Limiter(64)
        for number in range(600):
            async with limiter.slot():
                if number % 20 == 7:
                    await limiter.refused(refusal())
                else:
                    limiter.answered()
        assert limiter.capacity == 64

    async def test_it_never_falls_below_its_floor_and_comes_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limiting, "FAST_PROBES", 0.0)
        limiter = Limiter(64)
        for _ in range(200):
            async with limiter.slot():
                await limiter.refused(refusal(0.0001))
        assert limiter.capacity == 4
        for _ in range(5000):
            async with limiter.slot():
                limiter.answered()
        assert limiter.capacity == 64

    def test_below_what_it_was_found_to_take_it_grows_by_one_for_each_round_of_answers(self) -> None:
        limiter = Limiter(64)
        limiter.capacity = 4
        for capacity in (4, 5, 6):
            for _ in range(capacity - 1):
                limiter.answered()
                assert limiter.capacity == capacity
            limiter.answered()
            assert limiter.capacity == capacity + 1

    async def test_a_probe_that_is_refused_is_taken_back_at_once(self) -> None:
        limiter = Limiter(64)
        limiter._ceiling = limiter.capacity = 10
        limiter._probe_every = 0.0
        for _ in range(10):
            limiter.answered()
        assert limiter.capacity == 11
        async with limiter.slot():
            await limiter.refused(refusal())
        assert limiter.capacity == 10

    async def test_a_ceiling_that_lets_too_many_through_comes_down_and_probes_become_rarer(self) -> None:
        limiter = Limiter(64)
        limiter._ceiling = limiter.capacity = 10
        every = limiter._probe_every = 1.0
        for _ in range(3):
            async with limiter.slot():
                await limiter.refused(refusal())
        assert limiter.capacity == 9, "refusals of one and the same moment are one step"
        assert limiter._ceiling == 9 and limiter._probe_every == 2 * every

    async def test_where_nothing_is_accepted_nobody_starts(self) -> None:
        limiter = Limiter(16)

        async def call() -> None:
            async with limiter.slot():
                await asyncio.sleep(0)
                await limiter.refused(refusal(0.2))

        calls = [asyncio.create_task(call()) for _ in range(16)]
        await asyncio.sleep(0.05)
        assert limiter.held_for > 0.05
        await asyncio.gather(*calls)

    def test_a_limit_that_is_used_up_is_waited_out(self) -> None:
        limiter = Limiter(4)
        limiter.note_limits({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "60s"})
        assert limiter.held_for == 0
        limiter.note_limits({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "2s"})
        assert 1.5 < limiter.held_for <= 2


async def test_a_long_wait_that_a_server_asks_for_is_said_once_until_it_answers() -> None:
    said: list[str] = []
    stopped = asyncio.Event()
    stopped.set()  # nobody sleeps
    limiter = Limiter(4, stopped, notice=said.append)
    full = TransientError("m: HTTP 429: the day is full", status=429, retry_after=7_200)
    for _ in range(3):
        await limiter.refused(full)
    await limiter.refused(TransientError("busy", status=429, retry_after=2))
    assert said == ["waiting 300 s before asking again, as the server demands: m: HTTP 429: the day is full"]
    limiter.answered()
    await limiter.refused(full)
    assert len(said) == 2


async def test_where_nothing_else_is_worked_on_nobody_starts_until_the_server_wants() -> None:
    limiter = Limiter(1)
    async with limiter.slot():
        await limiter.refused(refusal(0.01))
        limiter.hold(0)
    assert limiter.in_flight == 0
    async with limiter.slot():
        waiting = asyncio.create_task(limiter.refused(refusal(30)))
        await asyncio.sleep(0)
        assert limiter.held_for > 29
        waiting.cancel()


async def test_a_refused_call_keeps_its_slot_as_long_as_a_call_takes_and_no_longer() -> None:
    """Given back at once, a server that refuses at once is asked by everybody who waits; kept, nobody else may work."""
    limiter = Limiter(2)
    limiter.answered(0.1)
    started: list[float] = []
    begun = time.monotonic()

    async def waiting() -> None:
        async with limiter.slot():
            started.append(time.monotonic() - begun)

    async def refused() -> None:
        async with limiter.slot():
            await limiter.refused(refusal(0.6))

    async with limiter.slot():  # a call that is worked on
        first = asyncio.create_task(refused())
        await asyncio.sleep(0)
        await asyncio.gather(first, waiting())
    assert 0.09 < started[0] < 0.5
    assert time.monotonic() - begun > 0.58 and limiter.in_flight == 0


class TestShared:
    async def test_each_role_has_its_own_most_and_the_server_one_for_both(self) -> None:
        server = Limiter(5)
        small, large = SharedLimiter(2, server), SharedLimiter(4, server)
        at_once: list[tuple[int, int, int]] = []

        async def call(limiter: SharedLimiter) -> None:
            async with limiter.slot():
                at_once.append((small._own.in_flight, large._own.in_flight, server.in_flight))
                await asyncio.sleep(0.002)

        await asyncio.gather(*(call(limiter) for limiter in (small, large) for _ in range(20)))
        assert [max(each) for each in zip(*at_once, strict=True)] == [2, 4, 5]
        assert server.in_flight == small._own.in_flight == large._own.in_flight == 0

    async def test_what_one_role_is_refused_the_other_heeds(self) -> None:
        server = Limiter(32)
        small, large = SharedLimiter(16, server), SharedLimiter(16, server)

        async def call() -> None:
            async with small.slot():
                await asyncio.sleep(0)
                await small.refused(refusal(0.2))

        calls = [asyncio.create_task(call()) for _ in range(16)]
        await asyncio.sleep(0.05)
        begun = time.monotonic()
        async with large.slot():
            assert time.monotonic() - begun > 0.05
        await asyncio.gather(*calls)
        assert server.capacity < 16

    async def test_a_pace_is_the_roles_own(self) -> None:
        server = Limiter(8)
        slow, free = SharedLimiter(4, server, rpm=60), SharedLimiter(4, server)
        for _ in range(3):
            slow._own.pace.started(0)
        begun = time.monotonic()
        async with free.slot():
            assert time.monotonic() - begun < 0.5
        assert slow._own.pace.delay() > 0.5
