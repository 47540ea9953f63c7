from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.axolotl.environment import HERE, RELEASES, choose, pythons

P311, P312, P313 = ((3, 11), "/a/python3"), ((3, 12), "/b/python3.12"), ((3, 13), "/c/python3.13")


def test_the_oldest_python_that_the_release_wants() -> None:
    assert choose(RELEASES["0.21"], [P311, P313, P312]) == ("/b/python3.12", "")
    assert choose(RELEASES["0.19"], [P311, P313, P312]) == ("/a/python3", "")


def test_without_it_the_newest_there_is_and_a_warning() -> None:
    python, said = choose(RELEASES["0.21"], [P311])
    assert python == "/a/python3"
    assert "Axolotl 0.21.0 wants Python 3.12 and none was found" in said and "its code, not its installation" in said


def test_pyenvs_are_found_and_a_shim_that_starts_nothing_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minor = sys.version_info.minor + 1
    for place, code in (("shims", "exit 127"), (f"pyenv/versions/3.{minor}.1/bin", "exit 0")):
        program = tmp_path / place / f"python3.{minor}"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\n{code}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "shims"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    found = dict(pythons())
    assert found == {sys.version_info[:2]: sys.executable, (3, minor): str(program)}


def test_each_release_has_its_requirements() -> None:
    for name, release in RELEASES.items():
        assert f" {release.number} import on a CPU" in (HERE / f"requirements-{name}.txt").read_text()
    assert len(RELEASES) == len(list(HERE.glob("requirements-*.txt")))
