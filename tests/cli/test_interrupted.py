"""Ctrl-C, in whatever moment: the exit code of a shell and one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from augment_correction import cli, config_files


def test_in_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(config_files, "command_of", interrupted)
    monkeypatch.setattr(sys, "argv", ["augment-correction", "check", "config.yaml"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err.strip() == cli.INTERRUPTED


def test_while_commands_are_loaded(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "import_module", interrupted)
    assert cli.main() == 130
    assert capsys.readouterr().err.strip() == cli.INTERRUPTED


def test_an_exit_of_another_kind_says_nothing_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["augment-correction", "check", "no-such.yaml"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert cli.INTERRUPTED not in capsys.readouterr().err


def test_in_code_that_python_compiles_from_a_string(tmp_path: Path) -> None:
    """As a module does that makes a dataclass while it loads: CPython would end by SIGINT, not with our exit code."""
    (tmp_path / "interrupted.py").write_text(
        "import sys\n"
        "from augment_correction import __main__, cli\n"
        "cli.import_module = lambda name: exec('raise KeyboardInterrupt')\n"
        "sys.exit(__main__.main())\n",
        "utf-8",
    )
    ended = subprocess.run(
        [sys.executable, "-m", "interrupted"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr.strip()) == (130, cli.INTERRUPTED)
