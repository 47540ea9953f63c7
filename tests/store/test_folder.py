"""Files that appear whole or not at all, in a folder that one process holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.errors import InputError
from augment_correction.store import RunFolder
from augment_correction.store.folder import atomic_write


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.json"
    with atomic_write(path) as file:
        file.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_old_one_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as file:
        file.write(b"half of the n")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_half_written_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".file.json.part").write_bytes(b"half of someth")
    with atomic_write(tmp_path / "file.json") as file:
        file.write(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["file.json"]


def test_the_folder_is_held_by_one_and_free_afterwards(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    other = RunFolder(tmp_path / "run")
    with folder.held(), pytest.raises(InputError, match="another run is writing"), other.held():
        pass
    with folder.held():
        pass


def test_a_place_where_nothing_can_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written") as raised, RunFolder(tmp_path / "file" / "run").held():
        pass
    assert raised.value.hint == "set path.output_dir to a folder that you can write to"


def test_every_path_lies_inside(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    values = [getattr(folder, name) for name, kind in vars(RunFolder).items() if isinstance(kind, property)]
    paths = [value for value in values if isinstance(value, Path)]
    assert len(paths) >= 8
    assert all(path.is_relative_to(tmp_path) for path in [*paths, folder.tokens("small")])
