"""Other people's text in a terminal: shown and never obeyed."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from augment_correction import terminal
from augment_correction.console import Terminal
from augment_correction.terminal import redacted, say, tell_bug
from augment_correction.text import printable
from tests.cli.program import program
from tests.projects import MadeProject
from tests.servers import ModelServer, fails

HOSTILE = "\x1b]0;OWNED\x07\x1b[2J\x1b[8m\x9b31m\u202egnp\u2066\r\x00end"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@given(st.text())
def test_no_character_that_a_terminal_obeys_is_left(text: str) -> None:
    shown = printable(text)
    assert not OBEYED.search(shown) and printable(shown) == shown
    shown.encode()


def test_ordinary_text_is_as_it_was() -> None:
    text = "Zürich, 東京, שלום\n\t👩\u200d🚀 é"
    assert printable(text) == text


def test_a_line_of_json_stays_json() -> None:
    assert json.loads(printable(json.dumps({"text": HOSTILE}, ensure_ascii=False))) == {"text": HOSTILE}


def test_what_an_encoding_lacks_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(terminal.sys, "stdout", out)
    say("Zürich")
    assert out.buffer.getvalue() == b"Z\\xfcrich\n"  # type: ignore[attr-defined]


def test_tables_panels_and_colours() -> None:
    console = Terminal(file=io.StringIO(), force_terminal=True, color_system="standard", width=120)
    table = Table("name")
    table.add_row(HOSTILE)
    for each in (
        table,
        Panel(Text(HOSTILE), title=Text(HOSTILE)),
        Text(HOSTILE, style="red"),
        HOSTILE.replace("[", ""),
    ):
        console.print(each)
    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert "OWNED" in written and "\x1b[31m" in written
    assert not OBEYED.search(re.sub(r"\x1b\[(?:\d+;?)*m", "", written))
    assert "\x1b[8m" not in written


def test_a_bug_keeps_its_traceback_and_loses_what_is_secret_or_obeyed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-0123456789")
    try:
        raise RuntimeError(f"{HOSTILE} sk-0123456789 http://me:hunter22@host/v1")
    except RuntimeError as failure:
        tell_bug(failure)
    err = capsys.readouterr().err
    assert "Traceback" in err and "RuntimeError" in err and "http://***@host/v1" in err
    assert not OBEYED.search(err) and "sk-0123" not in err and "hunter22" not in err


def test_an_address_without_a_password_is_left_alone() -> None:
    assert redacted("http://host/v1 and someone@host") == "http://host/v1 and someone@host"


def test_a_bug_in_the_program_ends_in_1_and_is_told_so(tmp_path: Path) -> None:
    broken = "import augment_correction.cli as c, augment_correction.project as p\n"
    broken += "def bundled(): raise RuntimeError('\\x1b[2J')\n"
    broken += "import augment_correction.cli.files as f; f.bundled = bundled; raise SystemExit(c.main())"
    made = subprocess.run([sys.executable, "-c", broken, "list"], capture_output=True, text=True, check=False)
    assert made.returncode == 1 and "RuntimeError: \\u001b[2J" in made.stderr and "\x1b" not in made.stderr


def test_names_of_files_errors_of_servers_and_texts(project: MadeProject, server: ModelServer) -> None:
    project.facts([1])
    for name in ("\x1b]0;OWNED\x07.pdf", "\u202efdp.pdf", "line\nall good.pdf"):
        project.write(f"inputs/{name}", "no pdf")
    server.usual = fails(400, f"no {HOSTILE}")
    project.config(server)
    for command in ("run", "check", "inspect"):
        target = project.output if command == "inspect" else project.root / "config.yaml"
        made = program(command, str(target))
        assert not OBEYED.search(made.out + made.err), command
    assert "\\u001b]0;OWNED" in program("inspect", str(project.output)).out
