"""Bare aiohttp: the floor. PROMPTS BASE_URL AT_ONCE FOLDER -> the number of replies as the last line."""

import asyncio
import json
import sys
from pathlib import Path

import aiohttp

prompts, base_url, at_once, _ = sys.argv[1:]
bodies = iter([json.loads(line) for line in Path(prompts).read_text().splitlines()])


async def main() -> int:
    replies = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=int(at_once))) as session:

        async def worker() -> None:
            nonlocal replies
            for body in bodies:
                async with session.post(f"{base_url}/chat/completions", json=body) as response:
                    replies += "choices" in await response.json()

        await asyncio.gather(*(worker() for _ in range(int(at_once))))
    return replies


print(asyncio.run(main()))
