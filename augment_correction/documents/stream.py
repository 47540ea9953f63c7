"""Reading and chunking beside the event loop, in one process that may crash without taking the run with it."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from augment_correction.documents.chunking import ChunkSettings
from augment_correction.documents.contract import ReadLimits, Working
from augment_correction.documents.pipe import (
    LENGTH_BYTES,
    Finished,
    Frame,
    InputRefused,
    ReadBatch,
    ReadTask,
    Started,
    pack,
)
from augment_correction.documents.registered import places
from augment_correction.documents.tokens import check_encoding
from augment_correction.errors import ConfigError, InputError
from augment_correction.plugins import LOADED
from augment_correction.records import UnreadInput

_WORKER = "augment_correction.documents.worker"

START_UP = 60.0


async def stream_chunks(
    folder: Path,
    settings: ChunkSettings,
    *,
    encoding: str = "o200k_base",
    batch: int = 64,
    limits: ReadLimits | None = None,
    by_folder: Mapping[str, ChunkSettings] | None = None,
) -> AsyncGenerator[ReadBatch, None]:
    """Batches of at most `batch` chunks, sorted by file, the same in every run. `by_folder` names folders whose documents are cut
    otherwise.

    The pipe is the queue: a reader that is faster than its consumer waits, so a 2 GB input never piles up here. A file
    on which the reader dies is an UnreadInput("reader_crashed") and the rest is read by a new process. Closing or
    cancelling the iterator ends the process at once.

    Raises InputError, ConfigError and MissingExtra for the user's mistakes; RuntimeError where our own reader failed.
    """
    job = replace(_job(folder, settings, encoding, batch, limits or ReadLimits()), by_folder=dict(by_folder or {}))
    while True:
        async with _Reader(job) as reader:
            while (found := await reader.batch()) is not None:
                yield found
            if reader.finished:
                return
            why = await reader.cause_of_death()
        if reader.place is None:
            raise RuntimeError(f"the document reader could not start: {why}")
        yield ReadBatch(unread=(UnreadInput(reader.place[0], "reader_crashed", why),))
        job = replace(job, after=reader.place)


def _job(folder: Path, settings: ChunkSettings, encoding: str, batch: int, limits: ReadLimits) -> ReadTask:
    """Finds the user's mistakes before a process is started."""
    if not folder.exists():
        raise InputError(f"{folder} is neither a folder nor a file", hint="give the folder that holds your documents")
    check_encoding(encoding)
    return ReadTask(str(folder.absolute()), settings, encoding, max(1, batch), limits, readers=places())


class _Reader:
    """One reading process: its batches, the file it is on, and why it died.

    No generator inside the generator above: the event loop closes all that are left over at once, in any order.
    """

    def __init__(self, job: ReadTask) -> None:
        self._job = job
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __aexit__)
        self._stalled = False
        self.place: tuple[str, str] | None = None
        self.finished = False

    async def __aenter__(self) -> _Reader:
        """Starts the process with our own import path, whatever the user's script did to it.

        `-P` keeps the working folder out of the path: it holds the user's files, and a `docx.py` there would be ours.
        """
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(place for place in sys.path if place)}
        arguments = (sys.executable, "-P", "-m", _WORKER)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *arguments, stdin=PIPE, stdout=PIPE, stderr=self._errors, env=environment, limit=1 << 20
            )
        except BaseException:
            self._errors.close()
            raise
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        self._stdin, self._stdout = stdin, stdout
        self._stdin.write(pack(self._job))  # what the pipe does not take at once is sent while we wait for frames
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        self._stdin.close()
        self._errors.close()
        while await self._stdout.read(1 << 20):  # a pipe that is not read to its end is never closed
            pass
        await self._process.wait()

    async def batch(self) -> ReadBatch | None:
        """The next batch; None where the process is done or dead. A half-written frame goes with the crash."""
        while True:
            try:
                async with asyncio.timeout(self._patience()):
                    frame = await self._frame()
            except TimeoutError:
                self._stalled = True
                return None
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
            match frame:
                case ReadBatch():
                    return frame
                case Started(place):
                    self.place = place
                case Working():
                    pass  # it came, and so the waiting begins anew
                case InputRefused(message, hint):
                    raise ConfigError(message, hint=hint)
                case Finished(bug, plugins):
                    LOADED.update(plugins)
                    if bug:
                        raise RuntimeError(f"the document reader failed:\n{bug}")
                    self.finished = True
                    return None

    def _patience(self) -> float:
        """Seconds without a sign. Starting takes longer than a file may on a machine that is very busy."""
        seconds = self._job.limits.seconds
        return max(seconds, START_UP) if self.place is None else seconds

    async def _frame(self) -> Frame:
        length = int.from_bytes(await self._stdout.readexactly(LENGTH_BYTES), "big")
        frame: Frame = pickle.loads(await self._stdout.readexactly(length))
        return frame

    async def cause_of_death(self) -> str:
        if self._stalled:
            return f"the reader gave no sign for {self._job.limits.seconds:g} seconds on this file"
        code = await self._process.wait()
        if code < 0:
            return f"the reader was ended by {signal.Signals(-code).name} on this file"
        self._errors.seek(0)
        said = self._errors.read()[-1000:].decode("utf-8", "replace").strip()
        return f"the reader ended with code {code} on this file" + (f": {said}" if said else "")
