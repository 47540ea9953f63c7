from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import orjson
import pytest

from augment_correction.documents import (
    ChunkSettings,
    DocumentInfo,
    ReadBatch,
    ReadLimits,
    TokenCounter,
    chunk_document,
    stream,
    stream_chunks,
)
from augment_correction.errors import ConfigError, InputError

from . import files
from .files import read

SETTINGS = ChunkSettings(size=100)
PACKAGE = str(Path(stream.__file__).parents[2])


async def collect(folder: Path, **options: object) -> list[ReadBatch]:
    return [batch async for batch in stream_chunks(folder, SETTINGS, **options)]  # type: ignore[arg-type]


def fill(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "a.txt").write_text("\n\n".join(map(files.paragraph, range(30))))
    (folder / "b.png").write_bytes(b"no")
    (folder / "c.jsonl").write_bytes(b"\n".join(orjson.dumps({"text": files.paragraph(n), "n": n}) for n in range(40)))
    (folder / "sub" / "d.md").write_text("# Title\n\n" + files.paragraph(3, 30))
    files.pdf(folder / "e.pdf", [files.lines(files.wrapped(files.paragraph(n, 10))) for n in range(3)])


def children(parent: int | None = None) -> set[int]:
    """Reading processes of this process, or of `parent`."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state = (path / "stat").read_text().rpartition(")")[2].split()
            if int(state[1]) == (parent or os.getpid()) and b"_worker" in (path / "cmdline").read_bytes().replace(
                b".", b"_"
            ):
                found.add(int(path.name))
        except OSError:
            continue
    return found


def read_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/io").read_text().split("rchar: ")[1].split("\n")[0])


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def gone(before: set[int], seconds: float = 5) -> bool:
    for _ in range(int(seconds * 50)):
        if not children() - before:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_the_stream_is_what_the_functions_give(tmp_path: Path) -> None:
    fill(tmp_path)
    before = children()
    batches = await collect(tmp_path, batch=7)
    documents, unread = read(tmp_path)
    counter = TokenCounter()
    assert [found for batch in batches for found in batch.unread] == unread
    assert [info for batch in batches for info in batch.documents] == [DocumentInfo.of(found) for found in documents]
    expected = [chunk for document in documents for chunk in chunk_document(document, SETTINGS, counter)]
    assert [chunk for batch in batches for chunk in batch.chunks] == expected
    assert max(len(batch.chunks) for batch in batches) == 7
    seen: set[str] = set()
    for batch in batches:
        seen.update(info.id for info in batch.documents)
        assert all(chunk.document_id in seen for chunk in batch.chunks)
    assert batches == await collect(tmp_path, batch=7)
    assert await gone(before)


async def test_a_module_in_the_users_folder_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python puts the working folder first in the path of `-m`: a `queue.py` there would be imported by our own reader."""
    (tmp_path / "input").mkdir()
    fill(tmp_path / "input")
    for name in ("queue", "json", "augment_correction", "bisect", "docx"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\n")
    monkeypatch.chdir(tmp_path)
    batches = await collect(tmp_path / "input")
    assert not (tmp_path / "ran").exists()
    assert sum(len(batch.documents) for batch in batches) == len(read(tmp_path / "input")[0]) > 0


async def test_an_empty_folder(tmp_path: Path) -> None:
    assert await collect(tmp_path) == []


async def test_mistakes_are_raised_here(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        await collect(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="unknown token encoding"):
        await collect(tmp_path, encoding="o300k")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ConfigError, match="not a tokenizer"):
        await collect(tmp_path, encoding=str(tmp_path / "tokenizer.json"))


# A worker whose reader kills its own process, for real, on files named crash*; what comes before and after must hold.
CRASHING = """
import os, signal, sys, time
from augment_correction.documents import reading, worker
whole = reading.read_file
def read_file(path, source, limits):
    for number, found in enumerate(whole(path, source, limits)):
        if path.name.startswith("crash") and number == 12:
            os.kill(os.getpid(), signal.SIGKILL)
        if path.name.startswith("exit"):
            os._exit(7)
        if path.name.startswith("hang"):
            time.sleep(60)
        yield found
worker.read_file = read_file
worker.main()
"""


@pytest.fixture
def crashing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    (home / "crashing_worker.py").write_text(CRASHING)
    monkeypatch.syspath_prepend(home)
    monkeypatch.setattr(stream, "_WORKER", "crashing_worker")
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


async def test_a_file_that_kills_the_reader_costs_only_itself(crashing: Path) -> None:
    for name in ("a.txt", "z.txt", "exit.txt", "zz.txt"):
        (crashing / name).write_text(f"{name} {files.paragraph(1)}")
    rows = [orjson.dumps({"text": f"row {number}"}) for number in range(20)]
    (crashing / "crash1.jsonl").write_bytes(b"\n".join(rows))
    (crashing / "crash2.jsonl").write_bytes(b"\n".join(rows))
    batches = await collect(crashing, batch=5)
    sources = [info.source for batch in batches for info in batch.documents]
    partly = [f"crash{file}.jsonl#L{line}" for file in (1, 2) for line in range(1, 11)]  # two whole batches of five
    assert sources == ["a.txt", *partly, "z.txt", "zz.txt"]
    unread = [found for batch in batches for found in batch.unread]
    assert [(found.source, found.reason) for found in unread] == [
        ("crash1.jsonl", "reader_crashed"), ("crash2.jsonl", "reader_crashed"), ("exit.txt", "reader_crashed")
    ]  # fmt: skip
    assert "SIGKILL" in unread[0].detail
    assert "code 7" in unread[2].detail


async def test_a_reader_that_hangs_is_given_up(crashing: Path) -> None:
    for name in ("a.txt", "hang.txt", "z.txt"):
        (crashing / name).write_text(name)
    batches = await collect(crashing, limits=ReadLimits(seconds=3))
    assert [info.source for batch in batches for info in batch.documents] == ["a.txt", "z.txt"]
    [found] = [found for batch in batches for found in batch.unread]
    assert (found.source, found.reason) == ("hang.txt", "reader_crashed")
    assert "no sign for 3 seconds" in found.detail


async def test_a_reader_killed_from_outside(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number:03}.txt").write_text(
            "\n\n".join(files.paragraph(number * 100 + step) for step in range(40))
        )
    before = children()
    batches: list[ReadBatch] = []
    async for batch in stream_chunks(tmp_path, SETTINGS):
        batches.append(batch)
        if len(batches) == 3:
            for pid in children() - before:
                os.kill(pid, signal.SIGKILL)
    sources = [info.source for batch in batches for info in batch.documents]
    crashed = [found.source for batch in batches for found in batch.unread]
    assert len(crashed) == 1
    assert len(sources) == len(set(sources))
    assert {*sources, *crashed} == {f"{number:03}.txt" for number in range(60)}


async def test_a_reader_that_cannot_start_is_an_error_and_not_a_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("text")
    monkeypatch.setattr(stream, "_WORKER", "no_such_module_anywhere")
    with pytest.raises(RuntimeError, match="no_such_module_anywhere"):
        await collect(tmp_path)


async def test_leaving_early_ends_the_process(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([orjson.dumps({"text": files.paragraph(1, 40)})] * 20_000))
    before = children()
    batches = stream_chunks(tmp_path, SETTINGS)
    await anext(batches)
    assert len(children() - before) == 1
    await batches.aclose()
    assert not children() - before


def test_an_iterator_left_open_is_cleaned_up_quietly(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(b"\n".join([orjson.dumps({"text": files.paragraph(1, 40)})] * 20_000))
    run = subprocess.run(
        [sys.executable, str(script(tmp_path / "go.py", folder, extra="break"))],
        capture_output=True, text=True, cwd=tmp_path, timeout=30,
    )  # fmt: skip
    assert (run.stdout, run.stderr, run.returncode) == ("64\n", "", 0)


async def test_cancelling_ends_the_process(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([orjson.dumps({"text": files.paragraph(1, 40)})] * 20_000))
    before = children()
    started = asyncio.Event()

    async def consume() -> None:
        async for _ in stream_chunks(tmp_path, SETTINGS):
            started.set()

    task = asyncio.create_task(consume())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await gone(before)


@pytest.mark.parametrize("turns", [1, 2, 3, 5, 8])
async def test_cancelled_while_it_starts_it_ends_at_once(tmp_path: Path, turns: int) -> None:
    """By turns of the event loop: asyncio's own processes wait for ever where they are cancelled between two of these."""
    (tmp_path / "a.txt").write_text("text")
    before = children()
    task = asyncio.create_task(collect(tmp_path))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    assert await gone(before)


@pytest.mark.parametrize("times", [1, 2])
def test_cancelled_and_left_it_says_nothing(tmp_path: Path, times: int) -> None:
    """With -X dev, so that a pipe or a process that is left behind would be told of."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(b"\n".join([orjson.dumps({"text": files.paragraph(1, 40)})] * 20_000))
    leave = (
        f"task = asyncio.current_task(); [asyncio.get_running_loop().call_soon(task.cancel) for _ in range({times})]"
    )
    run = subprocess.run(
        [sys.executable, "-X", "dev", str(script(tmp_path / "go.py", folder, extra=leave))],
        capture_output=True, text=True, cwd=tmp_path, timeout=30,
    )  # fmt: skip
    assert run.stderr.rstrip().endswith("asyncio.exceptions.CancelledError")
    assert "Warning" not in run.stderr and "Exception ignored" not in run.stderr


async def test_a_slow_consumer_holds_the_reader_back(tmp_path: Path) -> None:
    row = orjson.dumps({"text": files.paragraph(1, 40)}) + b"\n"
    with (tmp_path / "a.jsonl").open("wb") as file:
        for _ in range(30_000):  # 90 MB
            file.write(row)
    batches = stream_chunks(tmp_path, SETTINGS)
    await anext(batches)
    [pid] = children()
    await asyncio.sleep(0.5)
    assert read_bytes(pid) < 40_000_000
    await batches.aclose()


SCRIPT = """
import asyncio, signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit it as ignored
sys.path.insert(0, {package!r})
from augment_correction.documents import ChunkSettings, stream_chunks

async def main():
    async for batch in stream_chunks(Path({folder!r}), ChunkSettings(size=100)):
        print(len(batch.chunks), flush=True)
        {extra}

asyncio.run(main())
"""


def script(path: Path, folder: Path, extra: str = "pass") -> Path:
    path.write_text(textwrap.dedent(SCRIPT).format(package=PACKAGE, folder=str(folder), extra=extra))
    return path


def test_from_a_script_without_a_main_guard(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("Some text.")
    (tmp_path / "docx.py").write_text("raise SystemExit('shadowed')")  # the user's own file in the working folder
    run = subprocess.run(
        [sys.executable, str(script(tmp_path / "go.py", folder))],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=30,
    )
    assert (run.stdout, run.stderr) == ("1\n", "")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_process_dies_with_its_parent(tmp_path: Path, how: signal.Signals) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(b"\n".join([orjson.dumps({"text": files.paragraph(1, 40)})] * 20_000))
    path = script(tmp_path / "go.py", folder, extra="await asyncio.sleep(60)")
    with subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        [pid] = children(parent.pid)
        parent.send_signal(how)
        parent.wait(60)
    deadline = time.monotonic() + 30
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)
