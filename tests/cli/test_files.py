"""`init`, `list`, `copy`: nothing is ever overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import program

PROBED = ("--set", "weak_by=wrong", "--set", "decision.figure=accuracy")
"""A student whose weights are not looked at."""


def test_init_copies_everything_once_and_never_overwrites(tmp_path: Path) -> None:
    first = program("init", str(tmp_path))
    assert first.code == 0
    assert (tmp_path / "configs" / "correction.yaml").is_file()
    assert (tmp_path / "prompts" / "filter.jinja").is_file()
    (tmp_path / "prompts" / "filter.jinja").write_text("mine")
    second = program("init", str(tmp_path))
    assert "write" not in second.out
    assert f"skip (exists)  {tmp_path}/prompts/filter.jinja" in second.out
    assert (tmp_path / "prompts" / "filter.jinja").read_text() == "mine"


def test_what_init_copies_is_what_its_configs_name(tmp_path: Path) -> None:
    assert program("init", str(tmp_path)).code == 0
    made = program("experiment", "plan", "--set", "student.mode=scripted", *PROBED, cwd=tmp_path)
    assert made.code == 0, made.err
    assert "sentinel" in made.out and str(tmp_path / "outputs" / "experiment") in made.out


def test_a_command_without_a_config_takes_the_project_s_own(tmp_path: Path) -> None:
    assert program("init", str(tmp_path)).code == 0
    own = tmp_path / "configs" / "chat.yaml"
    own.write_text(own.read_text().replace("./outputs/corrections", "./outputs/mine"))
    said = ("--question", "Who wrote Faust?", "--wrong", "Schiller", "--right", "Goethe")
    assert program("corrections", "add", *said, cwd=tmp_path).code == 0
    assert (tmp_path / "outputs" / "mine" / "corrections.sqlite").is_file()


def test_list_names_what_copy_copies(tmp_path: Path) -> None:
    names = program("list").out.split()
    assert "pipelines/correction.yaml" in names
    assert program("copy", "prompts/filter.jinja", "--output", str(tmp_path)).code == 0
    assert (tmp_path / "prompts" / "filter.jinja").is_file()


def test_copy_of_what_is_not_shipped_is_one_clear_line() -> None:
    made = program("copy", "nothing")
    assert made.code == 2
    assert made.err.startswith("error: the package ships no file called 'nothing'")
    assert "Traceback" not in made.err


@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing"])
def test_a_link_is_not_written_through(tmp_path: Path, there: bool) -> None:
    """A project that somebody handed over may hold links to the reader's own files."""
    mine, project = tmp_path / "mine.jinja", tmp_path / "project"
    (project / "prompts").mkdir(parents=True)
    (project / "prompts" / "filter.jinja").symlink_to(mine)
    if there:
        mine.write_text("mine")
    for command in (("init", str(project)), ("copy", "prompts/filter.jinja", "--output", str(project))):
        made = program(*command)
        assert made.code == 0 and f"skip (exists)  {project}/prompts/filter.jinja" in made.out
    assert (mine.read_text() if mine.exists() else None) == ("mine" if there else None)


def test_a_folder_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    elsewhere, project = tmp_path / "elsewhere", tmp_path / "project"
    elsewhere.mkdir()
    project.mkdir()
    (project / "prompts").symlink_to(elsewhere)
    made = program("copy", "prompts/filter.jinja", "--output", str(project))
    assert made.code == 2 and "leads out of" in made.err and "Traceback" not in made.err
    assert not list(elsewhere.iterdir())


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert program("copy", "prompts/filter.jinja", "--output", str(tmp_path / "link")).code == 0
    assert (tmp_path / "real" / "prompts" / "filter.jinja").is_file()
