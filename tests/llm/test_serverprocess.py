"""Real processes: a small HTTP server of our own is started, watched, ended, and orphaned by kill -9."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from augment_correction.errors import ModelUnusable
from augment_correction.llm.serverprocess import held_port, local_server

SERVER = """
import json, os, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Health(BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Health.asked += 1
        self.send_response(200 if Health.asked > 2 else 503)
        self.end_headers()

worker = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN);"
                           " time.sleep(600)"])
server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Health)
with open(sys.argv[2], "w") as file:
    file.write(f"{os.getpid()} {worker.pid} ")
print("hello from the server, key", os.environ.get("SECRET"), flush=True)
if sys.argv[1] == "0":
    print(json.dumps({"address": f"http://127.0.0.1:{server.server_port}"}), flush=True)
server.serve_forever()
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def pids(file: Path) -> list[int]:
    return [int(word) for word in file.read_text().split()]


def command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_text(errors="replace")


def soon(check: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not check() and time.monotonic() < deadline:
        time.sleep(0.05)
    return check()


@pytest.fixture
def server(tmp_path: Path) -> Path:
    path = tmp_path / "server.py"
    path.write_text(SERVER)
    return path


async def test_it_announces_its_address_gets_ready_and_is_gone_with_its_workers(server: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    started = tmp_path / "pids"
    log = tmp_path / "logs" / "server.log"
    async with local_server(
        [sys.executable, str(server), "0", str(started)],
        name="the server",
        log=log,
        environment={"SECRET": "s3cret"},
        report=lambda *report: seen.append(report),
    ) as address:
        assert all(alive(pid) for pid in pids(started))
        async with aiohttp.ClientSession() as session, session.get(f"{address}/health") as reply:
            assert reply.status == 200
        assert not any("s3cret" in line for line in command_lines())
    assert soon(lambda: not any(alive(pid) for pid in pids(started)))
    assert seen[0] == ("starting the server", 0, 0)


async def test_a_given_address_leaves_stdout_to_the_log(server: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with held_port() as port:
        address = f"http://127.0.0.1:{port}"
        command = [sys.executable, str(server), str(port), str(tmp_path / "pids")]
        async with local_server(command, name="the server", log=log, address=address) as yielded:
            assert yielded == address
    assert "hello from the server" in log.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the port is only found, not held")
def test_a_held_port_is_for_the_server_and_for_nobody_else() -> None:
    with held_port() as port, socket.socket() as stranger, socket.socket() as server:
        with pytest.raises(OSError):
            stranger.bind(("127.0.0.1", port))
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()


@pytest.mark.parametrize("turns", [1, 2, 3, 5, 8])
async def test_cancelled_while_it_starts_it_ends_at_once(server: Path, tmp_path: Path, turns: int) -> None:
    """By turns of the event loop: asyncio's own processes wait for ever where they are cancelled between two of these."""
    started = tmp_path / "pids"

    async def use() -> None:
        async with local_server(
            [sys.executable, str(server), "0", str(started)], name="the server", log=tmp_path / "log"
        ):
            raise AssertionError("it was cancelled before")

    task = asyncio.create_task(use())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    assert not started.exists() or soon(lambda: not any(alive(pid) for pid in pids(started)))


async def test_a_server_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such model: gpt-7')"]
    with pytest.raises(ModelUnusable, match="exit code 1 before it was ready") as caught:
        async with local_server(command, name="the server", log=tmp_path / "log"):
            pass
    assert "no such model: gpt-7" in caught.value.message
    assert str(tmp_path / "log") in (caught.value.hint or "")


VLLM_SAID = (
    """\
(APIServer pid=7) INFO 11-20 11:22:46 [model.py:733] Resolved architecture: LlamaForCausalLM
(EngineCore pid=8) ERROR 11-20 11:23:05 [core.py:1510] Traceback (most recent call last):
(EngineCore pid=8) ERROR 11-20 11:23:05 [core.py:1510]   File "/vllm/v1/engine/core.py", line 1482, in run_engine_core
(EngineCore pid=8) ERROR 11-20 11:23:05 [core.py:1510]     engine_core = EngineCoreProc(*args)
(EngineCore pid=8) ERROR 11-20 11:23:05 [core.py:1510] torch.OutOfMemoryError: CUDA out of memory.
Traceback (most recent call last):
"""
    + 40 * '  File "/vllm/a.py", line 1, in b\n    c(\n    ^^\n'
    + "RuntimeError: Engine core initialization failed.\n"
)
LEAKS = 30 * " - leaked function\n"


async def test_the_cause_is_told_and_not_the_hundred_lines_of_traceback_below_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("an earlier start\n")
    command = [sys.executable, "-c", f"import sys; sys.exit({VLLM_SAID + LEAKS!r})"]
    with pytest.raises(ModelUnusable) as caught:
        async with local_server(command, name="the server", log=log):
            pass
    told = caught.value.message
    assert "CUDA out of memory" in told and "RuntimeError: Engine core initialization failed." in told
    assert "File" not in told and "an earlier start" not in told
    assert told.count("leaked") == 4


async def test_a_server_killed_for_memory_is_told_by_its_signal(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    with pytest.raises(ModelUnusable, match="exit code 137"):
        async with local_server(command, name="the server", log=tmp_path / "log"):
            pass


async def test_a_server_that_dies_in_use_is_told_at_once(server: Path, tmp_path: Path) -> None:
    started = tmp_path / "pids"
    told: asyncio.Future[ModelUnusable] = asyncio.get_running_loop().create_future()
    command = [sys.executable, str(server), "0", str(started)]
    async with local_server(command, name="the server", log=tmp_path / "log", died=told.set_result):
        os.kill(pids(started)[0], signal.SIGKILL)
        assert "exit code 137 while it was in use" in (await asyncio.wait_for(told, 10)).message
    assert soon(lambda: not any(alive(pid) for pid in pids(started)))


async def test_a_server_that_is_stopped_has_not_died(server: Path, tmp_path: Path) -> None:
    told: list[ModelUnusable] = []
    command = [sys.executable, str(server), "0", str(tmp_path / "pids")]
    async with local_server(command, name="the server", log=tmp_path / "log", died=told.append):
        pass
    assert not told


async def test_a_command_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="cannot start /no/such/program"):
        async with local_server(["/no/such/program"], name="the server", log=tmp_path / "log"):
            pass


async def test_a_server_that_never_gets_ready_is_ended(tmp_path: Path) -> None:
    started = tmp_path / "pids"
    program = f"import os, time; open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    command = [sys.executable, "-c", program]
    with pytest.raises(ModelUnusable, match="was not ready after 1 seconds"):
        async with local_server(command, name="the server", log=tmp_path / "log", ready_timeout=1):
            pass
    assert soon(lambda: not alive(pids(started)[0]))


async def test_cancelled_while_it_starts(tmp_path: Path) -> None:
    started = tmp_path / "pids"
    program = f"import os, time; open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(600)"

    async def run() -> None:
        async with local_server([sys.executable, "-c", program], name="it", log=tmp_path / "log"):
            pass

    task = asyncio.create_task(run())
    await asyncio.to_thread(soon, lambda: started.exists() and bool(started.read_text()))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert soon(lambda: not alive(pids(started)[0]))


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(15, signal.SIG_IGN)
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])  # takes after its parent
with open(sys.argv[1], "w") as file:
    file.write(f"{os.getpid()} {worker.pid} ")
time.sleep(600)
"""


async def test_cancelled_twice_it_takes_the_workers_along_and_gives_them_no_time(tmp_path: Path) -> None:
    started = tmp_path / "pids"

    async def run() -> None:
        async with local_server([sys.executable, "-c", STUBBORN, str(started)], name="it", log=tmp_path / "log"):
            pass

    task = asyncio.create_task(run())
    await asyncio.to_thread(soon, lambda: started.exists() and bool(started.read_text()))
    begun = time.monotonic()
    task.cancel()
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not any(alive(pid) for pid in pids(started))
    assert time.monotonic() - begun < 6  # and not the eight seconds of grace


PARENT = """
import asyncio, sys
from pathlib import Path
from augment_correction.llm.serverprocess import local_server

async def main():
    async with local_server(sys.argv[2:], name="it", log=Path(sys.argv[1])):
        print("ready", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def orphaned(server: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A parent with a running server; the test kills something."""
    started = tmp_path / "pids"
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    command += [sys.executable, str(server), "0", str(started)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None and parent.stdout.readline() == "ready\n"
    yield parent, pids(started)
    parent.kill()
    parent.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_group_dies_with_its_parent(
    orphaned: tuple[subprocess.Popen[str], list[int]], number: signal.Signals
) -> None:
    parent, children = orphaned
    assert all(alive(pid) for pid in children)
    parent.send_signal(number)
    parent.wait(10)
    assert soon(lambda: not any(alive(pid) for pid in children))


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG")
def test_the_server_dies_with_its_watchdog(orphaned: tuple[subprocess.Popen[str], list[int]]) -> None:
    _, children = orphaned
    watchdog = int(Path(f"/proc/{children[0]}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(watchdog, signal.SIGKILL)
    assert soon(lambda: not alive(children[0]))
