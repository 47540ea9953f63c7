"""Many transfers at once, in threads that can be stopped: fsspec's filesystems are asked from any thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 16
"""Transfers: the answers of a storage take long and little bandwidth."""
Report = Callable[[str, int, int], None]
"""(what, bytes done, bytes in all), or (what, seconds, 0) where the bytes are not known."""


def silent(what: str, done: int, total: int) -> None:
    """A report to nobody."""


class Stopped(Exception):
    """The transfer was told to stop."""


class Meter:
    """Counts bytes and files of all threads for a report, and ends every transfer that is under way when `stop` is set."""

    def __init__(self, what: str, files: int, total: int, report: Report, stop: Event) -> None:
        self._what, self._files, self._total, self._report, self._stop = what, files, total, report, stop
        self._bytes, self._done, self._lock, self._begun = 0, 0, Lock(), time.monotonic()

    def add(self, count: int) -> None:
        """Raises: Stopped."""
        if self._stop.is_set():
            raise Stopped
        with self._lock:
            self._bytes += count
            self._tell()

    def file_done(self) -> None:
        with self._lock:
            self._done += 1
            self._tell()

    def _tell(self) -> None:
        what = f"{self._what}, {self._done:,} of {self._files:,} files"
        self._report(what, self._bytes if self._total else round(time.monotonic() - self._begun), self._total)


def each_at_once(work: Callable[[T], R], items: Iterable[T], stop: Event) -> Iterator[R]:
    """What `work` makes of every item, as it comes. A failure sets `stop` and is raised when those under way have come to their end."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="transfer") as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def unless_stopped(work: Callable[[], T], stop: Event) -> T:
    """`work`, which is not waited for once `stop` is set, however long a server is silent: it must be harmless wherever it ends, and
    is not begun after that.

    Raises: Stopped, and whatever `work` raises.
    """
    future = Future[T]()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as failure:
            future.set_exception(failure)

    if stop.is_set():
        raise Stopped
    Thread(target=run, name="unless stopped", daemon=True).start()  # the program's end does not wait for it either
    while not stop.is_set():
        if wait([future], 0.1).done:
            return future.result()
    raise Stopped


async def in_thread(work: Callable[[Event], T]) -> T:
    """`work` beside the event loop. Where the task is cancelled, the event is set, and the cancelling waits for the thread."""
    stop = Event()
    thread = asyncio.get_running_loop().run_in_executor(None, work, stop)
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        stop.set()
        with suppress(Exception):
            await thread
        raise
