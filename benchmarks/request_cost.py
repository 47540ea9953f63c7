"""Where the milliseconds of one request go: `python -m benchmarks.request_cost [--chunks 1000] [--concurrency 64]`.

Our client of `benchmarks.throughput` is looked at every 2 ms of its CPU time. Each look counts what the main thread used since the
last one, for the innermost frame whose file a row of PLACES names; what the process used beside it is SQLite's writer, a thread. So
the rows add up to the CPU that was really used. The files are written in the main thread here.

`--steps` takes the time of each step of the event loop instead (from one `await` to the next, CPU of its thread) and lists the longest.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks import throughput
from benchmarks.measuring import measured

EVERY = LONG = 0.002
BESIDE = "SQLite's writer (its thread)"
PLACES = (
    ("imports", ("<frozen importlib",)),
    ("free checks", ("/stages/checks/",)),
    ("language of a passage", ("/augment_correction/text/", "fasttext")),
    ("prompts rendered (Jinja)", ("/jinja2/", "/augment_correction/sandbox.py", "/augment_correction/prompts/")),
    ("config, pipeline, plan", ("/pydantic", "/augment_correction/config", "/augment_correction/plan", "/yaml/")),
    ("stories written", ("/results/story.py",)),
    ("report written", ("/augment_correction/report/",)),
    ("other files written", ("/results/", "/export/", "/selection/")),
    ("reading passages", ("/documents/", "/runner/source.py", "/runner/passage_intake.py", "multiprocessing")),
    ("HTTP (aiohttp)", ("/aiohttp/", "/yarl/", "/multidict/", "/llm/openai_chat.py")),
    ("request and reply as JSON", ("/llm/chat_wire.py", "/llm/adapting.py", "/llm/sse.py")),
    ("key of a request", ("/augment_correction/records.py",)),
    ("journal, its look-ups and keys", ("/store/journal.py",)),
    ("look-ups in SQLite, statements", ("/augment_correction/store/",)),
    ("limiter", ("/llm/limiter.py", "/llm/outage.py", "/llm/pace.py")),
    ("ledger", ("/augment_correction/ledger",)),
    ("metering", ("/llm/metered.py", "/llm/refusal_history.py")),
    ("reply read, conversation made", ("/augment_correction/parsing", "/augment_correction/stages/")),
    ("passages followed", ("/augment_correction/runner/",)),
    ("event loop", ("/asyncio/", "/selectors.py")),
)
"""Each with parts of the paths of its files."""


class Sampler:
    """CPU seconds of the main thread by place, and by function."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.functions: dict[str, float] = defaultdict(float)
        self._places: dict[str, str | None] = {}
        self._last = (0.0, 0.0)

    def begin(self) -> None:
        signal.signal(signal.SIGPROF, self._look)
        signal.siginterrupt(signal.SIGPROF, False)
        self._last = time.thread_time(), time.process_time()
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)

    def end(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _look(self, _: int, frame: FrameType | None) -> None:
        now = time.thread_time(), time.process_time()
        used = now[0] - self._last[0]
        self.seconds[BESIDE] += now[1] - self._last[1] - used
        self._last = now
        if frame is not None:
            self.functions[f"{Path(frame.f_code.co_filename).name}:{frame.f_code.co_name}"] += used
        self.seconds[next(filter(None, map(self._place, _outward(frame))), "else")] += used

    def _place(self, path: str) -> str | None:
        if path not in self._places:
            self._places[path] = next((name for name, parts in PLACES if any(part in path for part in parts)), None)
        return self._places[path]


def _outward(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


class Steps:
    """The CPU seconds of each step of the event loop, and when it ended."""

    def __init__(self) -> None:
        self.count = 0
        self.long: list[tuple[float, float]] = []
        self._begun, self._run = 0.0, asyncio.events.Handle._run

    def begin(self) -> None:
        self._begun = time.monotonic()
        asyncio.events.Handle._run = lambda handle: self._timed(handle)  # type: ignore[assignment]

    def _timed(self, handle: asyncio.events.Handle) -> None:
        before = time.thread_time()
        self._run(handle)
        used = time.thread_time() - before
        self.count += 1
        if used > LONG:
            self.long.append((used, time.monotonic() - self._begun))


async def _here(function: Callable[..., Any], *given: Any, **named: Any) -> Any:
    return function(*given, **named)


def steps_main(base_url: str, chunks: int, concurrency: int) -> None:
    steps = Steps()
    with tempfile.TemporaryDirectory() as folder:
        throughput.ours(base_url, chunks, concurrency, Path(folder), steps.begin)
    print(json.dumps({"count": steps.count, "long": sorted(steps.long, reverse=True)}))


def client_main(base_url: str, chunks: int, concurrency: int) -> None:
    """One run, looked at; its last line is what was seen, as JSON."""
    sampler = Sampler()
    asyncio.to_thread = _here  # type: ignore[assignment]  # the files, too, are written where is looked
    with tempfile.TemporaryDirectory() as folder:
        kept = throughput.ours(base_url, chunks, concurrency, Path(folder), sampler.begin)
        sampler.end()
    made = {"kept": kept, "seconds": sampler.seconds, "functions": sampler.functions}
    print(json.dumps(made))


def table(made: dict[str, Any], requests: int) -> str:
    rows = sorted(made["seconds"].items(), key=lambda each: -each[1])
    whole = sum(made["seconds"].values())
    head = ["| | ms of a request | share |", "|---|---|---|", f"| all | {whole / requests * 1000:.3f} | 100 % |"]
    return "\n".join(
        [*head, *(f"| {name} | {used / requests * 1000:.3f} | {used / whole:.0%} |" for name, used in rows)]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--steps", action="store_true", help="the longest steps of the event loop instead")
    parser.add_argument("--functions", action="store_true", help="also the functions that took most")
    parser.add_argument("--base-url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.base_url:
        client = steps_main if arguments.steps else client_main
        client(arguments.base_url, arguments.chunks, arguments.concurrency)
        return
    given = ["--chunks", str(arguments.chunks), "--concurrency", str(arguments.concurrency)]
    given += ["--steps"] if arguments.steps else []
    made, _ = measured("benchmarks.request_cost", given, ["--latency", str(arguments.latency)])
    if arguments.steps:
        print(f"{len(made['long'])} of {made['count']} steps took more than 2 ms of CPU")
        print("\n".join(f"{used * 1000:.1f} ms, {at:.1f} s after the beginning" for used, at in made["long"][:10]))
        return
    print(table(made, 2 * arguments.chunks))
    if arguments.functions:
        for name, used in sorted(made["functions"].items(), key=lambda each: -each[1])[:40]:
            print(f"{used / 2 / arguments.chunks * 1000:.3f} ms {name}", file=sys.stderr)


if __name__ == "__main__":
    main()
