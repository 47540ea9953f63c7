"""Ctrl-C, in whatever moment: the exit code of a shell and one line."""

from __future__ import annotations

import sys

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
