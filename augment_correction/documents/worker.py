"""The reading process: `python -m augment_correction.documents.worker`, started by stream.py and by nobody else.

A process of its own, because a native PDF library can crash or eat all memory, and because reading would hold up the
event loop. A program of its own and not `multiprocessing`, because spawn imports the user's main module again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from augment_correction.documents.chunking import chunk_document
from augment_correction.documents.contract import Working
from augment_correction.documents.pipe import (
    DocumentInfo,
    Finished,
    Frame,
    InputRefused,
    ReadBatch,
    ReadTask,
    Started,
    pack,
    read_job,
)
from augment_correction.documents.reading import list_files, read_file
from augment_correction.documents.registered import take_in
from augment_correction.documents.tokens import TokenCounter
from augment_correction.errors import UserError
from augment_correction.plugins import LOADED
from augment_correction.records import Chunk, ReadNote, UnreadInput


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a native library prints must not end up between the frames
    logging.disable(logging.CRITICAL)  # pypdf logs every oddity of every file
    with contextlib.suppress(OSError):  # Linux: where memory runs out, this process goes and not its parent
        Path("/proc/self/oom_score_adj").write_text("800")
    job = read_job(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(BrokenPipeError):
        for frame in _frames(job):
            _write(out, pack(frame))


def _frames(job: ReadTask) -> Iterator[Frame]:
    try:
        take_in(job.readers)
        counter = TokenCounter(job.encoding, exact=job.settings.unit == "tokens")
        for source, path in list_files(Path(job.folder)):
            place = (source, str(path))
            if job.after is None or place > job.after:
                yield Started(place)
                yield from _read_one(source, path, job, counter)
    except UserError as error:
        yield InputRefused(error.message, error.hint)
    except Exception:
        yield Finished(bug=traceback.format_exc())
    else:
        yield Finished(plugins=dict(LOADED))


def _read_one(source: str, path: Path, job: ReadTask, counter: TokenCounter) -> Iterator[ReadBatch | Working]:
    """Batches end with their file: what has been read must not be lost by the crash of the next one."""
    documents: list[DocumentInfo] = []
    chunks: list[Chunk] = []
    unread: list[UnreadInput] = []
    notes: list[ReadNote] = []

    def take() -> ReadBatch:
        batch = ReadBatch(tuple(documents), tuple(chunks), tuple(unread), tuple(notes))
        for each in (documents, chunks, unread, notes):
            each.clear()
        return batch

    for result in read_file(path, source, job.limits):
        if isinstance(result, Working):
            yield result
            continue
        if isinstance(result, UnreadInput):
            unread.append(result)
        elif isinstance(result, ReadNote):
            notes.append(result)
        else:
            documents.append(DocumentInfo.of(result))
            for chunk in chunk_document(result, job.cut(source), counter, unread):
                chunks.append(chunk)
                if len(chunks) >= job.batch:
                    yield take()
        if len(unread) + len(notes) + len(documents) >= job.batch:
            yield take()
    if documents or chunks or unread or notes:
        yield take()


def _write(out: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[out.write(view) :]


def _end_with_parent() -> None:
    """Standard input is a pipe that the parent never writes to again: it ends when the parent does, even by kill -9."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
