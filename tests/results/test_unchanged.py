"""A finished run that is started again writes nothing, unless anything its files depend on is another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

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
    from augment_correction.results import unchanged

    listed = unchanged._listed
    monkeypatch.setattr(unchanged, "_listed", lambda root, without: [("new.py", 1, 1), *listed(root, without)])
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
