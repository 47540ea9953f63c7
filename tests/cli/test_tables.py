"""Whatever is printed is whole: through a pipe, and on terminals of 80 and 120 columns."""

from __future__ import annotations

import io
import re
import shlex
import sys
from typing import Any

import pytest
from rich.console import Console

from augment_correction.cli import app, tables
from augment_correction.cli.helping import PROGRAM
from tests.cli.program import program
from tests.pages import program as click_program

HEADERS = ("stage", "model", "requests", "what it was for")
ROWS = [
    ("wrong_user_conversation", "accounts/fireworks/models/a-model-with-a-long-name", "17,280,000", "a few words " * 8),
    ("judgement", "gpt-5-nano", "1,440", "[bold]no markup[/]"),
]


def test_through_a_pipe_a_row_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_table(HEADERS, ROWS, right=("requests",))
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == " ".join(HEADERS).split()
    assert first.split() == " ".join(ROWS[0]).split()
    assert second.split() == " ".join(ROWS[1]).split()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_on_a_terminal_words_are_wrapped_and_none_is_cut(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()

    def console(**given: object) -> Console:
        return Console(file=shown, force_terminal=True, width=width, color_system=None, **given)  # type: ignore[arg-type]

    monkeypatch.setattr("augment_correction.console.Terminal", console)
    tables.print_table(HEADERS, ROWS, right=("requests",))
    words = shown.getvalue().split()
    assert sorted(words) == sorted(" ".join([*HEADERS, *ROWS[0], *ROWS[1]]).split())


def _commands(group: object, *above: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [above]
    for name, command in sorted(getattr(group, "commands", {}).items()):
        found += _commands(command, *above, name)
    return found


def test_no_help_is_cut_at_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    commands = _commands(click_program())
    assert len(commands) > 20
    for command in commands:
        monkeypatch.setattr(sys, "argv", ["augment_correction", *command, "--help"])
        with pytest.raises(SystemExit):
            app(prog_name="augment_correction", args=[*command, "--help"], standalone_mode=True)
        shown = capsys.readouterr().out
        assert shown.startswith("Usage: augment_correction"), command
        assert "…" not in shown, command
        assert not re.search(r"^  .*\.\.\.$", shown, re.MULTILINE), command
        assert "[bold]" not in shown, command
        assert "list[" not in shown and "[[" not in shown, command
        assert not re.search(r"<(str|int|float)\b|x>=|<=x", shown), "kinds and ranges are told in words"
        assert not re.search(r"\w-$", shown, re.MULTILINE), f"{command}: `from-failures` is torn apart"
        assert max(map(len, shown.splitlines())) <= 80, command
        examples = [line.strip() for line in shown.replace(" \\\n", " ").splitlines() if PROGRAM in line]
        told = " ".join((_of(command).epilog or "").split())
        for each in examples:
            assert " ".join(each.split()) in told, "what is broken over lines is one command to a shell"
            assert shlex.split(each), command


def _of(command: tuple[str, ...]) -> Any:
    found: Any = click_program()
    for name in command:
        found = found.commands[name]
    return found


def test_the_list_of_commands_says_whole_sentences() -> None:
    shown = "".join(program("--help", COLUMNS="80").out.split())
    for name, command in click_program().commands.items():
        said = "".join((command.help or "").split("\n\n")[0].split())
        assert said and f"{name}{said}" in shown
