"""How flags are spelled: with hyphens, and by underscores as other trainers spell theirs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from augment_correction.cli import app
from tests.cli.program import program


def options(*command: str) -> str:
    return program(*command, "--help", COLUMNS="200").out


@pytest.mark.parametrize("command", ["train", "evaluate", "import-failures", "run"])
def test_no_help_shows_an_underscore_in_a_flag(command: str) -> None:
    shown = options(command)
    assert [word for word in shown.split() if word.startswith("--") and "_" in word] == []


@pytest.mark.parametrize("flag", ["--validation-split", "--validation_split"])
def test_both_spellings_are_one_flag(flag: str) -> None:
    ended = program("train", "--data", "none.jsonl", "--output_dir", "out", "--model", "none", flag, "0.9")
    assert ended.code == 2 and "no such option" not in ended.err.lower()
    assert "validation_split" in ended.err, ended.err


def test_an_unknown_flag_is_still_refused() -> None:
    ended = program("train", "--validation_spilt", "0.1")
    assert ended.code == 2 and "--validation" in ended.err


@pytest.mark.parametrize(("typed", "offered"), [("tr", "train"), ("train --outp", "--output")])
def test_a_shell_completes_commands_and_flags(typed: str, offered: str) -> None:
    words = f"augment-correction {typed}"
    told = {
        "_AUGMENT_CORRECTION_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "augment_correction"], env={**os.environ, **told}, capture_output=True, text=True
    )
    assert offered in ended.stdout.split(), ended


def test_the_program_is_called_as_its_script_is() -> None:
    assert app.info.name == "augment-correction"
    assert options().startswith("Usage: augment-correction")
