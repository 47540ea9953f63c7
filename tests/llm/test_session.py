"""Many questions at once, stopped together; what is in flight comes home first."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from augment_correction.errors import BudgetExhausted, Interrupted
from augment_correction.llm.metered import Halt, Halted
from augment_correction.llm.session import all_home, ask_each, interruptible


class Items:
    """Numbers, and how many of them were taken."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[int]:
        for number in range(self.count):
            self.read += 1
            yield number


async def test_all_are_asked_and_never_more_at_once() -> None:
    done, at_once, most = list[int](), 0, 0

    async def ask(number: int) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.001)
        at_once -= 1
        done.append(number)

    await ask_each(aiter(Items(30)), ask, Halt(), 4)
    assert sorted(done) == list(range(30)) and most == 4


async def test_a_failure_is_raised_when_the_others_have_come_home_and_the_rest_is_read_but_not_asked() -> None:
    items, halt, home = Items(40), Halt(), list[int]()

    async def ask(number: int) -> None:
        if number == 2:
            raise KeyError("a bug")
        await asyncio.sleep(0.02)
        home.append(number)

    with pytest.raises(KeyError, match="a bug"):
        await ask_each(aiter(items), ask, halt, 5)
    assert {0, 1, 3, 4} <= set(home) and len(home) < 12
    assert items.read == 40 and isinstance(halt.cause, KeyError)


async def test_a_cap_stops_without_an_error_and_a_call_that_was_not_made_is_no_failure() -> None:
    halt = Halt()

    async def ask(number: int) -> None:
        if number == 3:
            halt.because(BudgetExhausted("the cap"))
        halt.check()

    await ask_each(aiter(Items(9)), ask, halt, 2)
    assert isinstance(halt.cause, BudgetExhausted)


async def test_what_the_source_raises_is_raised_after_the_calls_in_flight() -> None:
    home = list[int]()

    async def source() -> AsyncIterator[int]:
        yield 1
        raise OSError("the disk")

    async def ask(number: int) -> None:
        await asyncio.sleep(0.01)
        home.append(number)

    with pytest.raises(OSError, match="the disk"):
        await ask_each(source(), ask, Halt(), 2)
    assert home == [1]


async def test_all_home_waits_for_everybody_before_it_raises() -> None:
    home = list[int]()

    async def call(number: int) -> int:
        if number == 0:
            raise Halted("stopped")
        await asyncio.sleep(0.01)
        home.append(number)
        return number

    with pytest.raises(Halted):
        await all_home(map(call, range(4)))
    assert home == [1, 2, 3]
    assert await all_home(map(call, (5, 6))) == [5, 6]


async def test_what_is_interruptible_inside_gives_ctrl_c_back() -> None:
    outer, said = Halt(), list[str]()
    async with interruptible(outer, lambda: False, said.append):
        with pytest.raises(Interrupted):
            async with interruptible(Halt(), lambda: True, said.append):
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(5)
        assert outer.cause is None
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.05)
        assert isinstance(outer.cause, Interrupted) and len(said) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
