"""One client against one benchmark server, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@contextmanager
def served(flags: Sequence[str]) -> Iterator[str]:
    """The address of a server that lives as long as the block."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", *flags],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def seen_by(base_url: str) -> dict[str, Any]:
    """What the server has counted until now (`server.Seen`)."""
    with urllib.request.urlopen(base_url.replace("/v1", "/stats")) as reply:
        seen: dict[str, Any] = json.load(reply)
    return seen


def measured(module: str, arguments: list[str], server_flags: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the client's last line says, as JSON, and what the server has seen. The client gets `--base-url`."""
    with served(server_flags) as base_url:
        ended = subprocess.run(
            [sys.executable, "-m", module, *arguments, "--base-url", base_url],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        return json.loads(ended.stdout.strip().splitlines()[-1]), seen_by(base_url)
