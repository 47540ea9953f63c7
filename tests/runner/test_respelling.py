"""`run` proves its rows against the tokenizer; `verify` and `export` make again what needs no model."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import orjson
import pytest

from augment_correction.errors import ExitCode, InputError
from augment_correction.runner.reading import open_run
from augment_correction.runner.respelling import export_run, find_row, verify_run
from tests.export.models import INST, MISTRAL, QWEN, save
from tests.projects import MadeProject

TOKENIZER: dict[str, Any] = {"system": {"tokenizer": "model", "prompt_template": "tokenizer"}}


@pytest.fixture
def made(project: MadeProject) -> MadeProject:
    save(QWEN, project.root / "model")
    project.facts(range(3))
    return project


def test_a_run_proves_its_rows(made: MadeProject) -> None:
    result = made.run(**TOKENIZER)
    assert result.exit_code == ExitCode.DONE
    assert result.verification is not None and result.verification.rows == result.kept == 3
    assert orjson.loads((made.output / "run.json").read_bytes())["verified"]["failing"] == {}


def test_without_a_tokenizer_the_summary_says_so(made: MadeProject) -> None:
    result = made.run()
    assert result.exit_code == ExitCode.DONE and result.verification is None
    assert any("not checked against a tokenizer" in notice for notice in result.notices)


def test_a_tokenizer_that_cannot_be_read_costs_no_row(made: MadeProject) -> None:
    (made.root / "model" / "tokenizer.json").rename(made.root / "model" / "tokenizer.model")
    result = made.run(**TOKENIZER)
    assert result.exit_code == ExitCode.DONE and result.kept == 3
    assert any("only tokenizer.model" in notice and "save_pretrained" in notice for notice in result.notices)


def test_a_wrong_row_is_exit_3(made: MadeProject) -> None:
    bare = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    result = made.run(system={"tokenizer": "model", "prompt_template": bare})
    assert result.exit_code == ExitCode.REJECTS
    assert result.verification is not None and set(result.verification.failing) == {"turn_end"}


def test_long_rows_are_listed_and_no_failure(made: MadeProject) -> None:
    result = made.run(**TOKENIZER, training={"sequence_len": 64})
    assert result.exit_code == ExitCode.DONE
    assert result.verification is not None and result.verification.too_long == 3


def test_rows_that_sentencepiece_cannot_take_in_segments(project: MadeProject) -> None:
    save(MISTRAL, project.root / "model")
    project.facts(range(3))
    template = INST.replace("' ' + message['content']", "'\n' + message['content']")
    result = project.run(system={"tokenizer": "model", "prompt_template": template})
    assert result.verification is not None and set(result.verification.failing) == {"seam"}
    assert result.exit_code == ExitCode.DONE
    assert "type: chat_template" in (project.output / "axolotl_lora.yaml").read_text()
    assert (project.output / "exports" / "axolotl_chat" / "conversations.jsonl").is_file()
    assert any("trains on exports/axolotl_chat" in notice for notice in result.notices)


def test_verify_and_show_a_finished_run(made: MadeProject) -> None:
    made.run(**TOKENIZER)
    with open_run(made.output) as run:
        assert not verify_run(run, str(made.root / "model")).wrong
        wanted = made.dataset()[1]["id"]
        row, _ = find_row(run, str(made.root / "model"), wanted[:8])
        assert row.number == 2 and row.conversation.id == wanted
        with pytest.raises(InputError, match="begins with 'zz'"):
            find_row(run, str(made.root / "model"), "zz")


def test_verify_needs_a_tokenizer(made: MadeProject) -> None:
    made.run()
    with open_run(made.output) as run, pytest.raises(InputError) as raised:
        verify_run(run, None)
    assert "--tokenizer PATH_OR_ID" in str(raised.value.hint)


def test_exports_of_a_run_and_the_same_by_command(made: MadeProject) -> None:
    made.run(**TOKENIZER, output={"formats": ["openai", "trl", "hf"], "licence": "cc-by-4.0"})
    first = {name: data for name, data in made.files().items() if name.startswith("exports")}
    assert len(first) == 4
    with open_run(made.output) as run:
        list(export_run(run, ["openai", "trl", "hf"], str(made.root / "model")))
    assert {name: data for name, data in made.files().items() if name.startswith("exports")} == first
    assert b"license: cc-by-4.0" in first["exports/hf/README.md"]


def test_the_dataset_exported_again_is_the_same(made: MadeProject) -> None:
    made.run(**TOKENIZER)
    before = made.files()
    with open_run(made.output) as run:
        list(export_run(run, ["axolotl"], str(made.root / "model")))
    assert made.files() == before


def spoil(database: Path, sql: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(sql)


def test_an_interrupted_run_exports_nothing_unasked(made: MadeProject) -> None:
    made.run(**TOKENIZER)
    spoil(made.output / "journal.sqlite", "DELETE FROM outcomes WHERE chunk_id = (SELECT id FROM chunks LIMIT 1)")
    with open_run(made.output) as run, pytest.raises(InputError, match="interrupted") as raised:
        list(export_run(run, ["openai"], None))
    assert "nothing is asked twice" in str(raised.value.hint)


def test_a_run_without_an_end(made: MadeProject) -> None:
    made.run(**TOKENIZER)
    (made.output / "run.json").unlink()
    with open_run(made.output) as run, pytest.raises(InputError, match=r"has no run\.json"):
        list(export_run(run, ["openai"], None))


def test_a_run_of_an_older_version(made: MadeProject) -> None:
    made.run(**TOKENIZER)
    manifest = orjson.loads((made.output / "run.json").read_bytes())
    del manifest["prompt_template"]["source"]
    (made.output / "run.json").write_bytes(orjson.dumps(manifest))
    with open_run(made.output) as run, pytest.raises(InputError, match="older version"):
        verify_run(run, None)
