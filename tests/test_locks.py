"""A lock is one holder's; who only asks is in nobody's way."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import pytest

from augment_correction.errors import InputError
from augment_correction.launching.slot import Slot
from augment_correction.llm.weights import DEFAULT, KNOWN, _locked
from augment_correction.locks import hold, is_held, take
from augment_correction.remote.mirror import Mirror
from augment_correction.store import RunFolder

ASKS = {
    "run": "from augment_correction.store import RunFolder; held = RunFolder(folder).busy",
    "slot": "from augment_correction.launching.slot import Slot; held = lambda: Slot(folder / 'slot').busy",
}
FOR_EVER = "import sys; from pathlib import Path; folder = Path(sys.argv[1]); {}; print(held(), flush=True)\nwhile True: held()"
HOLDS = """
import sys
from pathlib import Path
from augment_correction.locks import hold
with Path(sys.argv[1]).open("a") as file:
    while not hold(file, Path(sys.argv[1])):
        pass
    for _ in range(300):
        with Path(sys.argv[2]).open("r+") as counted:
            number = int(counted.read())
            counted.seek(0)
            counted.write(f"{number + 1:05}")
"""


@contextmanager
def asking(what: str, folder: Path) -> Iterator[None]:
    """Two processes that ask without a pause whether the folder is held."""
    command = [sys.executable, "-c", FOR_EVER.format(ASKS[what]), str(folder)]
    askers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for each in askers:
            assert each.stdout is not None and each.stdout.readline().strip() == "False"
        yield
    finally:
        for each in askers:
            each.kill()
            each.communicate()


def test_a_run_starts_while_others_ask_whether_one_does(tmp_path: Path) -> None:
    with asking("run", tmp_path):
        for _ in range(500):
            with RunFolder(tmp_path).held():
                assert RunFolder(tmp_path).busy()


def test_a_slot_is_free_while_others_ask_whether_it_is(tmp_path: Path) -> None:
    path = tmp_path / "slot"
    with asking("slot", tmp_path):
        for _ in range(500):
            assert not Slot(path).busy
            with path.open("a") as file:
                assert hold(file, path)


def test_of_many_who_want_it_one_holds_it_at_a_time(tmp_path: Path) -> None:
    lock, counted = tmp_path / "lock", tmp_path / "counted"
    counted.write_text("00000")
    command = [sys.executable, "-c", HOLDS, str(lock), str(counted)]
    wanting = [subprocess.Popen(command) for _ in range(4)]
    assert [each.wait(60) for each in wanting] == [0] * 4
    assert int(counted.read_text()) == 1200


def test_it_is_held_until_the_last_process_that_inherited_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("a") as file:
        assert hold(file, path)
        child = subprocess.Popen(["sleep", "60"], pass_fds=[file.fileno()])
    with path.open() as other:
        assert is_held(other, path) and not hold(other, path)
        child.kill()
        child.wait()
        assert not is_held(other, path) and hold(other, path)


def test_what_cannot_be_locked_is_told(tmp_path: Path) -> None:
    """The system refuses a file that is closed as it refuses one on a file system without locks."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    os.close(descriptor)
    with pytest.raises(InputError, match="lock cannot be locked: Bad file descriptor"):
        hold(descriptor, tmp_path / "lock")


def test_a_lock_that_many_share_or_one_has_alone(tmp_path: Path) -> None:
    path = tmp_path / "readers"
    with path.open("a+") as first, path.open("a+") as second:
        assert take(first, path, shared=True) and take(second, path, shared=True)
        assert not take(second, path, shared=False)
        first.close()
        assert take(second, path, shared=False)


@pytest.mark.parametrize("way", ["documents", "weights"])
def test_a_file_is_locked_that_is_open_for_reading_and_for_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """NFS of Linux refuses a shared lock where a file cannot be read, and the other where it cannot be written."""
    modes = set[int]()
    flock = fcntl.flock

    def noted(file: Any, kind: int) -> None:
        modes.add(fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE)
        flock(file, kind)

    monkeypatch.setattr(fcntl, "flock", noted)
    monkeypatch.setenv("AUGMENT_CORRECTION_CACHE", str(tmp_path))
    if way == "documents":
        with fsspec.open("memory://locked_documents/a.md", "w") as file:
            file.write("text")
        Mirror("memory://locked_documents", lambda _: True).fetch()
    else:
        with _locked(tmp_path / "lock", KNOWN[DEFAULT], None):
            pass
    assert modes == {os.O_RDWR}
