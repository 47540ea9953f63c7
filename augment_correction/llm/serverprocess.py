"""Start, watch and stop a model server on this machine: one mechanism for the embedded model and for vLLM."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Thread
from typing import Any

import aiohttp

from augment_correction.errors import ModelUnusable
from augment_correction.folders import own_folder

Report = Callable[[str, int, int], None]
Died = Callable[[ModelUnusable], None]

WATCHDOG = Path(__file__).with_name("watchdog.py")
POLL_SECONDS = 0.25
STOP_SECONDS = 12.0  # longer than the watchdog's own grace, after which it kills the group
HURRY_SECONDS = 3.0
LOG_LINES, ERROR_LINES, LINES_BESIDE_ERRORS = 12, 8, 4
_LOGGED_BY = re.compile(r"^\(\w[^)]*\) (?:[A-Z]+ [\d-]+ [\d:]+ \[[^]]*\] ?)?")
_FRAME = re.compile(r"Traceback \(|  File \"|    |\s*$")
_ERROR = re.compile(r"(?:\(\w[^)]*\) )?(?:(?:ERROR|CRITICAL|FATAL)\b|[\w.]*(?:Error|Exception)\b|\S+: error: )")


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
    died: Died | None = None,
) -> AsyncIterator[str]:
    """Runs `command` in its own process group and yields its address once `/health` there answers 200.

    Without an `address` (`http://127.0.0.1:PORT`) the command has to announce it: one line `{"address": ...}` on
    its stdout. Everything else it says is appended to `log`. Pass keys by `environment`: a command line is readable
    by every user of the machine. `report(what, seconds_waited, 0)` is called while waiting. Raises
    `ModelUnusable` with the last lines of the log when the server dies or is not ready in time; `died` is called with it
    when the server dies later, since nobody else will start it again. The group is gone
    when the context ends, and also when this process is killed with -9 (see `watchdog`).
    """
    own_folder(log.parent)
    with log.open("ab") as output:
        begins = output.tell()
        process = _Process(
            (sys.executable, "-I", "-S", str(WATCHDOG), *command),
            stdin=PIPE,
            stdout=PIPE if address is None else output,
            stderr=output,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    try:
        waited = _Waiting(name, log, begins, process, ready_timeout, report)
        if address is None:
            address = await waited.until(_announced(process))
        await waited.until(_healthy(f"{address}/health"))
        watching = asyncio.create_task(waited.death(died)) if died else None
        try:
            yield address
        finally:
            if watching:
                watching.cancel()
    finally:
        await _stop(process)


class _Process(Popen[bytes]):
    """Started and watched without `asyncio.create_subprocess_exec`, which in Python 3.11, cancelled while it connects the pipes (Ctrl-C in
    the first moments), waits for ever."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        super().__init__(command, **options)
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        Thread(target=self._watch, daemon=True).start()

    async def ended(self) -> int:
        """Its exit code, once it has one."""
        return await asyncio.shield(self._ended)

    def _watch(self) -> None:
        code = self.wait()
        with suppress(RuntimeError):  # the loop is closed: nobody asks any more
            self._loop.call_soon_threadsafe(self._ended.set_result, code)


class _Waiting:
    """Waits for something the server does, as long as it lives and the time is not over."""

    def __init__(
        self, name: str, log: Path, begins: int, process: _Process, seconds: float, report: Report | None
    ) -> None:
        self.name, self.log, self.begins, self.process, self.report = name, log, begins, process, report
        self.seconds = seconds
        self.started = time.monotonic()

    async def until(self, event: Coroutine[None, None, str]) -> str:
        wanted = asyncio.ensure_future(event)
        died = asyncio.ensure_future(self.process.ended())
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

    async def death(self, died: Died) -> None:
        code = await self.process.ended()
        died(self._unusable(f"ended with exit code {code} while it was in use"))

    def _unusable(self, what: str) -> ModelUnusable:
        with self.log.open("rb") as file:
            file.seek(self.begins)
            written = file.read().decode("utf-8", "replace")
        said = "\n".join(f"  | {line}" for line in _last_words(written)) or "  | (nothing)"
        return ModelUnusable(f"{self.name} {what}; its last words:\n{said}", hint=f"the whole log is {self.log}")


def _last_words(written: str) -> list[str]:
    """What tells a person why, in the order of the log: its last errors, and its end. vLLM says the cause in one line, and
    below it frames of tracebacks, which are left out, and what its libraries say at their end, a hundred lines each."""
    lines = written.splitlines()
    telling = [line for line in lines if not _FRAME.match(_LOGGED_BY.sub("", line))] or lines
    errors = [number for number, line in enumerate(telling) if _ERROR.match(line)][-ERROR_LINES:]
    end = len(telling) - (LINES_BESIDE_ERRORS if errors else LOG_LINES)
    return [line for number, line in enumerate(telling) if number in errors or number >= end]


async def _announced(process: _Process) -> str:
    assert process.stdout is not None
    while line := await asyncio.to_thread(process.stdout.readline):
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


async def _stop(process: _Process) -> None:
    """Closing stdin asks the watchdog to end the server's group, and a signal on top to do it at once: when it takes too
    long, or at a second Ctrl-C. Killing the watchdog is the last resort, since what outlives its parent (vLLM's engine
    does, with the GPU's memory) would then stay."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.ended(), STOP_SECONDS)
    finally:
        if process.poll() is None:
            await _stop_at_once(process)


async def _stop_at_once(process: _Process) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.ended(), HURRY_SECONDS)
    except TimeoutError:
        process.kill()
        await process.ended()


@contextmanager
def held_port() -> Iterator[int]:
    """A free port for a server that cannot bind port 0 and tell us, kept from everybody else until the block ends.

    A server may take ten seconds to bind it, time enough for another run or an outgoing connection. On Linux two
    sockets with SO_REUSEADDR, which servers set, may share a port as long as one of them does not listen; elsewhere the
    port was free a moment ago.
    """
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = int(holder.getsockname()[1])
        if sys.platform == "linux":
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            holder.close()
        yield port
