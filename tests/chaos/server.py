"""The tests' server with planned faults: each is counted, and the server can go away and come back on its port."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Coroutine
from typing import Any

from aiohttp import web

from augment_correction.store.journal import text_hash
from tests.servers import Asked, ModelServer, Reply, says

Question = tuple[str, tuple[tuple[str, str], ...]]


class ChaosServer(ModelServer):
    def __init__(self) -> None:
        super().__init__()
        self._faults: list[Reply] = []
        self._share = 0.0
        self._rng = random.Random(0)
        self._disturbed: set[int] = set()
        self._met: set[Question] = set()

    def question(self, asked: Asked) -> Question:
        """Who is asked what, as the journal has it."""
        return asked.model, tuple((each["role"], text_hash(each["content"])) for each in asked.body["messages"])

    def answered(self, asked: Asked) -> bool:
        """It got a whole reply of the model. What was cut off, or met a planned fault, did not."""
        return asked.answered and id(asked) not in self._disturbed

    @property
    def disturbed(self) -> int:
        return len(self._disturbed)

    def disturb(self, *faults: Reply, share: float, seed: int) -> None:
        """This share of the questions meets one of the faults when it is asked for the first time."""
        self._faults, self._share, self._rng = list(faults), share, random.Random(seed)

    def forget(self) -> None:
        super().forget()
        self._where.clear()
        self._next.clear()
        self.usual = says()
        self._faults, self._share = [], 0.0
        self._disturbed.clear()
        self._met.clear()

    def _reply_to(self, asked: Asked) -> Reply:
        question = self.question(asked)
        if self._faults and question not in self._met:
            self._met.add(question)
            if self._rng.random() < self._share:
                self._disturbed.add(id(asked))
                return self._rng.choice(self._faults)
        return super()._reply_to(asked)

    # ------------------------------------------------------------------------------- going away, coming back

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", self._chat)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        self.port = 0
        await self._listen()
        self.port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._ready.set()
        await self._stop.wait()
        await self._runner.cleanup()

    async def _listen(self) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await self._site.start()

    async def _vanish(self) -> None:
        await self._site.stop()
        assert self._runner.server is not None
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()

    def go_away(self) -> None:
        """As if the process was killed: nobody listens, every connection is reset."""
        self._do(self._vanish())

    def come_back(self) -> None:
        self._do(self._listen())

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(20)

    def __enter__(self) -> ChaosServer:
        super().__enter__()
        return self


async def half_closes(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """The server's side of the connection is closed in the middle of the answer; it goes on listening."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "5000"})
    await response.prepare(request)
    await response.write(b'{"choices": [{"message": {"content": "Verd')
    assert request.transport is not None
    request.transport.write_eof()
    await asyncio.sleep(30)  # until the client goes: its going cancels us
    return response


async def half_closes_at_once(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """The same before the first byte of the answer."""
    assert request.transport is not None
    request.transport.write_eof()
    await asyncio.sleep(30)
    return web.Response()


def later(function: Any, seconds: float) -> threading.Timer:
    """Call it after a while, beside a run in this process."""
    timer = threading.Timer(seconds, function)
    timer.daemon = True
    timer.start()
    return timer
