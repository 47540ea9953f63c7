"""The workspace served in a process of its own, as a user serves it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx2

from tests.workspace.places import Person


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Served:
    """`link` is the first owner's; empty where there is an account already. `program`: what is run in the place of the package."""

    def __init__(
        self,
        folder: Path,
        database_url: str,
        script: str,
        *,
        backend: str = "mock",
        program: str = "augment_correction",
    ) -> None:
        self._program = program
        (folder / "script.yaml").write_text(script)
        self._environment = {
            **os.environ, "LL_MODEL_STORAGE_DIR": str(folder / "storage"), "LL_DATABASE_URL": database_url,
            "LL_INFERENCE_BACKEND": backend, "LL_BASE_MODEL_NAME": str(folder / "script.yaml"),
        }  # fmt: skip
        self._port = free_port()
        self.root = f"http://127.0.0.1:{self._port}"
        self.link = ""

    def start(self) -> None:
        command = [sys.executable, "-m", self._program, "workspace", "serve", "--port", str(self._port)]
        self.process = subprocess.Popen(command, env=self._environment, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr
        for line in self.process.stderr:
            if found := re.search(r"http\S+(/setup/\S+)", line):
                self.link = self.root + found[1]
            if "serving" in line:
                break
        else:
            raise AssertionError("the workspace did not start")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def person(self) -> Person:
        client = httpx2.Client(base_url=self.root, follow_redirects=True, timeout=60)
        return Person(client)  # type: ignore[arg-type]
