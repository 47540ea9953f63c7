"""Many transfers at once, in threads that can be stopped. The filesystems of fsspec can be used from any thread."""

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
"""Transfers at the same time. There are many, because a storage answers late and each answer takes little bandwidth."""
Report = Callable[[str, int, int], None]
"""(what, bytes done, bytes in all), or (what, seconds, 0) where the bytes are not known."""


def silent(what: str, done: int, total: int) -> None:
    """A report that goes nowhere, where none is wanted."""


class Stopped(Exception):
    """The transfer was told to stop."""


class Meter:
    """Counts the bytes and files of all threads and reports them. When `stop` is set, it ends the transfers that are under way: the next
    bytes that one of them counts raise `Stopped`."""

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
    """The result of `work` for each item, in the order in which they are ready. A failure sets `stop`, and is raised when the threads that
    are still at work have ended."""
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
    """The result of `work`, which is done in a thread of its own. When `stop` is set, it is no longer waited for, however long a server is
    silent, and not begun any more; a thread that is at work may go on, so that `work` must do no harm wherever it ends.

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
    """The result of `work`, which is done in a thread beside the event loop. If the task is cancelled, the event that `work` was given is set,
    and the thread is waited for."""
    stop = Event()
    thread = asyncio.get_running_loop().run_in_executor(None, work, stop)
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        stop.set()
        with suppress(Exception):
            await thread
        raise
