"""Who came from a process and who of them is left. Linux only: it reads /proc."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    group: int
    session: int
    started: int
    """In ticks since the machine's start: with it, a number that was given away again is not mistaken."""
    name: str
    command: str


class Family:
    """Everything that came from `root`, as far as `look` saw it, and whoever is in a group or session of theirs: vLLM's
    engine and workers become the machine's own children when the one that started them is killed."""

    def __init__(self, root: int) -> None:
        self.root = root
        self._seen: dict[tuple[int, int], Process] = {}

    def look(self) -> list[Process]:
        """Those who are there now, without the root."""
        for each in descendants(self.root):
            self._seen[each.pid, each.started] = each
        return self.left()

    def left(self) -> list[Process]:
        groups = {each.group for each in self._seen.values()} | {each.session for each in self._seen.values()}
        groups -= {os.getpgid(0), os.getsid(0)}  # whoever started this program shares them
        return [
            each
            for each in processes()
            if (each.pid, each.started) in self._seen or not groups.isdisjoint((each.group, each.session))
        ]

    def gone_within(self, seconds: float) -> float | None:
        """After how many seconds nobody was left; None where somebody still is."""
        begun = time.monotonic()
        while self.left():
            if time.monotonic() - begun > seconds:
                return None
            time.sleep(0.05)
        return time.monotonic() - begun

    def end(self) -> None:
        for each in self.left():
            with suppress(ProcessLookupError):
                os.kill(each.pid, signal.SIGKILL)


def processes() -> Iterator[Process]:
    """All that run; who is dead and not yet asked for by its parent does not."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            head, _, rest = (folder / "stat").read_text(errors="replace").rpartition(")")
            pid, _, name = head.partition(" (")
            state, parent, group, session, *others = rest.split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
            if state not in "ZX":
                yield Process(int(pid), int(parent), int(group), int(session), int(others[15]), name, command)


def descendants(root: int) -> list[Process]:
    known = list(processes())
    found: list[Process] = []
    parents = {root}
    while parents:
        children = [each for each in known if each.parent in parents and each not in found]
        found += children
        parents = {each.pid for each in children}
    return found
