"""One client against one benchmark server, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from typing import Any


def measured(module: str, arguments: list[str], server_flags: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the client's last line says, as JSON, and what the server has seen. The client gets `--base-url`."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", *server_flags],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        base_url = server.stdout.readline().strip()
        ended = subprocess.run(
            [sys.executable, "-m", module, *arguments, "--base-url", base_url],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        with urllib.request.urlopen(base_url.replace("/v1", "/stats")) as reply:
            return json.loads(ended.stdout.strip().splitlines()[-1]), json.load(reply)
    finally:
        server.kill()
        server.wait()
