"""Tokens per second through our pipeline beside a bare aiohttp loop that sends the same bodies to the same server."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import aiohttp

from augment_correction.config import load_config
from augment_correction.llm.openai_chat import OpenAIChat
from augment_correction.records import Completion, Request
from augment_correction.runner import run
from tests.vllm.proofs import ONE_QUESTION
from tests.vllm.world import World, demand

PASSAGES = 40
CONCURRENCY = 8
NEW_TOKENS = 40
ROUNDS = 4


@dataclass
class Measured:
    """From the first request to the last reply. What is computed beside it (reading, files) is not in the window, what
    the window waits for is."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0
    begun: float = float("inf")
    ended: float = 0.0

    @property
    def rate(self) -> float:
        return self.tokens / (self.ended - self.begun)

    def sent(self, body: dict[str, Any]) -> None:
        self.begun = min(self.begun, time.monotonic())
        self.bodies.append(body)

    def answered(self, tokens: int) -> None:
        self.tokens += tokens
        self.ended = time.monotonic()


def ours(world: World, base_url: str, round_: int) -> Measured:
    """A whole run in this process, its client timed."""
    measured = Measured()

    class Timed(OpenAIChat):
        async def complete(self, request: Request) -> Completion:
            measured.sent(self._body(request))
            made = await super().complete(request)
            measured.answered(made.usage.output)
            return made

    project = world.project(f"speed-{round_}", pipeline=ONE_QUESTION)
    for file in (project.made.root / "inputs").iterdir():
        file.unlink()
    project.made.facts(range(PASSAGES))
    api = {
        "small_model": str(world.model), "small_mode": "openai", "small_base_url": base_url, "small_api_key": "none",
        "small_concurrency": CONCURRENCY, "small_structured_output": "never", "small_extra_body": {"ignore_eos": True},
    }  # fmt: skip
    sampling = {"question": {"max_tokens": NEW_TOKENS}}
    config = load_config(project.made.config(pipeline="tiny", api=api, sampling=sampling))
    with patch("augment_correction.llm.opening.OpenAIChat", Timed):
        run(config)
    return measured


async def bare(base_url: str, bodies: list[dict[str, Any]]) -> Measured:
    measured, waiting = Measured(), iter(bodies)
    # The server closes a connection after five idle seconds; on a loaded machine one was sent into in that very moment.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENCY, keepalive_timeout=1)) as session:

        async def worker() -> None:
            for body in waiting:
                measured.sent(body)
                async with session.post(f"{base_url}/chat/completions", json=body) as response:
                    measured.answered((await response.json())["usage"]["completion_tokens"])

        await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    return measured


def compare(world: World, base_url: str) -> str:
    """In turn, so that what else the machine does meets both; the first run warms the server up and gives the bodies."""
    bodies = ours(world, base_url, 0).bodies
    demand(len(bodies) == PASSAGES, f"{len(bodies)} requests")
    pairs: list[tuple[Measured, Measured]] = []
    loads = []
    for number in range(1, ROUNDS + 1):
        if number % 2:
            first = ours(world, base_url, number)
            pairs.append((first, asyncio.run(bare(base_url, bodies))))
        else:
            second = asyncio.run(bare(base_url, bodies))
            pairs.append((ours(world, base_url, number), second))
        loads.append(os.getloadavg()[0])
    for pair in pairs:
        demand(all(each.tokens == PASSAGES * NEW_TOKENS for each in pair), [each.tokens for each in pair])
        demand(all(body in bodies for body in pair[0].bodies), "other requests than the first run's")
    rates = [statistics.median(each.rate for each in side) for side in zip(*pairs, strict=True)]
    ratios = [mine.rate / other.rate for mine, other in pairs]
    ratio = statistics.median(ratios)
    demand(ratio >= 0.95, f"{ratio:.3f} of a bare loop ({ratios})")
    return (
        f"{rates[0]:.0f} tokens/s, a bare loop {rates[1]:.0f}; of {ROUNDS} ratios the median {ratio:.3f} "
        f"({min(ratios):.3f} to {max(ratios):.3f}); load {min(loads):.1f} to {max(loads):.1f}"
    )
