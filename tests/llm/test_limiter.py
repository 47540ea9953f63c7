from __future__ import annotations

import asyncio
import time

import pytest

from augment_correction.llm.limiter import Limiter, sleep_unless


async def test_no_more_calls_than_its_capacity_are_in_flight() -> None:
    limiter = Limiter(3)
    seen: list[int] = []

    async def call() -> None:
        async with limiter:
            seen.append(limiter.in_flight)
            await asyncio.sleep(0.001)

    await asyncio.gather(*(call() for _ in range(20)))
    assert max(seen) == 3
    assert limiter.in_flight == 0


async def test_a_failed_call_gives_its_slot_back() -> None:
    limiter = Limiter(1)
    for _ in range(3):
        with pytest.raises(KeyError):
            async with limiter:
                raise KeyError
    assert limiter.in_flight == 0


async def test_a_hold_keeps_all_from_starting_and_none_from_ending() -> None:
    limiter = Limiter(2)
    order: list[str] = []

    async def early() -> None:
        async with limiter:
            await asyncio.sleep(0.05)
            order.append("early ends")

    async def late() -> None:
        async with limiter:
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
        async with limiter:
            pass

    waiting = asyncio.create_task(call())
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    limiter._open_at = 0
    await asyncio.wait_for(call(), 5)


async def test_once_the_run_stops_nobody_is_held_back() -> None:
    stopped = asyncio.Event()
    limiter = Limiter(1, stopped)
    limiter.hold(60)

    async def call() -> None:
        async with limiter:
            pass

    waiting = asyncio.create_task(call())
    await asyncio.sleep(0.01)
    stopped.set()
    await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(call(), 5)


async def test_a_sleep_that_nothing_stops_lasts_its_time() -> None:
    start = time.monotonic()
    await sleep_unless(asyncio.Event(), 0.05)
    assert time.monotonic() - start >= 0.045
