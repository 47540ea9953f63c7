"""`run` proves its rows against the tokenizer; `verify` and `export` make again what needs no model."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import orjson
import pytest

from augment_correction.errors import ExitCode, InputError
from augment_correction.export import Verification
from augment_correction.export.exporting import NOT_CUT
from augment_correction.results.finished import open_run
from augment_correction.results.reexport import export_run, find_row, verify_run
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


def test_a_dataset_that_was_cut_for_a_tokenizer_is_not_written_without_it(made: MadeProject) -> None:
    made.run(**TOKENIZER, output={"formats": ["openai"]})
    shutil.rmtree(made.root / "model")
    before = made.files()
    with open_run(made.output) as run:
        for names in (["axolotl"], ["openai", "axolotl"]):
            with pytest.raises(InputError, match="no tokenizer at") as raised:
                list(export_run(run, names, None))
            assert "--tokenizer PATH_OR_ID" in str(raised.value.hint)
        assert made.files() == before
        assert [each.name for each in export_run(run, ["openai"], None)] == ["openai"]


def test_a_dataset_that_was_never_cut_is_written_as_the_run_wrote_it(made: MadeProject) -> None:
    made.run()
    before = made.files()
    with open_run(made.output) as run:
        assert [each.notices for each in export_run(run, ["axolotl"], None)] == [(NOT_CUT,)]
    assert made.files() == before


def spoil(database: Path, sql: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(sql)


def test_an_interrupted_run_exports_nothing_unasked(made: MadeProject) -> None:
    made.run(**TOKENIZER)
    spoil(made.output / "journal.sqlite", "DELETE FROM outcomes WHERE chunk_id = (SELECT id FROM chunks LIMIT 1)")
    with open_run(made.output) as run, pytest.raises(InputError, match="interrupted") as raised:
        list(export_run(run, ["openai"], None))
    assert "finished calls are not repeated" in str(raised.value.hint)


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


class TestWhatIsTrained:
    """Where no cut is seamless the Axolotl configs train on the chat file, and that is what must be right."""

    @pytest.fixture
    def whole(self, project: MadeProject) -> MadeProject:
        save(MISTRAL, project.root / "model")
        project.facts(range(3))
        template = INST.replace("' ' + message['content']", "'\n' + message['content']")
        project.run(system={"tokenizer": "model", "prompt_template": template})
        return project

    def proof(self, made: MadeProject) -> Verification:
        with open_run(made.output) as run:
            return verify_run(run, str(made.root / "model"))

    def chat(self, made: MadeProject) -> Path:
        return made.output / "exports" / "axolotl_chat" / "conversations.jsonl"

    def test_it_is_right_as_the_run_wrote_it(self, whole: MadeProject) -> None:
        proof = self.proof(whole)
        assert proof.whole and not proof.wrong and set(proof.failing) == {"seam"}
        names = [each.path.name for each in proof.files]
        assert names == ["axolotl_lora.yaml", "axolotl_lora_multi_gpu.yaml", "conversations.jsonl"]

    def test_every_mistake_trained(self, whole: MadeProject) -> None:
        path = self.chat(whole)
        path.write_bytes(path.read_bytes().replace(b'"train":false', b'"train":true'))
        proof = self.proof(whole)
        assert proof.wrong and proof.files[-1].failing == {"mask": 3}

    def test_the_chat_file_deleted(self, whole: MadeProject) -> None:
        self.chat(whole).unlink()
        assert self.proof(whole).files[-1].failing == {"missing": 1}
        shutil.rmtree(whole.output / "exports")
        proof = self.proof(whole)
        assert proof.wrong and proof.files[-1].failing == {"missing": 1}

    @pytest.mark.parametrize(
        ("old", "new", "place"),
        [
            ("train_on_inputs: false", "train_on_inputs: true", "train_on_inputs is true"),
            ("message_field_training: train", "message_field_training: trained", "message_field_training"),
            ("roles_to_train: []", "roles_to_train: [assistant]", "roles_to_train[0]"),
            ("train_on_eos: turn", "train_on_eos: all", "train_on_eos"),
            ("eot_tokens:\n- </s>\n", "", "eot_tokens"),
            ("exports/axolotl_chat/conversations", "exports/hf/data/train", "datasets[0]"),
        ],
    )
    def test_a_config_that_trains_something_else(self, whole: MadeProject, old: str, new: str, place: str) -> None:
        path = whole.output / "axolotl_lora.yaml"
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new))
        proof = self.proof(whole)
        assert proof.wrong and set(proof.files[0].failing) == {"config"} and not proof.files[1].failing
        assert any(place in fault.detail for fault in proof.files[0].faults), proof.files[0].faults

    def test_a_config_that_is_no_yaml(self, whole: MadeProject) -> None:
        (whole.output / "axolotl_lora.yaml").write_text("datasets: [")
        assert self.proof(whole).files[0].failing == {"form": 1}

    def test_a_config_that_trains_on_segments_with_seams(self, whole: MadeProject, made: MadeProject) -> None:
        for path in whole.output.glob("axolotl_lora*.yaml"):
            path.write_text(path.read_text().replace("exports/axolotl_chat/conversations.jsonl", "x.json"))
        proof = self.proof(whole)
        assert not proof.whole and proof.harmful("seam")

    def test_every_export_that_is_there(self, made: MadeProject) -> None:
        made.run(**TOKENIZER, output={"formats": ["openai", "trl", "hf"]})
        proof = self.proof(made)
        assert not proof.wrong and [each.rows for each in proof.files] == [0, 0, 3, 3, 3]
        path = made.output / "exports" / "openai" / "conversations.jsonl"
        path.write_bytes(path.read_bytes().replace(b'"weight":0', b'"weight":1'))
        proof = self.proof(made)
        assert proof.wrong and not proof.whole and [each.path for each in proof.files if each.failing] == [path]
