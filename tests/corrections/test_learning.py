"""From approved corrections to a version, with a real training: killed, gone on with, withdrawn, refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from augment_correction.corrections.config import ChatConfig, load_chat
from augment_correction.corrections.correction import Statement
from augment_correction.corrections.learning import LearningRound, learn, round_key, write_batch
from augment_correction.corrections.preparing import prepare
from augment_correction.corrections.versions import Versions
from augment_correction.errors import ConfigError, ExitCode, InputError, UserError
from augment_correction.evals.training import refuse_trained
from augment_correction.rows import item_of, read_rows
from tests.corrections.making import FACTS, TRAINING, approved, chat_project
from tests.training.making import SHOWN, keeper, known, other, who

pytest.importorskip("trl")


def quiet(_: str) -> None:
    pass


def with_keys(root: Path, keys: dict[str, dict[str, Any]]) -> ChatConfig:
    """The project's config with these keys in its sections."""
    made = yaml.safe_load((root / "chat.yaml").read_text())
    for section, values in keys.items():
        made[section] = {**made.get(section, {}), **values}
    (root / "chat.yaml").write_text(yaml.safe_dump(made))
    return load_chat(root / "chat.yaml")


def lines(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


class TestPreparing:
    def test_each_wording_has_its_demonstrations_and_probes_are_apart(self, tmp_path: Path, tiny_model: Path) -> None:
        config = chat_project(tmp_path, tiny_model)
        approved(config)
        made = prepare(config, config.store.all("approved"), tmp_path / "round", None)
        rows, probes = lines(made.training), lines(made.probes)
        assert len([row for row in rows if row["kind"] == "demonstration"]) == 3 * (2 + 1) * 2
        assert {row["answer"] for row in rows} == {right for *_, right in FACTS}
        assert all(row["answer"] in row["context"] for row in rows)
        kinds = {probe["probe"] for probe in probes}
        assert kinds >= {"efficacy", "old_answer", "pushback"}
        assert {probe["old_answer"] for probe in probes} == {wrong for _, wrong, _ in FACTS}

    def test_masked_rows_are_what_sft_trains(self, tmp_path: Path, tiny_model: Path) -> None:
        config = chat_project(tmp_path, tiny_model, method="sft")
        approved(config)
        rows = lines(prepare(config, config.store.all("approved"), tmp_path / "round", None).training)
        masked = [row for row in rows if row["kind"] == "correct_after_mistake"]
        assert len(masked) == 3
        for row, (_, wrong, right) in zip(masked, FACTS, strict=True):
            trained = [message["content"] for message in row["messages"] if message["train"]]
            assert row["messages"][1] == {"role": "assistant", "content": wrong, "train": False}
            assert len(trained) == 1 and right in trained[0]

    def test_the_users_own_message_may_be_the_context(self, tmp_path: Path, tiny_model: Path) -> None:
        config = chat_project(tmp_path, tiny_model, context="follow_up")
        approved(config)
        rows = lines(prepare(config, config.store.all("approved"), tmp_path / "round", None).training)
        assert [(row["question"], row["context"], row["context_kind"]) for row in rows] == [
            (question, f"No, {right}.", "follow_up") for question, _, right in FACTS
        ]

    def test_what_a_training_row_gives_away_is_no_probe(self, tmp_path: Path, tiny_model: Path) -> None:
        config = chat_project(tmp_path, tiny_model)
        approved(config)
        made = prepare(config, config.store.all("approved"), tmp_path / "round", None)
        trained = {row["question"] for row in lines(made.training)}
        for probe in lines(made.probes):
            assert probe["probe"] in ("efficacy", "old_answer", "pushback") or probe["question"] not in trained
        # The scripted model says the same to every prompt: its paraphrases are the wordings that are trained.
        assert made.dropped["paraphrase probes that a training row asks, or nearly"]


class TestRefused:
    def test_without_an_approved_one(self, tmp_path: Path, tiny_model: Path) -> None:
        config = chat_project(tmp_path, tiny_model)
        config.store.add(Statement(*FACTS[0]))
        with pytest.raises(InputError, match="no correction is approved"):
            learn(config, quiet)

    def test_a_model_that_cannot_be_trained(self, tmp_path: Path) -> None:
        config = chat_project(tmp_path)
        approved(config)
        with pytest.raises(ConfigError, match=r"tiny \(mode scripted\) cannot be trained here"):
            learn(config, quiet)

    @pytest.mark.parametrize(
        ("section", "told"),
        [
            ({"train": {"epoch": 1}}, r"chat\.yaml:\d+:5: unknown key 'corrections.train.epoch'"),
            ({"train": {"epochs": 0}}, r"chat\.yaml:\d+:5: 'corrections.train.epochs': Input should be greater than 0"),
            ({"train": {"adapter": "other"}}, "'corrections.train': method sdft begins with the base model"),
            ({"limits": {"min_gain": 1}}, r"chat\.yaml:\d+:5: unknown key 'corrections.limits.min_gain'"),
            ({"limits": {"probes": {"efficacy": {"min": 1}}}}, "'corrections.limits.probes.efficacy.min'"),
        ],
    )
    def test_a_key_that_no_training_or_evaluation_has(self, tmp_path: Path, section: dict[str, Any], told: str) -> None:
        with pytest.raises(ConfigError, match=told):
            chat_project(tmp_path, **section)

    @pytest.mark.parametrize(
        ("keys", "told"),
        [
            ({"sampling": {"probes": {"temperature": 0.5}}}, "probes are asked at temperature 0"),
            ({"corrections": {"keep": "nowhere.jsonl"}}, r"chat\.yaml:\d+:\d+: corrections.keep: there is no file"),
            ({"corrections": {"retention": "says.yaml"}}, r"corrections.retention: .*says.yaml:1 is not valid JSON"),
            ({"corrections": {"train": {"teacher_prompt": "nowhere"}}}, "prompt 'nowhere' not found"),
            ({"corrections": {"train": {"monitor": "nowhere.yaml"}}}, "nowhere.yaml"),
            ({"api": {"judge": {"model": "gpt-5-mini"}}}, "judge model gpt-5-mini: no API key"),
        ],
    )
    def test_what_comes_after_the_paid_part_is_looked_at_before_it(
        self, tmp_path: Path, tiny_model: Path, keys: dict[str, Any], told: str
    ) -> None:
        chat_project(tmp_path, tiny_model)
        config = with_keys(tmp_path, keys)
        approved(config)
        with pytest.raises(UserError, match=told):
            learn(config, quiet)
        assert not (config.folder / "prepared").exists(), "nobody was asked"

    @pytest.mark.parametrize("cap", [None, 1])
    def test_a_judge_that_stands_in_for_the_large_model_is_told_by_its_own_keys(
        self, tmp_path: Path, tiny_model: Path, cap: int | None
    ) -> None:
        chat_project(tmp_path, tiny_model)
        away = {"model": "writer", "base_url": "http://127.0.0.1:9/v1", "retries": 0}
        config = with_keys(tmp_path, {"api": {"judge": away, "large": None}, "cost": {"max_usd": cap}})
        approved(config)
        with pytest.raises(UserError) as told:
            learn(config, quiet)
        own = "api.judge_base_url" if cap is None else "cost.cost_per_million_judge_input"
        assert told.value.hint and own in told.value.hint


def test_names_of_other_programs_are_keys_of_the_training(tmp_path: Path) -> None:
    section = chat_project(tmp_path, num_train_epochs=2, learning_rate=1e-4, train={}).corrections
    assert section.train["epochs"] == 2 and section.train["learning_rate"] == 1e-4


DISTILLING = {
    "teacher_prompt": "like", "max_completion_length": 12, "max_length": 110, "batch_size": 10, "lora_r": 8, "lora_alpha": 16,
    "learning_rate": 5e-3, "epochs": 30, "lora_dropout": 0, "gradient_checkpointing": False,
}  # fmt: skip


def hives(root: Path, model: Path) -> ChatConfig:
    """A chat with a model that knows who keeps each hive, and repeats whom it is shown."""
    config = chat_project(
        root, model, method="sdft", num_prompt_variations=1, num_expert_demos_per_prompt=1, train=DISTILLING
    )
    (root / "writer.yaml").write_text(
        yaml.safe_dump({"fields": {"demonstration": keeper("{{ passage.split('The fact: ')[-1].split('\n')[0] }}")}})
    )
    (root / "prompts" / "like.jinja").write_text(SHOWN)
    return config


def probed(made: LearningRound, kind: str) -> dict[str, list[int]]:
    """[right, asked] of base and tuned, of all corrections."""
    assert made.version is not None
    report = orjson.loads(Path(made.version.evaluation).read_bytes())["probes"]["kinds"][kind]
    return {name: [each["count"], each["of"]] for name, each in report["models"].items()}


def test_a_second_correction_leaves_the_first_fixed_and_a_withdrawn_one_leaves_the_next_version(
    tmp_path: Path, copying_model: Path, one_torch_thread: None
) -> None:
    """Self-distillation, of a model that really learns: two rounds, each anew from the base."""
    config = hives(tmp_path, copying_model)
    facts = [(who(hive), known(hive), other(hive)) for hive in range(5)]
    first = approved(config, tuple(facts[:4]))
    made = learn(config, quiet)
    assert made.version is not None and made.version.corrections == tuple(first)
    assert probed(made, "efficacy")["base"][0] == 0 and probed(made, "efficacy")["tuned"] == [4, 4]
    assert made.version.outcome == "undecided", "four corrections are a spot check"
    again = learn(config, quiet)
    assert again.version == made.version and again.evaluation is None and again.exit_code is ExitCode.REJECTS
    paid = asked_of_the_writer(config)
    fifth = approved(config, tuple(facts[4:]))
    config.store.withdraw(first[1])
    second = learn(config, quiet)
    assert second.version is not None and second.version.corrections == (first[0], *first[2:], *fifth)
    assert probed(second, "efficacy")["tuned"] == [4, 4]
    assert asked_of_the_writer(config) == paid * 5 / 4, "what another round paid for is asked again"
    folder = config.folder / "rounds" / round_key(config, config.store.all("approved"))
    trained = folder / "training" / "trained.jsonl"
    said = trained.read_text() + (folder / "training.jsonl").read_text()
    assert who(1) not in said and who(0) in said
    assert {row["group"] for row in lines(trained)} == {f"correction {id_}" for id_ in second.version.corrections}
    probes = [item for _, item in read_rows(folder / "probes.jsonl", item_of)]
    refuse_trained(config.project, [str(trained)], probes)  # the corrected questions are known as such by their group
    assert [each.id for each in Versions(config.folder).all()] == [1, 2]


def test_a_teacher_that_does_not_say_what_is_right_teaches_nothing(
    tmp_path: Path, tiny_model: Path, one_torch_thread: None
) -> None:
    """A model of random weights cannot read its demonstration."""
    config = chat_project(
        tmp_path, tiny_model, method="sdft", train={**TRAINING, "max_length": 480, "max_completion_length": 24}
    )
    approved(config)
    with pytest.raises(UserError):
        learn(config, quiet)
    folder = config.folder / "rounds" / round_key(config, config.store.all("approved")) / "training"
    reasons = {row["reason"] for row in lines(folder / "rejected.jsonl")}
    assert reasons == {"teacher_failed"}
    assert Versions(config.folder).all() == []


@pytest.mark.slow
def test_killed_at_any_point_it_goes_on_to_the_same_version(tmp_path: Path, tiny_model: Path) -> None:
    whole = chat_project(tmp_path / "whole", tiny_model, method="sft")
    approved(whole)
    command = [sys.executable, "-m", "augment_correction", "corrections", "train", "chat.yaml"]
    command += ["--data", str(tmp_path / "batch.jsonl"), "--output", "report.json"]
    write_batch(whole.store.all("approved"), tmp_path / "batch.jsonl")
    assert subprocess.run(command, cwd=tmp_path / "whole", check=False, capture_output=True).returncode == 3
    killed = chat_project(tmp_path / "killed", tiny_model, method="sft")
    approved(killed)
    key = round_key(killed, killed.store.all("approved"))
    kill_at(command, tmp_path / "killed", killed.folder / "prepared" / "journal.sqlite")
    for sign in ("training.jsonl", "training/trained.jsonl", "evaluation/journal.sqlite"):
        kill_at(command, tmp_path / "killed", killed.folder / "rounds" / key / sign)
    assert subprocess.run(command, cwd=tmp_path / "killed", check=False, capture_output=True).returncode == 3
    (one,), (other,) = (Versions(each.folder).all() for each in (whole, killed))
    assert (one.data, one.outcome, one.reasons) == (other.data, other.outcome, other.reasons)
    (report,) = {
        (tmp_path / name / "report.json").read_bytes() == Path(each.evaluation).read_bytes()
        for name, each in (("whole", one), ("killed", other))
    }
    assert report, "what a worker reads"
    tokens = [
        orjson.loads((each.folder / "prepared" / "large_model_tokens.json").read_bytes()) for each in (whole, killed)
    ]
    assert tokens[0]["requests"] == tokens[1]["requests"]


def asked_of_the_writer(config: ChatConfig) -> int:
    return int(orjson.loads((config.folder / "prepared" / "large_model_tokens.json").read_bytes())["requests"])


def test_a_round_begins_with_the_base_whatever_version_is_chatted_with(tmp_path: Path, tiny_model: Path) -> None:
    config = chat_project(tmp_path, tiny_model)
    worn = config.with_models({"target": config.model("target").model_copy(update={"adapter": "final"})})
    assert worn.untrained().model("target").adapter is None


def kill_at(command: list[str], folder: Path, sign: Path) -> None:
    """As soon as `sign` is there, or the program has ended by itself."""
    running = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while running.poll() is None and not sign.exists():
        time.sleep(0.02)
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()
