"""`python -m tests.axolotl.environment FOLDER --axolotl 0.21`: an environment in which Axolotl runs on a CPU.

Axolotl pins exact versions and pulls CUDA builds (xformers, torchao ...), so it and four others come without what they
name, and `requirements-*.txt` beside this file names what `axolotl preprocess`, `train` and `merge-lora` import.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
WITHOUT_DEPENDENCIES = (
    "axolotl-contribs-lgpl==0.0.7",
    "axolotl-contribs-mit==0.0.6",
    "triton>=3.4.0,<3.8",
    "bitsandbytes==0.50.2",
)
Version = tuple[int, int]


@dataclass(frozen=True)
class Release:
    """`python`: the oldest that it says it runs on."""

    number: str
    python: Version


RELEASES: Mapping[str, Release] = {
    "0.19": Release("0.19.0", (3, 11)),  # the oldest that is supported
    "0.21": Release("0.21.0", (3, 12)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--axolotl", choices=RELEASES, default="0.21")
    parser.add_argument("--torch", default="torch==2.13.0", help="what pip is given for it, options included")
    chosen = parser.parse_args()
    release = RELEASES[chosen.axolotl]
    python, forced = choose(release, list(pythons()))
    if forced:
        print(forced, file=sys.stderr, flush=True)
    install(chosen.folder, release, python, chosen.torch.split(), HERE / f"requirements-{chosen.axolotl}.txt")


def choose(release: Release, found: list[tuple[Version, str]]) -> tuple[str, str]:
    """The oldest Python that the release wants, and nothing; or the newest there is, and what is wrong with that."""
    good = sorted(each for each in found if each[0] >= release.python)
    if good:
        return good[0][1], ""
    (major, minor), python = max(found)
    wanted = ".".join(map(str, release.python))
    return python, (
        f"WARNING: Axolotl {release.number} wants Python {wanted} and none was found, neither in PATH nor at pyenv's: it "
        f"is installed on Python {major}.{minor} against its word. What is proven is its code, not its installation."
    )


def pythons() -> Iterator[tuple[Version, str]]:
    """This one, and every newer one of 3.x in PATH and among pyenv's."""
    yield sys.version_info[:2], sys.executable
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for minor in range(sys.version_info.minor + 1, sys.version_info.minor + 4):
        name = f"python3.{minor}"
        for place in [shutil.which(name), *map(str, sorted(root.glob(f"versions/3.{minor}.*/bin/{name}")))]:
            # A shim of pyenv's is there for a Python that it does not start.
            if place and not subprocess.run([place, "-c", "import venv, ssl"], capture_output=True).returncode:
                yield (3, minor), place


def install(folder: Path, release: Release, python: str, torch: list[str], requirements: Path) -> None:
    subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
    ]
    without = ["--no-deps", "--ignore-requires-python", f"axolotl=={release.number}", *WITHOUT_DEPENDENCIES]
    for what in (torch, without, ["-r", str(requirements)]):
        subprocess.run([*pip, *what], check=True)


if __name__ == "__main__":
    main()
