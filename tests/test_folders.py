"""Files that disappear while they are looked at, links of strangers, and other users of the machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from augment_correction.folders import (
    bytes_below,
    cache_folder,
    modified,
    new_file,
    own_folder,
    private_folder,
    size_of,
)
from augment_correction.monitor.keeping import MonitorStore
from augment_correction.report.shards import ShardWriter
from augment_correction.results.finished import open_run
from augment_correction.results.reexport import export_run
from augment_correction.store.folder import RunFolder, atomic_write
from augment_correction.worker.folder import WorkerFolder
from tests.projects import MadeProject


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

    with monkeypatch.context() as planted:  # over before pytest itself clears the folder away
        planted.setattr(os, "scandir", gone_by_then)
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


class TestOtherUsersOfTheMachine:
    @pytest.fixture(autouse=True)
    def open_handed(self) -> Iterator[None]:
        """As many systems have it: whatever is made can be read by all."""
        before = os.umask(0o022)
        yield
        os.umask(before)

    def test_a_runs_folder_is_its_owners_alone(self, project: MadeProject) -> None:
        project.facts([1])
        assert project.run().kept == 1
        assert project.output.stat().st_mode & 0o777 == 0o700

    def test_so_are_a_workers_and_a_monitors(self, tmp_path: Path) -> None:
        for path, make in (
            (tmp_path / "worker", lambda path: WorkerFolder(path).make()),
            (tmp_path / "monitor", lambda path: MonitorStore(path).making().__enter__()),
        ):
            make(path)
            assert path.stat().st_mode & 0o777 == 0o700, path.name

    def test_a_folder_that_a_team_opened_stays_open(self, tmp_path: Path) -> None:
        shared = tmp_path / "shared"
        shared.mkdir(mode=0o755)
        private_folder(shared)
        with RunFolder(shared).held():
            pass
        assert shared.stat().st_mode & 0o777 == 0o755


class TestLinksOfStrangers:
    @pytest.fixture
    def mine(self, tmp_path: Path) -> Path:
        """A folder with files of the reader, none of which may change."""
        folder = tmp_path / "mine"
        folder.mkdir()
        for name in ("notes.md", "app.js", "old.js.part"):
            (folder / name).write_text("mine")
        return folder

    @pytest.fixture(autouse=True)
    def untouched(self, mine: Path) -> Iterator[None]:
        yield
        assert {path.name: path.read_text() for path in mine.iterdir()} == dict.fromkeys(
            ("notes.md", "app.js", "old.js.part"), "mine"
        )

    def test_a_file_is_written_beside_what_a_link_leads_to(self, tmp_path: Path, mine: Path) -> None:
        (tmp_path / ".run.json.part").symlink_to(mine / "notes.md")
        (tmp_path / "run.json").symlink_to(mine / "notes.md")
        with atomic_write(tmp_path / "run.json") as file:
            file.write(b"{}")
        assert (tmp_path / "run.json").read_bytes() == b"{}" and not (tmp_path / "run.json").is_symlink()

    def test_a_new_file_takes_a_links_place(self, tmp_path: Path, mine: Path) -> None:
        (tmp_path / "story.md").symlink_to(mine / "notes.md")
        with new_file(tmp_path / "story.md") as file:
            file.write(b"told")
        assert (tmp_path / "story.md").read_bytes() == b"told"

    def test_a_folder_takes_a_links_place(self, tmp_path: Path, mine: Path) -> None:
        (tmp_path / "debug").symlink_to(mine)
        own_folder(tmp_path / "debug")
        assert not list((tmp_path / "debug").iterdir()) and not (tmp_path / "debug").is_symlink()

    def test_the_parts_of_a_report_are_neither_written_nor_cleared_there(self, tmp_path: Path, mine: Path) -> None:
        (tmp_path / "report_data").symlink_to(mine)
        ShardWriter(tmp_path / "report_data").finish()
        writer = ShardWriter(tmp_path / "report_data", size=1)
        for number in range(3):
            writer.add({"number": number})
        writer.finish()
        assert len(list((tmp_path / "report_data").glob("*.js"))) == 2

    def test_a_run_in_such_a_folder_writes_its_own(self, project: MadeProject, mine: Path) -> None:
        project.facts([1])
        project.run()
        for name in ("debug_outputs", "report_data", "exports", "logs"):
            shutil.rmtree(project.output / name, ignore_errors=True)
            (project.output / name).symlink_to(mine)
        project.run()
        (project.output / "exports").unlink(missing_ok=True)
        (project.output / "exports").symlink_to(mine)
        with open_run(project.output) as made:
            assert [each.name for each in export_run(made, ["openai"], None)] == ["openai"]
        assert (project.output / "exports" / "openai").is_dir()

    def test_an_export_that_is_a_link_is_replaced(self, project: MadeProject, mine: Path) -> None:
        project.facts([1])
        project.run()
        (project.output / "exports").mkdir(exist_ok=True)
        for name in ("openai", ".openai.part", ".openai.old"):
            (project.output / "exports" / name).symlink_to(mine)
        for _ in range(2):
            with open_run(project.output) as made:
                list(export_run(made, ["openai"], None))
        assert [path.name for path in (project.output / "exports").iterdir()] == ["openai"]
        assert not (project.output / "exports" / "openai").is_symlink()


def test_the_cache_folder_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGMENT_CORRECTION_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("AUGMENT_CORRECTION_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "augment_correction"
