"""Our pipeline beside a bare aiohttp loop and a bare AsyncOpenAI loop that send the same requests.

    python -m benchmarks.throughput [--chunks 2000] [--concurrency 64 256] [--latency 0.2] [--p429 0.05 ...]

Two stages: each passage is filtered, then written about. Every client runs in a process of its own against a server in
another; the machine is shared by both. `window` is from the first request that the server saw to its last answer, and
the ideal is requests x latency / concurrency. CPU is user + system of the client's process tree.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

WORDS = [
    "river",
    "tide",
    "harbour",
    "bridge",
    "engine",
    "valve",
    "copper",
    "lantern",
    "meadow",
    "glacier",
    "signal",
    "archive",
    "canal",
    "turbine",
]


def passage(number: int) -> str:
    """About 850 tokens, different from any other from its first words on."""
    words = [WORDS[(number * 7 + index * (1 + number % 5)) % len(WORDS)] for index in range(520)]
    return f"Number {number} is the subject of this passage. " + " ".join(words) + "."


# ------------------------------------------------------------------------------------------------ the clients


def ours(base_url: str, chunks: int, concurrency: int, folder: Path) -> int:
    documents = folder / "inputs"
    documents.mkdir(exist_ok=True)
    with (documents / "passages.jsonl").open("w") as file:
        for number in range(chunks):
            file.write(json.dumps({"text": passage(number)}) + "\n")
    config = {
        "pipeline": "correction",
        "api": {
            role: {"model": role, "base_url": base_url, "api_key": "none", "concurrency": concurrency}
            for role in ("small", "large")
        },
        "path": {"input_dir": str(documents), "output_dir": str(folder / "out")},
        "system": {"prompt_template": "chatml"},
        "cost": {f"cost_per_million_{role}_{side}": 1 for role in ("small", "large") for side in ("input", "output")},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    from augment_correction import load_config, run

    return run(load_config(folder / "config.yaml")).kept


def _bodies(chunks: int) -> list[dict[str, Any]]:
    """The same prompts as ours, rendered beforehand."""
    from augment_correction.project import Project, bundled
    from augment_correction.prompts import PromptLibrary

    library = PromptLibrary(Project(bundled()))
    bodies = []
    for name in ("filter", "masked_conversation_generation"):
        prompt = library.load(name)
        for number in range(chunks):
            messages = prompt.render({"title": "passages", "heading": "", "passage": passage(number)})
            listed = [{"role": message.role, "content": message.content} for message in messages]
            bodies.append({"model": "bench", "messages": listed, "temperature": 0.0, "max_tokens": 600})
    return bodies


def bare_aiohttp(base_url: str, chunks: int, concurrency: int, _: Path) -> int:
    import aiohttp

    async def work() -> int:
        queue = iter(_bodies(chunks))
        done = 0
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:

            async def worker() -> None:
                nonlocal done
                for body in queue:
                    async with session.post(f"{base_url}/chat/completions", json=body) as response:
                        done += "choices" in await response.json()

            await asyncio.gather(*(worker() for _ in range(concurrency)))
        return done // 2

    return asyncio.run(work())


def bare_openai(base_url: str, chunks: int, concurrency: int, _: Path) -> int:
    from openai import AsyncOpenAI

    async def work() -> int:
        queue = iter(_bodies(chunks))
        done = 0
        client = AsyncOpenAI(base_url=base_url, api_key="none", max_retries=6)

        async def worker() -> None:
            nonlocal done
            for body in queue:
                try:
                    reply = await client.chat.completions.create(**body)
                    done += bool(reply.choices)
                except Exception:  # a lost request is what is counted
                    continue

        await asyncio.gather(*(worker() for _ in range(concurrency)))
        return done // 2

    return asyncio.run(work())


CLIENTS = {"ours": ours, "aiohttp": bare_aiohttp, "openai": bare_openai}


def client_main(name: str, base_url: str, chunks: int, concurrency: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        kept = CLIENTS[name](base_url, chunks, concurrency, Path(folder))
        wall = time.monotonic() - begun
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    made = {
        "kept": kept,
        "wall": wall,
        "cpu": own.ru_utime + own.ru_stime,
        "cpu_children": children.ru_utime + children.ru_stime,
        "peak_mb": own.ru_maxrss / 1024,
        "peak_children_mb": children.ru_maxrss / 1024,
    }
    print(json.dumps(made))


# ------------------------------------------------------------------------------------------------ the table


def measure(name: str, chunks: int, concurrency: int, server_flags: list[str]) -> dict[str, Any]:
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", *server_flags],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        base_url = server.stdout.readline().strip()
        command = [sys.executable, "-m", "benchmarks.throughput", "--client", name, "--base-url", base_url]
        ended = subprocess.run(
            [*command, "--chunks", str(chunks), "--concurrency", str(concurrency)],
            stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "PYTHONPATH": "."},
        )  # fmt: skip
        made: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
        with urllib.request.urlopen(base_url.replace("/v1", "/stats")) as reply:
            made["seen"] = json.load(reply)
    finally:
        server.kill()
        server.wait()
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--only", nargs="+", default=list(CLIENTS), choices=list(CLIENTS))
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--base-url", help=argparse.SUPPRESS)
    arguments, flags = parser.parse_known_args()
    if arguments.client:
        client_main(arguments.client, arguments.base_url, arguments.chunks, arguments.concurrency[0])
        return
    requests = 2 * arguments.chunks
    print("client    at once    wall  window/ideal  CPU ms/request  (children)  peak MB  requests sent  refused  lost")
    for concurrency in arguments.concurrency:
        for name in arguments.only:
            made = measure(name, arguments.chunks, concurrency, ["--latency", str(arguments.latency), *flags])
            seen = made["seen"]
            # Ours has two models with that limit each, and both stages run at once.
            lanes = concurrency * (2 if name == "ours" else 1)
            ideal = requests * arguments.latency / lanes
            print(
                f"{name:<9} {concurrency:>7} {made['wall']:>7.2f} {(seen['last'] - seen['first']) / ideal:>13.2f}"
                f" {made['cpu'] / requests * 1000:>15.2f} {made['cpu_children'] / requests * 1000:>11.2f}"
                f" {made['peak_mb']:>8.0f} {seen['requests']:>14} {seen['refused']:>8}"
                f" {arguments.chunks - made['kept']:>5}",
                flush=True,
            )


if __name__ == "__main__":
    main()
