"""What the worker writes is on stderr and in a file, without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.worker.log import TAIL_BYTES, Log, tail

SECRET = "sk-of-nobody-0123456789"


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_GATEWAY_KEY", SECRET)
    monkeypatch.setenv("SHORT_TOKEN", "train")


def test_a_secret_stands_neither_on_stderr_nor_in_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Log(tmp_path / "logs").say(f"the training said: Bearer {SECRET} is wrong")
    (file,) = (tmp_path / "logs").iterdir()
    for shown in (capsys.readouterr().err, file.read_text("utf-8")):
        assert SECRET not in shown and shown.endswith("the training said: Bearer *** is wrong\n")


def test_nor_in_the_end_of_another_programs_log(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text(f"10 %\r50 %\r100 %\n\nkey={SECRET}\nthe train stops\n")
    assert tail(path) == "100 %\nkey=***\nthe train stops"
    assert tail(path, 1) == "the train stops"
    assert tail(tmp_path / "none") == ""


def test_of_a_long_log_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text("first\n" + "x" * 2 * TAIL_BYTES + "\nlast\n")
    shown = tail(path)
    assert shown.endswith("x\nlast") and len(shown) < TAIL_BYTES


def test_a_full_disk_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs").write_text("a file stands where the folder should")
    Log(tmp_path / "logs").say("all is well")
    assert capsys.readouterr().err.endswith(" all is well\n")
