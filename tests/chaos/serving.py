"""A server that misbehaves in every way, and one that goes away for a while."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from tests.chaos.rows import Row, judged
from tests.chaos.server import half_closes, half_closes_at_once, later
from tests.chaos.world import TIMEOUT, World, demand
from tests.servers import Reply, drops, sends, sends_half, stalls

HUGE = 50 * 2**20
OVERLOADED = b'{"error": {"message": "upstream is overloaded", "code": 502}}'
BUSY = b'{"error": {"message": "slow down", "code": 429}}'
NOT_UTF8 = b'{"choices": [{"message": {"content": "caf\xe9 \xff"}, "finish_reason": "stop"}]}'


async def too_large(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """A well-formed reply of 50 MB."""
    said = {"choices": [{"message": {"content": "x" * HUGE}, "finish_reason": "stop"}]}
    return await sends(orjson.dumps(said))(request, body)


async def without_end(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """The same in pieces, whose number nobody has announced."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"choices": [{"message": {"content": "')
    for _ in range(HUGE // 2**20):
        await response.write(b"x" * 2**20)
    return response


FAULTS: dict[str, tuple[Reply, ...]] = {
    "server stalls longer than the timeout": (stalls(10 * TIMEOUT),),
    "half-closed and cut connections": (half_closes, half_closes_at_once, sends_half, drops),
    "HTTP 200 with an error body": (sends(OVERLOADED), sends(BUSY), sends(b'{"choices": []}'), sends(b"null")),
    "wrong content type": (
        sends(b"<html>Bad gateway</html>", content_type="text/html"),
        sends(b"\x89PNG\r\n\x1a\n\0\0", content_type="image/png"),
        sends(b"", content_type="text/plain"),
    ),
    "a reply of 50 MB": (too_large, without_end),
    "invalid UTF-8 in the reply": (sends(NOT_UTF8), sends(NOT_UTF8[:40]), sends(b"\xff\xfe{}")),
}
EVERYTHING = "all bad replies mixed"


def misbehaves(world: World, name: str, share: float, seed: int) -> Row:
    """Each fault meets a share of the questions, once."""
    replies = tuple(reply for each in FAULTS.values() for reply in each) if name == EVERYTHING else FAULTS[name]
    world.reset()
    world.server.disturb(*replies, share=share, seed=seed)
    made = world.finish()
    demand(world.server.disturbed, "nothing was disturbed")
    tries = sum(tokens["requests"] + tokens["retries"] for tokens in map(world.project.tokens, ("small", "large")))
    demand(tries == len(world.server.asked), f"{tries} tries in the ledger, {len(world.server.asked)} at the server")
    return judged(world, name, made, times=world.server.disturbed)


def outage(world: World, seconds: float) -> Row:
    """In the middle of the run it is gone, and back on its port after a while."""
    world.reset()
    process = world.start()
    world.server.wait_for(sum(world.reference.asked.values()) // 3, process)
    world.server.go_away()
    timer = later(world.server.come_back, seconds)
    try:
        made = world.finish(process)
    finally:
        timer.join()
    waiting, back = made.err.count("waiting for the server"), made.err.count("the server answers again")
    demand(1 <= waiting == back <= 2, f"{waiting} lines of waiting, {back} of return, for two models: {made.err}")
    note = f"down {seconds:g} s; {waiting} of 2 models say so in one line each; nothing rejected"
    return judged(world, "endpoint down and up again", made, times=1, note=note)
