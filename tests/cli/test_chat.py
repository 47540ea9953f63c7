"""`chat` and `corrections` as a person uses them: the real program, with a model that plays its part."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import yaml

from augment_correction.corrections.transcripts import TranscriptFile
from augment_correction.launching.commands import command
from augment_correction.project import bundled
from augment_correction.worker.config import load_worker
from augment_correction.worker.rows import check
from tests.corrections.making import chat_project


def program(folder: Path, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "augment_correction", *words]
    return subprocess.run(command, cwd=folder, input=said, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    chat_project(tmp_path)
    return tmp_path


def chat(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    ended = program(folder, "chat", "chat.yaml", "--transcript", "monday.jsonl", said="\n".join([*lines, "/quit", ""]))
    assert ended.returncode == 0, ended.stderr
    return ended


def corrections(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return program(folder, "corrections", *words, "--config", "chat.yaml")


def test_a_correction_is_shown_confirmed_and_kept(folder: Path) -> None:
    ended = chat(folder, "Who opened the museum?", "No, Ida Brandt.", "y", "/corrections")
    assert "your message was understood as this correction; is that right?" in ended.stdout
    assert "right:    Ida Brandt." in ended.stdout and "kept as correction 1" in ended.stdout
    shown = corrections(folder, "list", "--json")
    (row,) = orjson.loads(shown.stdout)
    assert (row["state"], row["right"], row["message"]) == ("approved", "Ida Brandt.", "No, Ida Brandt.")
    assert [each["role"] for each in row["chat"]] == ["user", "assistant"]


def test_an_edit_is_what_is_kept(folder: Path) -> None:
    chat(
        folder, "Who opened the museum?", "No, Ida.", "e", "Who opened the museum of Halmstett?", "", "Ida Brandt", "y"
    )
    (row,) = orjson.loads(corrections(folder, "list", "--json").stdout)
    assert (row["question"], row["right"]) == ("Who opened the museum of Halmstett?", "Ida Brandt")


def test_a_no_keeps_nothing(folder: Path) -> None:
    ended = chat(folder, "Who opened the museum?", "No, Ida Brandt.", "n")
    assert "dropped: the correction is not kept" in ended.stdout
    assert orjson.loads(corrections(folder, "list", "--json").stdout) == []


def test_a_chat_goes_on_from_its_transcript(folder: Path) -> None:
    chat(folder, "Who opened the museum?")
    ended = chat(folder, "And when?", "/save chats.jsonl", "/retry", "/reset", "/nonsense")
    assert "2 earlier messages were loaded" in ended.stderr and "there is no command /nonsense" in ended.stdout
    saved = orjson.loads((folder / "chats.jsonl").read_bytes())
    assert [each["role"] for each in saved["messages"]] == ["user", "assistant"] * 2
    assert TranscriptFile(folder / "monday.jsonl").messages() == []


def test_a_wrong_sum_needs_a_second_yes(folder: Path) -> None:
    made = corrections(folder, "add", "--question", "What is 2+2?", "--wrong", "4", "--right", "5")
    assert "arithmetic contradicts it: 2+2 is 4" in made.stdout
    refused = corrections(folder, "approve", "1")
    assert refused.returncode == 2 and "--force" in refused.stderr
    assert "against the evidence" in corrections(folder, "approve", "1", "--force").stdout
    assert "approved, against the evidence" in corrections(folder, "show", "1").stdout
    said = chat(folder, "Who opened the museum?", "No, Ida.", "e", "What is 3+3?", "6", "7", "y", "n").stdout
    assert "arithmetic contradicts it: 3+3 is 6" in said and "kept as a candidate, not approved" in said


def test_what_is_approved_is_exported_and_its_training_is_told_in_numbers(folder: Path) -> None:
    corrections(folder, "add", "--question", "Who?", "--wrong", "Otto Meier", "--right", "Ida Brandt")
    corrections(folder, "approve", "1")
    assert "1 correction -> " in corrections(folder, "export", "--output", "failures.jsonl").stdout
    read = program(folder, "import-failures", "failures.jsonl", "--dry-run")
    assert read.returncode == 0, read.stderr
    assert "bad 1 of 1" in read.stdout, "the wrong answer is corrected, and not only the right one trained"
    told = program(folder, "corrections", "train", "chat.yaml", "--dry-run")
    assert told.returncode == 0, told.stderr
    assert "1 approved correction, at most 6 training rows" in told.stdout and "demonstrations" in told.stdout


def test_before_there_is_a_version(folder: Path) -> None:
    assert corrections(folder, "versions").stdout.strip() == "active: the base model"
    for words in (("rollback",), ("activate", "1"), ("verify",)):
        assert corrections(folder, *words).returncode == 2


def test_a_batch_of_approved_corrections_is_a_job_of_a_worker(folder: Path) -> None:
    """By the shipped command; a correction that is withdrawn before its turn is not trained."""
    corrections(folder, "add", "--question", "Who?", "--wrong", "Otto Meier", "--right", "Ida Brandt")
    corrections(folder, "approve", "1")
    shipped = yaml.safe_load((bundled() / "configs/worker.yaml").read_text("utf-8"))
    made = {**shipped, "worker": {"root": "w"}, "corrections": {**shipped["corrections"], "config": "chat.yaml"}}
    (folder / "worker.yaml").write_text(yaml.safe_dump(made))
    queued = corrections(folder, "queue", "--worker-config", "worker.yaml")
    assert "1 correction; `worker run` trains on them" in queued.stdout, queued.stderr
    (entry,) = (folder / "w/queue/normal").iterdir()
    config = load_worker(folder / "worker.yaml")
    assert check(entry, config.project, chats=True).format == "corrections"
    corrections(folder, "withdraw", "1")
    corrections(folder, "add", "--question", "Where?", "--wrong", "Rome", "--right", "Ulm")
    corrections(folder, "approve", "2")
    named = {"python": sys.executable, "chat_config": "chat.yaml", "data": str(entry), "out": str(folder / "round")}
    words = command(config.corrections.command, named)
    assert words[1:5] == ["-m", "augment_correction", "corrections", "train"], "as the workspace starts it"
    ended = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and "the correction of 'Who?' is not approved as it stands there" in ended.stderr
