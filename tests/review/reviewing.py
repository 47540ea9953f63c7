"""The real program, reviewing in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.projects import Ended, MadeProject, ended


@dataclass
class Reviewing:
    process: subprocess.Popen[str]
    address: str
    output: Path

    def decisions(self) -> list[dict[str, Any]]:
        path = self.output / "decisions.jsonl"
        return [orjson.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []

    def interrupted(self) -> Ended:
        self.process.send_signal(signal.SIGINT)
        return ended(self.process)

    def finished(self) -> Ended:
        return ended(self.process)


@contextmanager
def reviewing(made: MadeProject, *arguments: str) -> Iterator[Reviewing]:
    command = [sys.executable, "-m", "augment_correction", "review", str(made.output), "--no-open", *arguments]
    process = subprocess.Popen(
        command, cwd=made.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=1
    )
    try:
        assert process.stdout
        told = process.stdout.readline()
        assert told.startswith("review: http://127.0.0.1:"), (told, process.stderr and process.stderr.read())
        yield Reviewing(process, told.removeprefix("review: ").strip(), made.output)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
