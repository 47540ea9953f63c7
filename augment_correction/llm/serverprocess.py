"""Start, watch and stop a model server on this machine: one mechanism for the embedded model and for vLLM."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from augment_correction.errors import ModelUnusable

Report = Callable[[str, int, int], None]

WATCHDOG = Path(__file__).with_name("watchdog.py")
POLL_SECONDS = 0.25
STOP_SECONDS = 12.0  # longer than the watchdog's own grace, after which it kills the group
LOG_LINES = 12


@asynccontextmanager
async def local_server(
    command: Sequence[str],
    *,
    name: str,
    log: Path,
    address: str | None = None,
    environment: Mapping[str, str] | None = None,
    ready_timeout: float = 900,
    report: Report | None = None,
) -> AsyncIterator[str]:
    """Runs `command` in its own process group and yields its address once `/health` there answers 200.

    Without an `address` (`http://127.0.0.1:PORT`) the command has to announce it: one line `{"address": ...}` on
    its stdout. Everything else it says is appended to `log`. Pass keys by `environment`: a command line is readable
    by every user of the machine. `report(what, seconds_waited, 0)` is called while waiting. Raises
    `ModelUnusable` with the last lines of the log when the server dies or is not ready in time. The group is gone
    when the context ends, and also when this process is killed with -9 (see `watchdog`).
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(WATCHDOG), *command),
            stdin=PIPE,
            stdout=PIPE if address is None else output,
            stderr=output,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    try:
        waited = _Waiting(name, log, process, ready_timeout, report)
        if address is None:
            address = await waited.until(_announced(process))
        await waited.until(_healthy(f"{address}/health"))
        yield address
    finally:
        await _stop(process)


class _Waiting:
    """Waits for something the server does, as long as it lives and the time is not over."""

    def __init__(self, name: str, log: Path, process: Process, seconds: float, report: Report | None) -> None:
        self.name, self.log, self.process, self.report = name, log, process, report
        self.seconds = seconds
        self.started = time.monotonic()

    async def until(self, event: Coroutine[None, None, str]) -> str:
        wanted = asyncio.ensure_future(event)
        died = asyncio.ensure_future(self.process.wait())
        try:
            while not wanted.done():
                seconds = time.monotonic() - self.started
                if died.done():
                    raise self._unusable(f"ended with exit code {died.result()} before it was ready")
                if seconds > self.seconds:
                    raise self._unusable(f"was not ready after {seconds:.0f} seconds")
                if self.report:
                    self.report(f"starting {self.name}", int(seconds), 0)
                await asyncio.wait({wanted, died}, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            return wanted.result()
        finally:
            wanted.cancel()
            died.cancel()

    def _unusable(self, what: str) -> ModelUnusable:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        said = "\n".join(f"  | {line}" for line in lines) or "  | (nothing)"
        return ModelUnusable(f"{self.name} {what}; its last words:\n{said}", hint=f"the whole log is {self.log}")


async def _announced(process: Process) -> str:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        with suppress(ValueError, TypeError, KeyError):
            return str(json.loads(line)["address"])
    return await asyncio.Future()  # its end is noticed by who waits


async def _healthy(address: str) -> str:
    # trust_env stays off: a proxy cannot know our loopback.
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(address) as reply:
                    if reply.status == 200:
                        return address
            await asyncio.sleep(POLL_SECONDS)


async def _stop(process: Process) -> None:
    """Closing stdin asks the watchdog to end the server's group. Killing the watchdog ends the server, at least."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def free_port() -> int:
    """A port that was free a moment ago, for servers that cannot bind port 0 and tell us."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
