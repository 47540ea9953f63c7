"""Our pipeline beside a bare aiohttp loop and a bare AsyncOpenAI loop that send the same requests.

    python -m benchmarks.throughput [--chunks 2000] [--concurrency 64 256] [--latency 0.2] [--p429 0.05 ...]
    python -m benchmarks.throughput --limits     our pipeline against servers that refuse and fail

Two stages: each passage is filtered, then written about. Every client runs in a process of its own against a server in
another; the machine is shared by both. `at once` is in all: ours has two models, with half of it each. `window` is from
the first request that the server saw to its last answer, and the ideal is requests x latency / at once. CPU is user +
system of the client's process, imports, journal and files included, the making of passages and of the bare clients'
prompts not; `children` are processes beside it (our reader). `lost`
are passages (ours) or pairs of requests that brought nothing. `lag` is the longest time for which the event loop worked before it
came to a tick that was due (`benchmarks/loop_lag.py`), `late` the share of the ticks that it let wait for more than 2 ms.

Other frameworks are measured by benchmarks.peers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.loop_lag import watched
from benchmarks.measuring import measured

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


def ours(base_url: str, chunks: int, concurrency: int, folder: Path, begin: Callable[[], None]) -> int:
    documents = folder / "inputs"
    documents.mkdir(exist_ok=True)
    with (documents / "passages.jsonl").open("w") as file:
        for number in range(chunks):
            file.write(json.dumps({"text": passage(number)}) + "\n")
    config = {
        "pipeline": "correction",
        "api": {
            role: {"model": role, "base_url": base_url, "api_key": "none", "concurrency": concurrency // 2}
            for role in ("small", "large")
        },
        "path": {"input_dir": str(documents), "output_dir": str(folder / "out")},
        "system": {"prompt_template": "chatml"},
        "cost": {f"cost_per_million_{role}_{side}": 1 for role in ("small", "large") for side in ("input", "output")},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    begin()
    from augment_correction import load_config, run

    return run(load_config(folder / "config.yaml")).kept


def bodies(chunks: int) -> list[dict[str, Any]]:
    """The prompts that ours sends, rendered beforehand: of every stage of the pipeline that asks about a correction."""
    from augment_correction.declarations import AskStage, JudgeStage
    from augment_correction.pipeline import load_pipeline
    from augment_correction.project import Project, bundled
    from augment_correction.prompts import PromptLibrary

    library, rng = PromptLibrary(Project(bundled())), random.Random(1)
    pipeline = load_pipeline(bundled() / "pipelines/correction.yaml")
    asking = [stage for stage in pipeline.stages if isinstance(stage, JudgeStage | AskStage) and stage.on]
    bodies = []
    for stage in asking:
        if stage.only and "correct_after_mistake" not in stage.only:
            continue
        prompt = library.load(stage.prompt)
        for number in range(chunks):
            drawn = {name: rng.choices([*words], [*words.values()])[0] for name, words in pipeline.draws.items()}
            messages = prompt.render(
                {**drawn, "title": "passages", "heading": "", "language": "English", "passage": passage(number)}
            )
            listed = [{"role": message.role, "content": message.content} for message in messages]
            bodies.append({"model": "bench", "messages": listed, "temperature": 0.0, "max_tokens": 600})
    return bodies


def bare_aiohttp(base_url: str, chunks: int, concurrency: int, _: Path, begin: Callable[[], None]) -> int:
    queue = iter(bodies(chunks))
    begin()
    import aiohttp

    async def work() -> int:
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


def bare_openai(base_url: str, chunks: int, concurrency: int, _: Path, begin: Callable[[], None]) -> int:
    queue = iter(bodies(chunks))
    begin()
    from openai import AsyncOpenAI

    async def work() -> int:
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
    prepared: list[float] = []
    lag = watched()

    def begin() -> None:
        prepared[:] = time.process_time(), time.monotonic()

    with tempfile.TemporaryDirectory() as folder:
        kept = CLIENTS[name](base_url, chunks, concurrency, Path(folder), begin)
        cpu, wall = time.process_time() - prepared[0], time.monotonic() - prepared[1]
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    made = {
        "kept": kept,
        "wall": wall,
        "cpu": cpu,
        "cpu_children": children.ru_utime + children.ru_stime,
        "peak_mb": own.ru_maxrss / 1024,
        "peak_children_mb": children.ru_maxrss / 1024,
        "lag": lag.longest,
        "late": lag.late / max(lag.ticks, 1),
    }
    print(json.dumps(made))


# ------------------------------------------------------------------------------------------------ the table


def measure(name: str, chunks: int, concurrency: int, server_flags: list[str]) -> dict[str, Any]:
    given = ["--client", name, "--chunks", str(chunks), "--concurrency", str(concurrency)]
    made, seen = measured("benchmarks.throughput", given, server_flags)
    return {**made, "seen": seen}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--only", nargs="+", default=list(CLIENTS), choices=list(CLIENTS))
    parser.add_argument("--limits", action="store_true", help="the three tests of refusals, with verdicts")
    parser.add_argument("--warm-up", type=float, default=5.0, help="seconds after which --limits counts busy slots")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--base-url", help=argparse.SUPPRESS)
    arguments, flags = parser.parse_known_args()
    if arguments.client:
        client_main(arguments.client, arguments.base_url, arguments.chunks, arguments.concurrency[0])
        return
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {' '.join(flags)}")
    if arguments.limits:
        limits(arguments.chunks, arguments.concurrency[0], arguments.latency, arguments.warm_up)
        return
    table(arguments, flags)


def table(arguments: argparse.Namespace, flags: list[str]) -> None:
    requests = 2 * arguments.chunks
    print(
        "client    at once    wall  window/ideal  CPU ms/request  (children)  peak MB    sent  refused  lost  shared  lag ms   late"
    )
    for concurrency in arguments.concurrency:
        for name in arguments.only:
            made = measure(name, arguments.chunks, concurrency, ["--latency", str(arguments.latency), *flags])
            seen = made["seen"]
            ratio = (seen["last"] - seen["first"]) / (requests * arguments.latency / concurrency)
            print(
                f"{name:<9} {concurrency:>7} {made['wall']:>7.2f} {ratio:>13.2f}"
                f" {made['cpu'] / requests * 1000:>15.2f} {made['cpu_children'] / requests * 1000:>11.2f}"
                f" {made['peak_mb']:>8.0f} {seen['requests']:>7} {seen['refused']:>8}"
                f" {arguments.chunks - made['kept']:>5} {seen['shared_bytes'] / seen['prompt_bytes']:>7.0%}"
                f" {made['lag'] * 1000:>7.0f} {made['late']:>6.1%}",
                flush=True,
            )


def limits(chunks: int, concurrency: int, latency: float, warm_up: float) -> None:
    """Ours against a server that refuses and fails at random, one with a token bucket, one with few slots."""
    requests = 2 * chunks
    rate, burst, slots = 100, 20, 16

    made = measure("ours", chunks, concurrency, _flags(latency=latency, p429=0.05, p500=0.02))
    ratio = _window(made) / (requests * latency / concurrency)
    _verdict("5 % of 429, 2 % of 500", made, chunks, ratio, {"window at most 1.5 of the ideal": ratio <= 1.5})

    few = min(chunks, 1000)
    made = measure("ours", few, concurrency, _flags(latency=latency, rate=rate, burst=burst))
    ratio, refused = _window(made) / ((2 * few - burst) / rate + latency), made["seen"]["refused"]
    wanted = {"window at most 1.05 of the ideal": ratio <= 1.05, f"{refused} refused, under 100": refused < 100}
    _verdict(f"token bucket, {rate}/s, burst {burst}", made, few, ratio, wanted)

    made = measure("ours", chunks, concurrency, _flags(latency=latency, slots=slots, warm_up=warm_up))
    seen, ratio = made["seen"], _window(made) / (requests * latency / slots)
    busy = seen["late_busy"] / (slots * (seen["last"] - seen["late_since"]))
    share = seen["late_refused"] / seen["late_requests"]
    wanted = {f"{busy:.1%} busy, above 90 %": busy > 0.9, f"{share:.1%} refused, under 5 %": share < 0.05}
    _verdict(f"{slots} slots, after {warm_up:g} s", made, chunks, ratio, wanted)


def _flags(**settings: float) -> list[str]:
    return [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def _window(made: dict[str, Any]) -> float:
    return float(made["seen"]["last"] - made["seen"]["first"])


def _verdict(name: str, made: dict[str, Any], chunks: int, ratio: float, wanted: dict[str, bool]) -> None:
    lost = chunks - made["kept"]
    wanted[f"{lost} lost, none may be"] = lost == 0
    told = "; ".join(f"{what}: {'yes' if met else 'NO'}" for what, met in wanted.items())
    seen = made["seen"]
    counts = f"{seen['requests']} sent, {seen['refused']} refused, {seen['errors']} failed"
    print(f"{name}: {counts}, window {ratio:.2f} of the ideal\n  {told}", flush=True)


if __name__ == "__main__":
    main()
