"""The engine of Augmentoolkit 3 with the semaphore that its pipelines hold. Arguments as in aiohttp_loop.py.

The file is loaded by itself, from AUGMENTOOLKIT: its package imports what this measurement does not need.
"""

import asyncio
import importlib.util
import json
import os
import sys
from pathlib import Path

prompts, base_url, at_once, folder = sys.argv[1:]
file = Path(os.environ["AUGMENTOOLKIT"], "augmentoolkit/generation_functions/engine_wrapper_class.py")
spec = importlib.util.spec_from_file_location("engine_wrapper_class", file)
engine = importlib.util.module_from_spec(spec)
spec.loader.exec_module(engine)
bodies = [json.loads(line) for line in Path(prompts).read_text().splitlines()]


async def main() -> list[str]:
    wrapper = engine.EngineWrapper("bench", api_key="none", base_url=base_url)
    semaphore = asyncio.Semaphore(int(at_once))

    async def ask(body: dict) -> str:
        async with semaphore:
            reply, _ = await wrapper.submit_chat(body["messages"], {"temperature": 0.0, "max_tokens": 600})
            return reply

    return await asyncio.gather(*map(ask, bodies))


replies = asyncio.run(main())
Path(folder, "replies.json").write_text(json.dumps(replies))
print(sum(map(bool, replies)))
