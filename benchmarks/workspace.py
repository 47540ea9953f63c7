"""The workspace under load: people who look at pages while others have replies streamed.

    python -m benchmarks.workspace [--people 200] [--streams 50] [--seconds 20] [--database postgresql://...]

Serves it as a user does (one process, a pool of 5 connections), with scripted replies that take ten seconds. Each person asks for a page
every few seconds. Tells how long pages took, the streams that ended, and errors.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import aiohttp

PAGES = ("/threads", "/corrections", "/versions", "/members", "/jobs")
PASSWORD = "violet staple orbit harbour"
PAUSE = 5.0
"""Seconds between two pages of one person."""
SCRIPT = 'delay: 10\nrules: [{contains: "", text: "' + "word " * 300 + '"}]\n'


class Visitor:
    def __init__(self, root: str, session: aiohttp.ClientSession) -> None:
        self._root, self._session = root, session
        self._token = ""

    async def get(self, path: str) -> str:
        async with self._session.get(self._root + path) as answer:
            return self._took(answer.status, await answer.text())

    async def post(self, path: str, **data: str) -> str:
        form = {"csrf": self._token, **data}
        async with self._session.post(
            self._root + path, data=form, headers={"Sec-Fetch-Site": "same-origin"}
        ) as answer:
            return self._took(answer.status, await answer.text())

    async def stream(self, path: str) -> int:
        async with self._session.get(self._root + path) as answer:
            return (await answer.text()).count("event: blocks")

    def _took(self, status: int, page: str) -> str:
        if status != 200:
            raise RuntimeError(f"HTTP {status}")
        if found := re.search(r'name="csrf" value="([0-9a-f]+)"', page):
            self._token = found[1]
        return page


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def serve(folder: Path, database: str) -> tuple[subprocess.Popen[str], str]:
    (folder / "script.yaml").write_text(SCRIPT)
    environment = {
        **os.environ, "LL_MODEL_STORAGE_DIR": str(folder / "storage"), "LL_INFERENCE_BACKEND": "mock",
        "LL_BASE_MODEL_NAME": str(folder / "script.yaml"), "LL_DETECT_CORRECTIONS": "false",
    }  # fmt: skip
    if database:
        environment["LL_DATABASE_URL"] = database
    command = [sys.executable, "-m", "augment_correction", "workspace", "serve", "--port", str(free_port())]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    link = ""
    for line in process.stderr:
        if found := re.search(r"http\S+/setup/\S+", line):
            link = found[0]
        if "serving" in line:
            break
    threading.Thread(target=process.stderr.read, daemon=True).start()
    return process, link


def cpu_seconds(pid: int) -> float:
    """User and system time so far; on a busy machine it says more than how long things took."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """Of all processors and all programs so far, waiting for a disk left out."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


async def measure(pid: int, link: str, people: int, streams: int, seconds: float) -> None:
    root, _, token = link.partition("/setup/")
    times: list[float] = []
    errors: list[str] = []
    words: list[int] = []
    connector = aiohttp.TCPConnector(limit=0)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as session:
        ada = Visitor(root, session)
        await ada.get(f"/setup/{token}")
        await ada.post(f"/setup/{token}", name="Ada", email="a@example.org", password=PASSWORD, organisation="Load")
        end = time.monotonic() + seconds

        async def look(number: int) -> None:
            await asyncio.sleep(PAUSE * number / people)
            while time.monotonic() < end:
                begun = time.monotonic()
                try:
                    await ada.get("/o/load" + PAGES[number % len(PAGES)])
                    times.append(time.monotonic() - begun)
                except (aiohttp.ClientError, RuntimeError) as failure:
                    errors.append(str(failure))
                number += 1
                await asyncio.sleep(max(0.0, PAUSE - (time.monotonic() - begun)))

        async def ask(number: int) -> None:
            await asyncio.sleep(seconds / 4 * number / max(streams, 1))
            try:
                page = await ada.post("/o/load/threads", text=f"Question {number}")
                found = re.search(r'data-stream="([^"]+)"', page)
                words.append(await ada.stream(found[1]) if found else 0)
            except (aiohttp.ClientError, RuntimeError) as failure:
                errors.append(str(failure))

        spent, own, busy, begun = cpu_seconds(pid), cpu_seconds(os.getpid()), busy_seconds(), time.monotonic()
        await asyncio.gather(*map(look, range(people)), *map(ask, range(streams)))
        spent, own, busy = cpu_seconds(pid) - spent, cpu_seconds(os.getpid()) - own, busy_seconds() - busy
        others = (busy - spent - own) / (time.monotonic() - begun)
    ordered = sorted(times)
    print(f"pages      {len(ordered)}, {len(ordered) / seconds:.0f} a second")
    print(f"median     {1000 * statistics.median(ordered):.0f} ms")
    print(f"95 %       {1000 * ordered[int(len(ordered) * 0.95)]:.0f} ms, longest {1000 * ordered[-1]:.0f} ms")
    print(
        f"streams    {sum(each > 3 for each in words)} of {streams} ended, {statistics.mean(words or [0]):.0f} pieces each"
    )
    print(f"processor  {spent:.1f} s, {1000 * spent / len(ordered):.1f} ms a page with all else; visitors {own:.1f} s")
    print(
        f"machine    {os.cpu_count()} processors, of which other programs used {others:.1f}; load {os.getloadavg()[0]:.0f}"
    )
    print(f"errors     {len(errors)} {errors[:3]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--database", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="workspace-load-") as folder:
        process, link = serve(Path(folder), given.database)
        try:
            asyncio.run(measure(process.pid, link, given.people, given.streams, given.seconds))
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
