"""Reading and chunking beside the event loop, in one process that may crash without taking the run with it."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from augment_correction.documents.chunking import ChunkSettings
from augment_correction.documents.contract import ReadLimits
from augment_correction.documents.frames import (
    LENGTH_BYTES,
    Batch,
    Finished,
    Frame,
    Job,
    Refused,
    Started,
    pack,
)
from augment_correction.documents.tokens import check_encoding
from augment_correction.errors import ConfigError, InputError
from augment_correction.records import UnreadInput

_WORKER = "augment_correction.documents.worker"


async def stream_chunks(
    folder: Path,
    settings: ChunkSettings,
    *,
    encoding: str = "o200k_base",
    batch: int = 64,
    limits: ReadLimits | None = None,
) -> AsyncIterator[Batch]:
    """Batches of at most `batch` chunks, sorted by file, the same in every run.

    The pipe is the queue: a reader that is faster than its consumer waits, so a 2 GB input never piles up here. A file
    on which the reader dies is an UnreadInput("reader_crashed") and the rest is read by a new process. Closing or
    cancelling the iterator ends the process at once.

    Raises InputError, ConfigError and MissingExtra for the user's mistakes; RuntimeError where our own reader failed.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder", hint="give the folder that holds your documents")
    check_encoding(encoding)
    job = Job(str(folder.absolute()), settings, encoding, max(1, batch), limits or ReadLimits())
    while True:
        crashed: tuple[str, str] | None = None
        async with _reader(job) as reader, aclosing(reader.frames()) as frames:
            async for found in frames:
                yield found
            if reader.finished:
                return
            crashed = reader.place
            why = await reader.cause_of_death()
        if crashed is None:
            raise RuntimeError(f"the document reader could not start: {why}")
        yield Batch(unread=(UnreadInput(crashed[0], "reader_crashed", why),))
        job = replace(job, after=crashed)


class _Reader:
    """One reading process: its frames, the file it is on, and why it died."""

    def __init__(self, process: Process, errors: IO[bytes], limits: ReadLimits) -> None:
        self._process = process
        self._errors = errors
        self._limits = limits
        self._stalled = False
        self.place: tuple[str, str] | None = None
        self.finished = False

    async def frames(self) -> AsyncGenerator[Batch, None]:
        """Batches until the process is done or dead; a half-written last frame is dropped with the crash."""
        while not self.finished:
            try:
                async with asyncio.timeout(self._limits.seconds):
                    frame = await self._next()
            except TimeoutError:
                self._stalled = True
                return
            except asyncio.IncompleteReadError:
                return
            match frame:
                case Started(place):
                    self.place = place
                case Refused(message, hint):
                    raise ConfigError(message, hint=hint)
                case Finished(bug):
                    if bug:
                        raise RuntimeError(f"the document reader failed:\n{bug}")
                    self.finished = True
                case Batch():
                    yield frame

    async def _next(self) -> Frame:
        stdout = self._process.stdout
        assert stdout is not None
        length = int.from_bytes(await stdout.readexactly(LENGTH_BYTES), "big")
        frame: Frame = pickle.loads(await stdout.readexactly(length))
        return frame

    async def cause_of_death(self) -> str:
        if self._stalled:
            return f"the reader gave no sign for {self._limits.seconds:g} seconds on this file"
        code = await self._process.wait()
        if code < 0:
            return f"the reader was ended by {signal.Signals(-code).name} on this file"
        self._errors.seek(0)
        said = self._errors.read()[-1000:].decode("utf-8", "replace").strip()
        return f"the reader ended with code {code} on this file" + (f": {said}" if said else "")


@asynccontextmanager
async def _reader(job: Job) -> AsyncIterator[_Reader]:
    """Starts the process with our own import path, whatever the user's script did to it; ends it in any case.

    `-P` keeps the working folder out of the path: it holds the user's files, and a `docx.py` there would be ours.
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(place for place in sys.path if place)}
    with tempfile.TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            _WORKER,
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            env=environment,
            limit=1 << 20,
        )
        try:
            await _send(process, job)
            yield _Reader(process, errors, job.limits)
        finally:
            await _end(process)


async def _send(process: Process, job: Job) -> None:
    assert process.stdin is not None
    process.stdin.write(pack(job))
    try:
        await process.stdin.drain()
    except ConnectionError:
        pass  # it died at once: reading from it will say so


async def _end(process: Process) -> None:
    if process.returncode is None:
        try:
            process.kill()
        except ProcessLookupError:
            pass
    if process.stdin is not None:
        process.stdin.close()
    if process.stdout is not None:
        while await process.stdout.read(1 << 20):  # a pipe that is not read to its end is never closed
            pass
    await process.wait()
