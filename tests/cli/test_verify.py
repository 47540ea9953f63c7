"""`verify` and `export` as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import program
from tests.export.models import QWEN, save
from tests.projects import MadeProject


@pytest.fixture
def made(project: MadeProject) -> MadeProject:
    save(QWEN, project.root / "model")
    project.facts(range(2))
    project.run(system={"tokenizer": "model", "prompt_template": "tokenizer"})
    return project


def test_verify_says_what_it_proved(made: MadeProject) -> None:
    done = program("verify", "out", "--tokenizer", "model", cwd=made.root)
    assert done.code == 0, done.err
    assert "2 rows with the tokenizer of model" in done.out and "every row is right" in done.out


def test_verify_shows_the_tokens_of_a_row(made: MadeProject) -> None:
    row = made.dataset()[0]
    done = program("verify", "out", "--tokenizer", "model", "--id", row["id"][:6], cwd=made.root, FORCE_COLOR="1")
    assert done.code == 0, done.err
    assert "\x1b[30;42m" in done.out and "\x1b[37;41m" in done.out, "trained on green, masked on red"


def test_a_wrong_row_is_exit_3_with_row_place_and_remedy(made: MadeProject) -> None:
    file = made.output / "axolotl_correction_conversations.json"
    file.write_text(file.read_text().replace('"label":false', '"label":true', 1))
    done = program("verify", "out", "--tokenizer", "model", cwd=made.root)
    assert done.code == 3
    assert "WRONG (mask): 1 of 2 rows" in done.out and "row 1 (" in done.out and "remedy:" in done.out


def test_a_wrong_export_is_exit_3_with_file_row_and_place(made: MadeProject) -> None:
    assert program("export", "out", "--format", "openai", cwd=made.root).code == 0
    done = program("verify", "out", "--tokenizer", "model", cwd=made.root)
    assert done.code == 0 and "openai/conversations.jsonl: 2 rows agree with the run" in done.out
    file = made.output / "exports" / "openai" / "conversations.jsonl"
    file.write_text(file.read_text().replace('"weight":0', '"weight":1', 1))
    done = program("verify", "out", "--tokenizer", "model", cwd=made.root)
    assert done.code == 3
    assert "WRONG (mask): 1 of 2 rows" in done.out and "messages[1].weight is 1, and the run's is 0" in done.out
    assert "remedy: write it again: python -m augment_correction export OUTPUT_DIR --format openai" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("verify", "nowhere"), "is not the output folder of a run"),
        (("verify", "out", "--tokenizer", "nowhere"), "no tokenizer at"),
        (("export", "nowhere", "--format", "hf"), "is not the output folder of a run"),
    ],
)
def test_unusable_input_is_exit_2_and_one_line(made: MadeProject, arguments: tuple[str, ...], message: str) -> None:
    done = program(*arguments, cwd=made.root)
    assert done.code == 2
    assert done.err.startswith("error: ") and message in done.err and "Traceback" not in done.err


def test_export_writes_and_names_each_spelling(made: MadeProject) -> None:
    done = program("export", "out", "--format", "openai", "--format", "sharegpt", cwd=made.root)
    assert done.code == 0, done.err
    assert "openai" in done.out and "note: many readers of ShareGPT files ignore" in done.out
    rows = Path(made.output / "exports" / "openai" / "conversations.jsonl").read_text().splitlines()
    assert [message.get("weight") for message in json.loads(rows[0])["messages"]] == [None, 0, None, 1]
