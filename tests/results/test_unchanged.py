"""A finished run that is started again writes nothing, unless anything its files depend on is another."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from augment_correction import export_formats
from augment_correction.results import unchanged
from augment_correction.runner import run
from augment_correction.runner.state import RunState
from tests.projects import MadeProject

DATASET = "axolotl_correction_conversations.json"


@pytest.fixture
def made(project: MadeProject) -> MadeProject:
    project.facts(range(4))
    project.write(
        "inputs/contents.txt", "Table of Contents. The bridge, page 1. The mill, page 12. The index, page 99."
    )
    project.run()
    return project


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The dataset's folder, once for each time that it was written."""
    from augment_correction.results import dataset, outputs

    told: list[Path] = []
    write = dataset.write_dataset

    def noting(*given: object) -> dataset.Written:
        told.append(Path())
        return write(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(outputs, "write_dataset", noting)
    return told


def times(project: MadeProject) -> dict[str, int]:
    return {
        path.relative_to(project.output).as_posix(): path.stat().st_mtime_ns
        for path in project.output.rglob("*")
        if path.is_file() and not path.name.startswith(("journal", "."))
    }


def test_nothing_is_written_and_the_result_is_the_same(made: MadeProject, writes: list[Path]) -> None:
    before, files = times(made), made.files()
    first, again = made.run(), made.run()
    assert times(made) == before and made.files() == files and not writes
    assert again.files == first.files and {"dataset", "report", "debug"} <= set(again.files)
    assert (again.exit_code, again.counts, again.tokens) == (first.exit_code, first.counts, first.tokens)
    assert again.counts["rejected"] == 1
    assert again.verification == first.verification and again.dataset == made.output / DATASET
    assert [note for note in again.notices if "mask" in note] == [note for note in first.notices if "mask" in note]


@pytest.mark.parametrize(
    "touch",
    [
        lambda project: (project.output / DATASET).unlink(),
        lambda project: (project.output / DATASET).write_text("[]"),
        lambda project: next(
            (project.output / "debug_outputs").rglob("L*.md"), project.output / "report.html"
        ).unlink(),
        lambda project: (project.output / "report.html").unlink(),
        lambda project: (project.output / "exports").mkdir() or (project.output / "exports/mine.txt").write_text("x"),
    ],
)
def test_a_file_that_is_gone_or_another_one_is_made_again(
    made: MadeProject, writes: list[Path], touch: Callable[[MadeProject], object]
) -> None:
    files = made.files()
    touch(made)
    made.run()
    assert len(writes) == 1
    assert {**made.files(), **files} == made.files()
    made.run()
    assert len(writes) == 1


def altered(path: Path) -> bytes:
    """What stood there, before a letter is replaced and the file's time put back."""
    status, before = path.stat(), path.read_bytes()
    path.write_bytes(before.replace(b"a", b"A", 1))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return before


@pytest.mark.parametrize("name", [DATASET, "debug_outputs/facts.jsonl/L000001-*.md", "rejected.jsonl"])
def test_a_file_of_the_same_size_and_time_is_made_again_where_it_was_edited(made: MadeProject, name: str) -> None:
    [path] = made.output.glob(name)
    before = altered(path)
    made.run()
    assert path.read_bytes() == before


def test_a_file_behind_a_link_is_looked_at(made: MadeProject, tmp_path: Path) -> None:
    kept, disk = {"do_meta_datagen": True}, tmp_path / "disk"
    made.run(meta_datagen=kept)
    (made.output / "meta_datagen").rename(disk)
    (made.output / "meta_datagen").symlink_to(disk)
    (disk / "round").symlink_to(made.output)
    made.run(meta_datagen=kept)
    before = altered(disk / "meta_dataset.jsonl")
    made.run(meta_datagen=kept)
    assert (made.output / "meta_datagen/meta_dataset.jsonl").read_bytes() == before


def test_another_template_of_extra_rows_makes_other_ones(made: MadeProject) -> None:
    wanted = {"do_meta_datagen": True, "meta_datagen_extras": ["extra"]}
    for word in ("say", "tell"):
        made.write(
            "prompts/extra.yaml", f"- {{role: user, content: '{word} it'}}\n- {{role: assistant, content: no}}\n"
        )
        made.run(meta_datagen=wanted)
        assert f'"{word} it"' in (made.output / "meta_datagen/meta_dataset.jsonl").read_text()


def test_a_format_of_ones_own_is_always_written(made: MadeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    for word in ("one", "two"):

        def write(_: object, folder: Path, word: str = word) -> None:
            (folder / "words.txt").write_text(word)

        monkeypatch.setitem(export_formats.FORMATS, "mine", export_formats.ExportFormat(write))
        made.run(output={"formats": ["mine"]})
        assert (made.output / "exports/mine/words.txt").read_text() == word


def test_another_version_of_a_package_writes_its_own(
    made: MadeProject, writes: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    made.run()
    (tmp_path / "rensa-99.0.dist-info").mkdir()
    made.run()
    assert len(writes) == 1


def test_another_config_and_another_document_are_written(made: MadeProject, writes: list[Path]) -> None:
    made.run(output={"formats": ["openai"]})
    assert len(writes) == 1 and (made.output / "exports/openai").is_dir()
    made.facts(range(5))
    assert made.run(output={"formats": ["openai"]}).kept == 5 and len(writes) == 2
    made.run(output={"formats": ["openai"]})
    assert len(writes) == 2


def test_another_version_of_the_program_writes_its_own(
    made: MadeProject, writes: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = unchanged._listed
    monkeypatch.setattr(unchanged, "_listed", lambda root, without: [("new.py", 1, 1, 1), *listed(root, without)])
    made.run()
    assert len(writes) == 1


def test_what_was_cut_short_is_written_whole(
    made: MadeProject, writes: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made.facts(range(5))

    def die(*_: object, **__: object) -> None:
        raise RuntimeError("the power is gone")

    monkeypatch.setattr("augment_correction.results.outputs.write_report", die)
    with pytest.raises(RuntimeError):
        made.run()
    monkeypatch.undo()
    files = made.files()
    made.run()
    assert made.files() != files and made.run().kept == 5


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One for each time that the input was read."""
    from augment_correction.runner import running

    told: list[int] = []
    read = running.read_passages

    def noting(*given: object) -> object:
        told.append(1)
        return read(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "read_passages", noting)
    return told


def test_a_finished_run_is_not_even_read(made: MadeProject, reads: list[int]) -> None:
    seen: list[RunState] = []

    def watch(state: RunState) -> AbstractContextManager[None]:
        seen.append(state)
        return nullcontext()

    made.facts(range(4), "facts.jsonl")
    assert run(made.load(), watch=watch).kept == 4 and reads
    del reads[:], seen[:]
    again = run(made.load(), watch=watch)
    assert not reads and again.counts["pending"] == 0 and again.kept == 4
    [state] = seen
    assert (state.finished, state.reused, state.total, state.documents) == (5, 5, 5, 5)
    assert sum(each.rejected for each in state.stages.values()) == 1 == state.reasons.total()


@pytest.mark.parametrize("kind", ["edited", "edited in place", "added", "gone"])
def test_another_input_is_read(made: MadeProject, reads: list[int], kind: str) -> None:
    path = made.root / "inputs" / "contents.txt"
    status = path.stat()
    if kind == "added":
        made.facts(range(5))
    elif kind == "gone":
        path.unlink()
    else:
        path.write_text(path.read_text().replace("bridge", "mill" if kind == "edited" else "Bridge"))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    made.run()
    assert reads
    del reads[:]
    made.run()
    assert not reads


def test_an_input_whose_clock_counts_whole_seconds_is_read_until_they_are_over(
    made: MadeProject, reads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    second = 60 * 10**9  # a long one, since two runs take a busy machine more than three of the usual
    now, touch = time.time_ns() // second * second, unchanged._touch
    monkeypatch.setattr(unchanged, "_WHOLE_SECOND", second)
    monkeypatch.setattr(unchanged, "_touch", lambda status: (touch(status)[0], now, now, 1))
    made.run()
    made.run()
    assert len(reads) == 2
    monkeypatch.setattr(unchanged, "_WHOLE_SECOND", 1)
    made.run()
    made.run()
    assert len(reads) == 3


def test_what_is_open_or_to_be_asked_again_is_read(made: MadeProject, reads: list[int]) -> None:
    run(made.load(), retry=("filtered",))
    assert len(reads) == 1
    database = sqlite3.connect(made.output / "journal.sqlite")
    database.execute("UPDATE outcomes SET status = 'failed' WHERE status = 'rejected'")
    database.commit()
    database.close()
    made.run()
    assert len(reads) == 2
