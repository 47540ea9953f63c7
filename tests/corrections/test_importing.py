"""Corrections in logged chats: each message is looked at once, and what is found waits for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from augment_correction.corrections.importing import import_corrections, look_cost, read_remarks
from augment_correction.errors import InputError
from augment_correction.models import ModelConfig
from tests.corrections.making import chat_project

CORRECTED = [
    {"role": "user", "content": "Who opened the museum?"},
    {"role": "assistant", "content": "Otto Meier opened it."},
    {"role": "user", "content": "No, Ida Brandt."},
    {"role": "assistant", "content": "I see."},
    {"role": "user", "content": "Thank you."},
]
SHARED = [{"from": {"user": "human", "assistant": "gpt"}[each["role"]], "value": each["content"]} for each in CORRECTED]


def written(path: Path, *rows: Any) -> Path:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def quiet(_: str) -> None:
    pass


def test_every_message_after_an_answer_is_looked_at_once(tmp_path: Path) -> None:
    chats = written(tmp_path / "chats.jsonl", {"messages": CORRECTED}, {"conversations": SHARED}, {"text": "no chat"})
    remarks, problems = read_remarks([chats])
    assert [each.text for each in remarks] == ["No, Ida Brandt.", "Thank you."]
    assert [each.place for each in remarks] == [f"{chats}:1 message 3", f"{chats}:1 message 5"]
    assert len(problems) == 1 and f"{chats}:3" in problems[0] and "is not a chat" in problems[0]


def test_what_is_found_is_a_candidate_and_is_found_once(tmp_path: Path) -> None:
    config = chat_project(tmp_path)
    remarks, _ = read_remarks([written(tmp_path / "chats.jsonl", {"messages": CORRECTED})])
    found = import_corrections(config, remarks, "ada", quiet)
    assert found.verdicts == {"correction": 1, "none": 1} and found.stopped is None
    (made,) = config.store.all()
    assert (made.state, made.author, made.statement.right) == ("candidate", "ada", "Ida Brandt.")
    assert [each["content"] for each in made.chat] == [each["content"] for each in CORRECTED[:2]]
    config.store.reject(made.id, "an opinion")
    import_corrections(config, remarks, "ada", quiet)
    assert [each.state for each in config.store.all()] == ["rejected"]


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    config = chat_project(tmp_path)
    remarks, _ = read_remarks([written(tmp_path / "chats.jsonl", {"messages": CORRECTED})])
    first = import_corrections(config, remarks, "ada", quiet).spent
    assert first["requests"] == 3  # two messages are looked at, and one correction is weighed
    assert import_corrections(config, remarks, "ada", quiet).spent["requests"] == 3


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_remarks([tmp_path / "nothing.jsonl"])


def test_what_looking_costs_is_told_before_anybody_is_asked(tmp_path: Path) -> None:
    config = chat_project(tmp_path)
    remarks, _ = read_remarks([written(tmp_path / "chats.jsonl", {"messages": CORRECTED})])
    assert look_cost(config, remarks).usd() == 0, "a scripted model runs on this machine"
    paid = config.with_models({"large": ModelConfig(model="gpt-5-mini", mode="api")})
    made = look_cost(paid, remarks)
    assert made.calls == 2 and made.input > 600 and made.further == 1
    about, most = made.usd(), made.usd(limit=True)
    assert about and most and about < most < 0.01
    assert look_cost(config.with_models({"large": ModelConfig(model="nobody", mode="api")}), remarks).usd() is None
    assert not (config.folder / "import").exists()
