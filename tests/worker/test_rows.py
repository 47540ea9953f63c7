"""Rows of self-distillation, as a worker takes them in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from augment_correction.errors import InputError
from augment_correction.project import Project
from augment_correction.worker.rows import check

SHOWN = {"question": "Who opened it?", "context": "Ida Brandt opened it."}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_demonstrations_need_no_answer(tmp_path: Path) -> None:
    chat = {"messages": [{"role": "user", "content": "And when?"}], "follow_up": "It was 1956."}
    found = check(write(tmp_path / "rows.jsonl", SHOWN, chat), Project(tmp_path))
    assert (found.format, found.rows) == ("demonstrations", 2)


def test_with_answers_they_are_questions_with_references_too(tmp_path: Path) -> None:
    rows = [{**SHOWN, "answer": "Ida Brandt"}]
    assert check(write(tmp_path / "rows.jsonl", *rows), Project(tmp_path)).format == "references"


def test_one_row_without_a_context_is_named_as_before(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", SHOWN, {"question": "And when?"})
    with pytest.raises(InputError, match="2 of 2 rows cannot be used"):
        check(path, Project(tmp_path))


@pytest.mark.parametrize(
    ("row", "format_"),
    [
        ({"question": "Who?", "answer": "Otto", "reference": "Ida", "verdict": "wrong"}, "corrections"),
        ({"question": "Who?", "bad_output": "Otto", "corrected_output": "Ida"}, "failures"),
        ({"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ida"}]}, "messages"),
        ({"segments": [{"label": True, "text": "Ida"}]}, "segments"),
    ],
)
def test_only_failures_as_the_store_writes_them_are_corrections(
    tmp_path: Path, row: dict[str, Any], format_: str
) -> None:
    path = write(tmp_path / "rows.jsonl", {**row, "origin": "user"})
    assert check(path, Project(tmp_path), chats=True).format == format_
