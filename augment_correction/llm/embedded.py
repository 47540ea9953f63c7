"""The embedded model: llama.cpp's own OpenAI-compatible server, from a wheel, in a process of its own.

A process of its own because a crash in native code then costs a model and not the run, because its threads do
not fight with ours for the interpreter, and because ending it gives back all of its memory.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from augment_correction.errors import MissingExtra
from augment_correction.llm.serverprocess import Died, Report, local_server
from augment_correction.llm.weights import locate

MANY_CORES = 4
# llama.cpp gives a request the slot whose prompt it shares 10 % with and overwrites what is behind the shared part.
# All our prompts share the examples in front (2,400 of 2,500 tokens in prompts/small), so calls of two chunks that
# alternate overwrite each other's passage, however many slots there are. A request that no slot is similar enough to
# has its slot's prompt set aside in memory, and the best one set aside earlier taken back. Measured, 6 chunks in turn:
# tokens read again per call 106 at 0.9, 21 at 1.0 (never similar) with one slot and at 0.97 with two. At 1.0 with
# four slots a single chunk misses, because its prompt sits in another slot and is not set aside.
SAME_PROMPT_ONE_SLOT = 1.0
SAME_PROMPT = 0.97
PROMPT_CACHE_MIB = 1024  # about 13 prompts of 2,800 tokens on the 1.5B model (28 KiB per token)


def cores() -> int:
    """The cores this process may use: a container's share, not the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_concurrency() -> int:
    """Requests at once that pay on this machine's embedded model. On two cores, four at once took longer than one
    after the other (30.7 s against 24.7 s for the same job): one already keeps the cores busy."""
    return 1 if cores() <= MANY_CORES else min(4, cores() // 4)


@asynccontextmanager
async def embedded_server(
    model: str,
    *,
    log: Path,
    slots: int | None = None,
    context: int = 8192,
    threads: int | None = None,
    report: Report | None = None,
    died: Died | None = None,
) -> AsyncIterator[str]:
    """Fetches the weights if need be, starts the server and yields its base URL (`http://127.0.0.1:PORT/v1`).

    `slots` requests run at once (more wait in the server), each with `context` tokens for prompt and reply
    together. Raises `MissingExtra`, `InputError` (no weights), `ModelUnusable` (does not start).
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise MissingExtra("the embedded model", "embedded")
    path = await _located(model, report)
    command = [
        sys.executable,
        "-m",
        "augment_correction.llm.embedded",
        "--model",
        str(path),
        "--alias",
        model,
    ]
    command += ["--slots", str(slots or default_concurrency())]
    command += ["--context", str(context), "--threads", str(threads or cores())]
    name = f"the embedded model {model}"
    async with local_server(command, name=name, log=log, report=report, died=died) as address:
        yield f"{address}/v1"


class _Cancelled(Exception):
    pass


async def _located(model: str, report: Report | None) -> Path:
    """`locate` in a thread; after a cancellation its next report raises: Ctrl-C must not wait for 1 GB."""
    cancelled = threading.Event()

    def relay(what: str, done: int, total: int) -> None:
        if cancelled.is_set():
            raise _Cancelled
        if report:
            report(what, done, total)

    try:
        return await asyncio.to_thread(locate, model, report=relay)
    except asyncio.CancelledError:
        cancelled.set()
        raise


def _serve(arguments: argparse.Namespace) -> None:
    # Before the import, which loads OpenMP. Idle threads otherwise spin: on a machine with other work the 1.5B
    # model fell to 0.11 tokens per second at load 17; with this it kept 22.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = arguments.model
    params.model_alias = {arguments.alias}
    params.n_parallel = arguments.slots
    params.n_ctx = arguments.context * arguments.slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = arguments.threads
    params.port = 0
    params.verbosity = 0
    params.ui = False
    params.slot_prompt_similarity = SAME_PROMPT if arguments.slots > 1 else SAME_PROMPT_ONE_SLOT
    params.cache_ram_mib = PROMPT_CACHE_MIB
    server = xllamacpp.Server(params)
    sys.stdout.write(json.dumps({"address": server.listening_address}) + "\n")
    sys.stdout.flush()
    os.dup2(2, 1)  # nobody reads our stdout from here on
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    os._exit(0)  # the server's destructor waits for running requests


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m augment_correction.llm.embedded")
    for name in ("--model", "--alias"):
        parser.add_argument(name, required=True)
    for name in ("--slots", "--context", "--threads"):
        parser.add_argument(name, type=int, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    _serve(_arguments())
