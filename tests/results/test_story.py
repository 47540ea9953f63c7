"""`debug_outputs/`: what is there and right is left alone, all else is made again."""

from __future__ import annotations

from pathlib import Path

from tests.projects import MadeProject
from tests.servers import ModelServer


def stories(project: MadeProject) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (project.output / "debug_outputs").glob("[!_]*/*.md")}


def test_the_lines_of_a_jsonl_file_share_a_folder(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(3))
    project.run(server)
    names = sorted(path.relative_to(project.output / "debug_outputs").as_posix() for path in stories(project))
    assert [name[: len("facts.jsonl/L000001-00000-")] for name in names] == [
        f"facts.jsonl/L{line:06d}-00000-" for line in (1, 2, 3)
    ]


def test_a_story_that_did_not_change_is_not_written_again(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(3))
    project.run(server)
    before = stories(project)
    project.facts(range(4))
    project.run(server)
    after = stories(project)
    assert len(after) == 4
    assert {path: after[path] for path in before} == before


def test_one_that_was_cut_short_emptied_or_removed_is_made_again(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(4))
    project.run(server)
    whole = project.files()
    cut, emptied, removed, _ = sorted(stories(project))
    cut.write_bytes(cut.read_bytes()[:-9])
    emptied.write_bytes(b"")
    removed.unlink()
    project.run(server)
    assert project.files() == whole


def test_one_of_a_passage_that_now_stands_elsewhere_too_is_told_anew(project: MadeProject, server: ModelServer) -> None:
    (text,) = project.facts([1])
    project.run(server)
    project.write("inputs/later.txt", text)
    project.run(server)
    (story,) = stories(project)
    assert "- later.txt, characters 0" in story.read_text()
    assert server.count() == 2
