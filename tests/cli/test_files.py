"""`init`, `list`, `copy`: nothing is ever overwritten."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import program


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


def test_list_names_what_copy_copies(tmp_path: Path) -> None:
    names = program("list").out.split()
    assert "pipelines/correction.yaml" in names
    assert program("copy", "prompts/filter.jinja", "--to", str(tmp_path)).code == 0
    assert (tmp_path / "prompts" / "filter.jinja").is_file()


def test_copy_of_what_is_not_shipped_is_one_clear_line() -> None:
    made = program("copy", "nothing")
    assert made.code == 2
    assert made.err.startswith("error: nothing shipped is called 'nothing'")
    assert "Traceback" not in made.err
