"""Files that disappear while they are looked at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from augment_correction.folders import bytes_below, modified, size_of


@pytest.fixture
def half_loaded(tmp_path: Path) -> Path:
    """As pip leaves it in the middle of its work: a file, and temporary folders with files."""
    (tmp_path / "pip.log").write_bytes(b"12345")
    for name in ("pip-unpack-a", "pip-unpack-b"):
        (tmp_path / name / "below").mkdir(parents=True)
        (tmp_path / name / "below" / "part.whl").write_bytes(b"x" * 100)
    return tmp_path


def test_all_files_below_are_counted(half_loaded: Path) -> None:
    assert bytes_below(half_loaded) == 205


def test_a_folder_that_is_gone_when_it_is_listed_counts_nothing(
    half_loaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def gone_by_then(path: str) -> object:
        if Path(path).name == "pip-unpack-a":
            Path(path).rename(half_loaded.parent / "elsewhere")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", gone_by_then)
    assert bytes_below(half_loaded) == 105


def test_a_file_that_is_gone_when_it_is_measured_counts_nothing(
    half_loaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = Path.stat

    def gone_by_then(path: Path, **options: bool) -> os.stat_result:
        if path.name == "part.whl":
            path.unlink(missing_ok=True)
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", gone_by_then)
    assert bytes_below(half_loaded) == 5


def test_what_is_not_there_has_no_size_and_no_time(tmp_path: Path) -> None:
    assert size_of(tmp_path / "nothing") is None
    assert size_of(tmp_path) is None, "a folder is no file"
    assert bytes_below(tmp_path / "nothing") == 0
    assert modified(tmp_path / "nothing") == 0.0
