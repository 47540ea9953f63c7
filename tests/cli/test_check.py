"""`check` on the configs of the other commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import program
from tests.evals.world import row


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


EVALUATION = """
gate: ./gate.jsonl
models: {base: {model: a, mode: scripted}, tuned: {model: b, mode: scripted}}
path: {output_dir: ./out}
"""
TRAINING = "model: ./nowhere\ndata: [./failures.jsonl]\n"
WORKER = """
worker: {root: ./worker}
train: {config: ./train.yaml, command: "no-such-program {data} {out} {train_config}"}
gate: {config: ./evaluate.yaml, command: "{python} -m augment_correction evaluate {evaluate_config}"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "gate.jsonl", "".join(json.dumps(row(number)) + "\n" for number in range(3)))
    write(tmp_path / "evaluate.yaml", EVALUATION)
    write(tmp_path / "train.yaml", TRAINING)
    write(tmp_path / "worker.yaml", WORKER)
    return tmp_path


class TestEvaluation:
    def test_a_sound_one_with_few_questions(self, folder: Path) -> None:
        made = program("check", "evaluate.yaml", cwd=folder)
        assert made.code == 0, made.out + made.err
        assert "ok     held-out set: 3 questions, doubted in" in made.out
        assert "note: the held-out set holds 3 questions: `evaluate` needs about 100" in made.out
        assert "ok     tuned model b (scripted)" in made.out
        assert not (folder / "out").exists()

    def test_its_mistakes(self, folder: Path) -> None:
        made = program(
            "check", "evaluate.yaml", "--set", "gate=gone.jsonl", "--set", "models.tuned={model: c}", cwd=folder
        )
        assert made.code == 2
        assert "FAILED there are no questions at" in made.out
        assert "FAILED --set models.tuned: tuned model c: no API key for api.openai.com" in made.out

    def test_questions_that_were_trained(self, folder: Path) -> None:
        made = program("check", "evaluate.yaml", "--set", "training=gate.jsonl", cwd=folder)
        assert made.code == 2 and "FAILED " in made.out and "gate.jsonl" in made.out


class TestTraining:
    def test_a_model_that_is_not_here_hides_no_data_that_are_not(self, folder: Path) -> None:
        made = program("check", "train.yaml", cwd=folder)
        assert made.code == 2
        assert "FAILED no model at" in made.out and "failures.jsonl" in made.out

    def test_a_wrong_value_of_an_option(self, folder: Path) -> None:
        made = program("check", "train.yaml", "--set", "patience=0", cwd=folder)
        assert made.code == 2 and "FAILED --set patience: 'patience'" in made.out


class TestWorker:
    def test_with_the_configs_that_it_names(self, folder: Path) -> None:
        made = program("check", "worker.yaml", cwd=folder)
        assert made.code == 2
        assert "FAILED train.command: there is no program 'no-such-program'" in made.out
        assert f"ok     config {folder / 'train.yaml'}" in made.out
        assert "ok     held-out set: 3 questions" in made.out
        assert "1 of " in made.out and "no model" not in made.out, "its rounds bring data and adapters of their own"

    def test_a_mistake_in_one_of_them(self, folder: Path) -> None:
        write(folder / "evaluate.yaml", EVALUATION.replace("gate:", "gat:"))
        made = program("check", "worker.yaml", cwd=folder)
        assert made.code == 2 and "unknown key 'gat'" in made.out


def test_a_monitors_config(tmp_path: Path) -> None:
    write(tmp_path / "monitor.yaml", "split: 0.1\nself_correction: {enabled: 3}\n")
    made = program("check", "monitor.yaml", cwd=tmp_path)
    assert made.code == 2 and "FAILED " in made.out and "monitor.yaml:" in made.out


def test_a_chats_config_and_a_workers_with_one(folder: Path) -> None:
    write(folder / "chat.yaml", "pipeline: chat_correction\napi: {}\npath: {output_dir: out}\ncorrections: {}\n")
    write(folder / "worker.yaml", WORKER + "corrections: {config: ./chat.yaml}\n")
    for config in ("chat.yaml", "worker.yaml"):
        made = program("check", config, cwd=folder)
        assert made.code == 2 and "a chat needs a model to chat with" in made.out, config


def test_a_script_reads_what_is_wrong_as_json(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("path: {input_dir: nowhere}\nmodle: x\n")
    made = program("check", "config.yaml", "--json", cwd=tmp_path)
    told = json.loads(made.out)
    assert made.code == 2 and told["failed"] == sum(not each["ok"] for each in told["findings"]) > 0
    assert {each["name"] for each in json.loads(program("codes", "--json").out)} >= {"TRUNCATED"}
