"""Several servers of one model, one of which may die."""

from __future__ import annotations

import asyncio

import pytest

from augment_correction.errors import TransientError
from augment_correction.llm.load_balancing import BalancedBackend
from augment_correction.records import Completion, Message, Request
from augment_correction.usage import Usage

QUESTION = Request((Message("user", "?"),), "m")


class Server:
    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.asked, self.up = seconds, 0, True

    async def complete(self, request: Request) -> Completion:
        self.asked += 1
        if not self.up:
            raise TransientError("cannot be reached", unreachable=True)
        await asyncio.sleep(self.seconds)
        return Completion("fine", None, "stop", Usage(1, 1))

    async def close(self) -> None:
        pass


async def test_the_faster_server_gets_more() -> None:
    slow, fast = Server(0.05), Server(0.005)
    balanced = BalancedBackend([("slow", slow), ("fast", fast)], lambda _: None)
    gate = asyncio.Semaphore(4)

    async def call() -> None:
        async with gate:
            await balanced.complete(QUESTION)

    await asyncio.gather(*(call() for _ in range(60)))
    assert fast.asked > 2 * slow.asked > 0


async def test_one_dies_and_no_call_notices() -> None:
    notices: list[str] = []
    dying, other = Server(), Server()
    balanced = BalancedBackend([("a", dying), ("b", other)], notices.append)
    dying.up = False
    for _ in range(20):
        assert (await balanced.complete(QUESTION)).text == "fine"
    assert dying.asked == 1, "asked last while it is down"
    assert notices == ["a cannot be reached; the other servers are used"]


async def test_when_all_are_down_the_last_failure_is_raised() -> None:
    servers = [Server(), Server()]
    for server in servers:
        server.up = False
    balanced = BalancedBackend([("a", servers[0]), ("b", servers[1])], lambda _: None)
    with pytest.raises(TransientError, match="cannot be reached"):
        await balanced.complete(QUESTION)
    servers[1].up = True
    assert (await balanced.complete(QUESTION)).text == "fine"
