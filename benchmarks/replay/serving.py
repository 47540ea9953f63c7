"""A model that is a folder: requests are written to it, replies are awaited in it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from augment_correction.store.folder import atomic_write

POLL = 0.2


class FolderModel:
    """`requests/KEY.json` has the `messages`, the name of the `model`, and the sampling; `replies/KEY.txt` is the answer."""

    def __init__(self, folder: Path) -> None:
        self._requests, self._replies = folder / "requests", folder / "replies"
        self._waiting: set[str] = set()
        for each in (self._requests, self._replies):
            each.mkdir(parents=True, exist_ok=True)

    async def answer(self, request: web.Request) -> web.Response:
        asked = await request.json()
        key = key_of(asked["messages"])
        path = self._requests / f"{key}.json"
        if not path.exists():
            with atomic_write(path) as file:
                file.write(json.dumps(asked, ensure_ascii=False, indent=1).encode())
        text = await self._reply(key)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return web.json_response({"model": asked["model"], "choices": [choice]})

    async def _reply(self, key: str) -> str:
        reply = self._replies / f"{key}.txt"
        while not reply.exists():
            if key not in self._waiting:
                self._waiting.add(key)
                print(f"{len(self._waiting)} requests wait for replies, {key} too", file=sys.stderr)
            await asyncio.sleep(POLL)
        self._waiting.discard(key)
        return reply.read_text("utf-8").strip()


def key_of(messages: list[dict[str, Any]]) -> str:
    """The same for the same messages, whoever asks."""
    return hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()[:12]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder as a server of OpenAI's kind on this machine; its address."""
    loop = asyncio.new_event_loop()
    application = web.Application(client_max_size=1 << 26)
    application.router.add_post("/v1/chat/completions", FolderModel(folder).answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port: int = runner.addresses[0][1]
        return port

    port = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
