"""Reading and chunking beside the event loop, in one process that may crash without taking the run with it."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, Popen

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

    The pipes are read and written in one thread. `asyncio.create_subprocess_exec` of Python 3.11, cancelled while it connects them
    (Ctrl-C in a run's first moments), waits for ever; cancelled later, it complains of a closed event loop at the interpreter's end.

    No generator inside the generator above: the event loop closes all that are left over at once, in any order.
    """

    def __init__(self, job: ReadTask) -> None:
        self._job = job
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by _end)
        self._thread = ThreadPoolExecutor(1, "document-reader")
        self._stalled = False
        self.place: tuple[str, str] | None = None
        self.finished = False

    async def __aenter__(self) -> _Reader:
        self._start()
        self._thread.submit(self._send)
        return self

    def _start(self) -> None:
        """With our own import path, whatever the user's script did to it.

        `-P` keeps the working folder out of the path: it holds the user's files, and a `docx.py` there would be ours.
        """
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(place for place in sys.path if place)}
        arguments = (sys.executable, "-P", "-m", _WORKER)
        try:
            self._process = Popen(arguments, stdin=PIPE, stdout=PIPE, stderr=self._errors, env=environment)
        except BaseException:
            self._errors.close()
            raise

    async def __aexit__(self, *_: object) -> None:
        """The thread ends the process also where this is cancelled."""
        self._process.kill()
        ending = self._thread.submit(self._end)
        self._thread.shutdown(wait=False)
        await asyncio.shield(asyncio.wrap_future(ending))

    async def batch(self) -> ReadBatch | None:
        """The next batch; None where the process is done or dead. A half-written frame goes with the crash."""
        while True:
            try:
                async with asyncio.timeout(self._patience()):
                    frame = await asyncio.get_running_loop().run_in_executor(self._thread, self._frame)
            except TimeoutError:
                self._stalled = True
                return None
            match frame:
                case None:
                    return None
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

    async def cause_of_death(self) -> str:
        if self._stalled:
            return f"the reader gave no sign for {self._job.limits.seconds:g} seconds on this file"
        code = await asyncio.get_running_loop().run_in_executor(self._thread, self._process.wait)
        if code < 0:
            return f"the reader was ended by {signal.Signals(-code).name} on this file"
        self._errors.seek(0)
        said = self._errors.read()[-1000:].decode("utf-8", "replace").strip()
        return f"the reader ended with code {code} on this file" + (f": {said}" if said else "")

    def _send(self) -> None:
        """The pipe stays open: the process ends when it closes."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(pack(self._job))
            self._process.stdin.flush()

    def _frame(self) -> Frame | None:
        assert self._process.stdout is not None
        head = self._process.stdout.read(LENGTH_BYTES)
        length = int.from_bytes(head, "big")
        content = self._process.stdout.read(length)
        if len(head) < LENGTH_BYTES or len(content) < length:
            return None
        frame: Frame = pickle.loads(content)
        return frame

    def _end(self) -> None:
        with suppress(BrokenPipeError):  # what it has not read of its task
            self._process.communicate()
        self._errors.close()
