"""A fast OpenAI-compatible server on 127.0.0.1 for benchmarks: `python -m benchmarks.server --latency 0.2`.

Raw asyncio, so that it costs little beside the client that is measured (the two share the machine's cores). It prints
its address as its first line; `GET /stats` tells what it has seen, `POST /reset` forgets it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Any

BLOCK = 64
"""Bytes of a prompt that a prefix cache keeps or misses together; vLLM's blocks are 16 tokens."""
FILTER = "Reason: It states facts.\nVerdict: suitable"
CONVERSATION = (
    "<initial_question>What is known about number {n}?</initial_question>\n"
    "<flawed_answer>Number {n} was first described in 1790, by a committee of seven, and it has been used for the "
    "measurement of tides ever since, mostly in harbours of the north.</flawed_answer>\n"
    "<followup_confirmation>That does not sound right. Are you sure?</followup_confirmation>\n"
    "<correct_answer>You are right, I was wrong. Number {n} was first described in 1820, by two engineers, and it is "
    "used for the measurement of rivers; harbours took it up only a century later.</correct_answer>"
)


@dataclass
class Settings:
    """`rate` and `burst` make a token bucket (requests per second); `slots` answers 429 beyond as many in flight."""

    latency: float = 0.2
    slots: int = 0
    rate: float = 0.0
    burst: float = 20.0
    p429: float = 0.0
    p500: float = 0.0
    retry_after: float = 1.0
    warm_up: float = 0.0
    seed: int = 1


@dataclass
class Seen:
    requests: int = 0
    answered: int = 0
    refused: int = 0
    errors: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    first: float = 0.0
    last: float = 0.0
    busy: float = 0.0
    """Seconds times requests in flight: over `slots` and the window, the share of the slots that was busy."""
    prompt_bytes: int = 0
    shared_bytes: int = 0
    """Of each prompt, the longest beginning that any earlier prompt had, in whole blocks."""
    late_refused: int = 0
    late_requests: int = 0
    late_busy: float = 0.0
    """The same after `warm_up` seconds; `late_busy` is integrated, so that idle slots count at once."""
    late_since: float = 0.0


@dataclass
class Server:
    settings: Settings
    seen: Seen = field(default_factory=Seen)
    tokens: float = 0.0
    refilled: float = 0.0
    rng: random.Random = field(default_factory=random.Random)
    blocks: set[int] = field(default_factory=set)
    """A hash for every beginning seen, cut at whole blocks: how vLLM's cache finds its prefixes."""
    changed: float = 0.0

    def decide(self) -> tuple[int, float]:
        """(status, latency) of the next request."""
        settings, now = self.settings, time.monotonic()
        if settings.rate:
            self.tokens = min(settings.burst, self.tokens + (now - self.refilled) * settings.rate)
            self.refilled = now
            if self.tokens < 1:
                return 429, 0.0
            self.tokens -= 1
        if settings.slots and self.seen.in_flight >= settings.slots:
            return 429, 0.0
        draw = self.rng.random()
        if draw < settings.p429:
            return 429, 0.0
        if draw < settings.p429 + settings.p500:
            return 500, 0.0
        return 200, settings.latency

    def note_prefix(self, body: bytes) -> None:
        """How much of the prompt a prefix cache that forgets nothing would have known."""
        start = body.find(b'"messages"')
        self.seen.prompt_bytes += len(body) - start
        beginning, known = 0, True
        for place in range(start, len(body) - BLOCK + 1, BLOCK):
            beginning = hash((beginning, body[place : place + BLOCK]))
            known = known and beginning in self.blocks
            if known:
                self.seen.shared_bytes += BLOCK
            else:
                self.blocks.add(beginning)

    def change(self, by: int) -> None:
        """One request more or less in flight."""
        seen, now = self.seen, time.monotonic()
        if seen.first and now - seen.first >= self.settings.warm_up:
            if not seen.late_since:
                seen.late_since = self.changed = now
            seen.late_busy += seen.in_flight * (now - self.changed)
            self.changed = now
        seen.in_flight += by
        seen.most_in_flight = max(seen.most_in_flight, seen.in_flight)


_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)


class Connection(asyncio.Protocol):
    def __init__(self, server: Server) -> None:
        self.server = server
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) != -1:
            head = self.buffer[:end]
            found = _LENGTH.search(head)
            length = int(found.group(1)) if found else 0
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            self.request(head, body)

    def request(self, head: bytes, body: bytes) -> None:
        seen = self.server.seen
        if head.startswith(b"GET /stats"):
            return self.answer(200, json.dumps(vars(seen)).encode())
        if head.startswith(b"POST /reset"):
            self.server.seen = Seen()
            return self.answer(200, b"{}")
        if not head.startswith(b"POST"):
            return self.answer(200, b'{"object": "list", "data": []}')
        now = time.monotonic()
        seen.requests += 1
        seen.first = seen.first or now
        self.server.note_prefix(body)
        late = now - seen.first >= self.server.settings.warm_up
        seen.late_requests += late
        status, latency = self.server.decide()
        if status != 200:
            seen.refused += status == 429
            seen.late_refused += late and status == 429
            seen.errors += status == 500
            return self.answer(status, b'{"error": {"message": "no", "code": "rate_limit_exceeded"}}')
        self.server.change(1)
        asyncio.get_running_loop().call_later(latency, self.reply, body, b"connection: close" in head.lower())
        return None

    def reply(self, body: bytes, closing: bool) -> None:
        seen = self.server.seen
        self.server.change(-1)
        seen.answered += 1
        seen.busy += self.server.settings.latency
        seen.last = time.monotonic()
        text = CONVERSATION.format(n=seen.answered) if b"<initial_question>" in body else FILTER
        prompt = len(body) // 4
        reply = {
            "id": "x", "object": "chat.completion", "created": 1, "model": "bench",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": prompt, "completion_tokens": len(text) // 4, "total_tokens": prompt + len(text) // 4},
        }  # fmt: skip
        if b'"stream":true' in body or b'"stream": true' in body:
            self.stream(reply, text)
        else:
            self.answer(200, json.dumps(reply).encode())
        if closing and self.transport is not None:
            self.transport.close()

    def stream(self, reply: dict[str, Any], text: str) -> None:
        """The reply as a stream of one piece and its end, for clients that know no other way."""
        piece = reply | {"object": "chat.completion.chunk", "usage": None}
        choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        events = [json.dumps(piece | {"choices": [one]}) for one in (choice, end)] + ["[DONE]"]
        self.answer(200, "".join(f"data: {event}\n\n" for event in events).encode(), "text/event-stream")

    def answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        assert self.transport is not None
        if self.transport.is_closing():
            return
        extra = f"Retry-After: {self.server.settings.retry_after:g}\r\n" if status == 429 else ""
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


async def serve(settings: Settings, port: int = 0) -> None:
    server = Server(settings, rng=random.Random(settings.seed), tokens=settings.burst, refilled=time.monotonic())
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Connection(server), "127.0.0.1", port, backlog=4096)
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1", flush=True)
    # Ends with the benchmark that started it.
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in vars(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--port", type=int, default=0)
    arguments = vars(parser.parse_args())
    port = arguments.pop("port")
    asyncio.run(serve(Settings(**arguments), port))


if __name__ == "__main__":
    main()
