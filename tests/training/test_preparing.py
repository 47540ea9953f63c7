from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from augment_correction.errors import ConfigError, InputError
from augment_correction.export.axolotl_chat import served_template
from augment_correction.export.masking import IGNORED
from augment_correction.failures import Failure
from augment_correction.monitor.making import make_rows
from augment_correction.store.json_files import write_lines
from augment_correction.training.config import load_train_config
from augment_correction.training.preparing import prepare
from augment_correction.training.report import prepared_lines
from augment_correction.training.workspace import Workspace, write_json
from tests.export.models import CHATML, QWEN, Family, save
from tests.projects import MadeProject
from tests.training.making import config, critiqued, failures, hard, unweighted


@pytest.fixture
def root(tmp_path: Path) -> Path:
    unweighted(tmp_path / "model")
    failures(tmp_path / "a.jsonl", critiqued(range(12)) + hard(range(8)))
    return tmp_path


def test_only_the_corrected_outputs_and_their_ends_are_trained(root: Path) -> None:
    made = prepare(config(root, data="a.jsonl", validation_split=0))
    row, spoken = made.train.rows[0], made.train.conversations[0]
    trained = [token for token, label in zip(row.ids, row.labels, strict=True) if label != IGNORED]
    assert trained == made.tokenizer.ids([spoken.turns[-1].text + "<|im_end|>\n"])[0]
    assert made.ending == 20 and made.end_token == "<|im_end|>"
    assert made.train.trained == sum(row.trained for row in made.train.rows) > 0 < made.train.masked


def test_a_run_brings_its_own_mask(root: Path, project: MadeProject) -> None:
    project.facts(range(6))
    project.run()
    made = prepare(config(root, data=[str(project.output), "a.jsonl"], validation_split=0))
    run, file = made.gathered.sources
    assert run.kept == 6 and file.kept == 20 and file.coverage and not run.coverage
    assert [turn.train for turn in made.train.conversations[0].turns] == [True, False, True, True]
    of_file = config(root, data=[str(project.output / "axolotl_correction_conversations.json")], validation_split=0)
    assert prepare(of_file).train.rows[0].ids == made.train.rows[0].ids


def test_long_rows_are_counted_and_never_cut(root: Path) -> None:
    rows = [*critiqued(range(3)), {"instruction": "Q", "reference_answer": "word " * 400}]
    failures(root / "a.jsonl", rows)
    made = prepare(config(root, data="a.jsonl", validation_split=0))
    assert (
        "1 of 4 rows (25.0%) were left out because they are longer than 256 tokens (rows are never cut)" in made.notices
    )
    [problem] = made.gathered.problems
    assert (problem.line, problem.reason) == (4, "too_long") and len(made.train.rows) == 3


def test_the_models_context_is_a_limit_too(root: Path) -> None:
    assert any(
        "max_length 4,096 is lowered" in note for note in prepare(config(root, data="a.jsonl", max_length=4096)).notices
    )


def test_what_the_gate_asks_is_not_trained(root: Path) -> None:
    item = {"id": "g", "group": "d", "question": "who keeps hive 3", "passage": "p"}
    (root / "gate.jsonl").write_text(json.dumps(item) + "\n")
    made = prepare(config(root, data="a.jsonl", gate="gate.jsonl"))
    assert made.gathered.sources[0].rejected["in_gate"] >= 1
    assert not [each for each in made.train.conversations if each.turns[0].text == "Who keeps hive 3?"]


def test_a_row_that_two_files_have_is_trained_once(root: Path) -> None:
    failures(root / "b.jsonl", hard([1, 20]))
    made = prepare(config(root, data=["a.jsonl", "b.jsonl"]))
    assert made.gathered.sources[1].rejected == {"duplicate": 1}


def test_retention_rows_are_measured_and_not_trained(root: Path) -> None:
    failures(root / "keep.jsonl", hard(range(30, 34)))
    made = prepare(config(root, data="a.jsonl", retention="keep.jsonl"))
    assert len(made.retention.rows) == 4 and len(made.train.rows) + len(made.held_out.rows) == 20
    failures(root / "keep.jsonl", hard([14, 40]))
    made = prepare(config(root, data="a.jsonl", retention="keep.jsonl"))
    assert made.gathered.sources[0].rejected == {} and len(made.retention.rows) == 2
    failures(root / "keep.jsonl", hard([2, 40]))
    made = prepare(config(root, data="a.jsonl", retention="keep.jsonl"))
    assert made.gathered.sources[0].rejected == {"in_retention": 1}
    failures(root / "keep.jsonl", [{"instruction": "Q"}])
    with pytest.raises(InputError, match=r"keep.jsonl:1:1: it has no reference"):
        prepare(config(root, data="a.jsonl", retention="keep.jsonl"))


def test_the_data_hash_is_of_what_is_trained(root: Path) -> None:
    one = prepare(config(root, data="a.jsonl"))
    assert prepare(config(root, data="a.jsonl", output_dir="else", patience=9)).decided == one.decided
    assert prepare(config(root, data="a.jsonl", batch_size=2, gradient_accumulation=4)).decided == one.decided
    assert prepare(config(root, data="a.jsonl", seed=1)).data_hash != one.data_hash, "another split"
    assert prepare(config(root, data="a.jsonl", learning_rate=1e-4)).decided != one.decided


class TestTemplate:
    def test_a_model_without_one_takes_the_runs(self, root: Path, project: MadeProject) -> None:
        project.facts(range(2))
        project.run()
        save(Family(**{**QWEN.__dict__, "template": ""}), root / "model")
        assert prepare(config(root, data=str(project.output), validation_split=0)).template.name == "chatml"
        with pytest.raises(ConfigError, match="none is in the data, and the base model has no chat template"):
            prepare(config(root, data="a.jsonl"))

    def test_one_without_an_end_of_turn_is_refused(self, root: Path) -> None:
        (root / "bare.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
        with pytest.raises(InputError, match="no row's last trained token ends a turn"):
            prepare(config(root, data="a.jsonl", chat_template="bare.jinja"))


@pytest.mark.parametrize(
    ("data", "told"),
    [("nowhere", "no training data at"), ("empty.jsonl", "empty.jsonl is empty")],
)
def test_data_that_cannot_be_used_is_the_users_mistake(root: Path, data: str, told: str) -> None:
    (root / "empty.jsonl").write_text("")
    with pytest.raises(InputError, match=told):
        prepare(config(root, data=data))


def test_a_file_of_prompts_and_responses_is_refused_with_the_remedy(root: Path) -> None:
    failures(root / "b.jsonl", [{"prompt": "What is 2 + 2?", "response": "5"}])
    with pytest.raises(InputError, match="no row is left to train on: 1 right_or_wrong") as refused:
        prepare(config(root, data="b.jsonl"))
    assert "b.jsonl:1:30: it has 'prompt' and 'response', which do not tell" in str(refused.value.hint)
    assert "--hard-failures-data" in str(refused.value.hint)


def test_rows_of_the_monitor_are_trained_by_their_flags(root: Path) -> None:
    asked = [Failure(f"Who keeps hive {n}?", "Carl does.", "Nobody.", "wrong") for n in range(4)]
    write_lines(root / "b.jsonl", make_rows(asked, root / "batch", stand_by_share=0, seed=1))
    made = prepare(config(root, data="b.jsonl", validation_split=0))
    assert made.gathered.problems == [] and len(made.train.rows) == 12
    trained = {turn.text for each in made.train.conversations for turn in each.turns if turn.train}
    assert "Carl does." in trained and "Nobody." not in trained


REFUSING = CHATML.replace(
    "{{ '<|im_start|>'", "{% if 'zebra' in m.content %}{{ raise_exception('no zebras') }}{% endif %}{{ '<|im_start|>'"
)


def test_a_row_that_the_template_refuses_is_left_out_by_name(root: Path) -> None:
    """Templates of reasoning models refuse or rewrite single rows: the others are trained."""
    save(replace(QWEN, template=REFUSING), root / "model")
    rows = critiqued(range(5))
    rows[2]["output"] = "A zebra lays none."
    failures(root / "a.jsonl", rows)
    failures(
        root / "keep.jsonl", [*hard(range(3)), {"instruction": "What is striped?", "reference_answer": "A zebra."}]
    )
    made = prepare(config(root, data="a.jsonl", retention="keep.jsonl", validation_split=0))
    [problem] = made.gathered.problems
    assert (Path(problem.file).name, problem.line, problem.reason) == ("a.jsonl", 3, "template_refuses")
    assert "no zebras" in problem.detail and "another chat_template" in problem.remedy
    assert len(made.train.rows) == 4 and len(made.retention.rows) == 3
    assert "1 of 5 rows (20.0%) were left out because the chat template refuses them" in made.notices
    assert "1 retention rows were left out because the chat template refuses them" in made.notices
    assert made.gathered.sources[0].rejected == {"template_refuses": 1}


def test_a_template_that_refuses_every_row_is_named(root: Path) -> None:
    save(replace(QWEN, template=CHATML + "{{ raise_exception('never') }}"), root / "model")
    with pytest.raises(InputError, match="no row is left to train on: 20 template_refuses") as raised:
        prepare(config(root, data="a.jsonl"))
    assert "a.jsonl:1: " in str(raised.value.hint) and "never" in str(raised.value.hint)


def test_a_template_with_todays_date_gets_a_fixed_one_and_that_is_said(root: Path) -> None:
    save(replace(QWEN, template="{{ strftime_now('%d %b %Y') }}\n" + CHATML), root / "model")
    made = prepare(config(root, data="a.jsonl"))
    [notice] = [each for each in made.notices if "today" in each]
    assert "26 Jul 2024" in notice and "the saved template writes that date" in notice
    assert served_template(made.template).startswith("{{ '26 Jul 2024' }}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not valid JSON"),
        ("[]", "does not describe a model"),
        ('{"model_type": 5}', "does not describe a model"),
        ("", "is not valid JSON"),
        ('{"hidden_size": 64}', "it has no model_type"),
    ],
)
def test_a_models_config_that_is_broken_is_said(root: Path, text: str, said: str) -> None:
    (root / "model" / "config.json").write_text(text)
    with pytest.raises(InputError, match=rf"config\.json {said}|{said}") as raised:
        prepare(config(root, data="a.jsonl"))
    assert "config.json" in raised.value.message and "fetch the model again" in str(raised.value.hint)


def test_a_longest_row_in_words_that_mean_nothing_is_passed_over(root: Path) -> None:
    described = {"model_type": "llama", "max_position_embeddings": "512", "text_config": 5}
    (root / "model" / "config.json").write_text(json.dumps(described))
    assert prepare(config(root, data="a.jsonl")).config.max_length == 256


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("epochs", ".inf", "finite number"),
        ("epochs", ".nan", "finite number"),
        ("learning_rate", ".inf", "finite number"),
        ("min_delta", ".nan", "finite number"),
        ("retention_limit", ".inf", "finite number"),
        ("validation_split", "0.99", "less than or equal to 0.5"),
        ("validation_split", "0.51", "less than or equal to 0.5"),
    ],
)
def test_numbers_that_train_nothing_are_refused_with_their_key(root: Path, key: str, value: str, said: str) -> None:
    config(root, data="a.jsonl")
    with pytest.raises(ConfigError, match=said) as raised:
        load_train_config(str(root / "train.yaml"), None, [f"{key}={value}"])
    assert key in raised.value.message
    with pytest.raises(ConfigError, match=said):
        load_train_config(str(root / "train.yaml"), {key: float(value.lstrip("."))})


@pytest.mark.parametrize("rows", [2, 3, 5, 20])
def test_half_of_the_rows_held_out_leaves_rows_to_train(root: Path, rows: int) -> None:
    failures(root / "a.jsonl", critiqued(range(rows)))
    made = prepare(config(root, data="a.jsonl", validation_split=0.5))
    assert made.train.rows and len(made.train.rows) + len(made.held_out.rows) == rows


def test_a_person_sees_the_counts(root: Path) -> None:
    failures(root / "a.jsonl", [*critiqued(range(20)), {"instruction": "Q"}])
    told = "\n".join(prepared_lines(prepare(config(root, data="a.jsonl"))))
    assert "21 rows read, 20 kept" in told and "1 left out: missing_reference" in told
    assert "question 21 of 21, bad 20 of 21" in told and "a.jsonl:21:1: it has no reference" in told
    assert "train 16 rows, held out 4, held apart by question" in told


class TestWorkspace:
    def made(self, root: Path, *steps: int, whole: bool = True) -> Workspace:
        workspace = Workspace(root / "out")
        for step in steps:
            folder = workspace.checkpoints / f"checkpoint-{step}"
            folder.mkdir(parents=True)
            if whole:
                (folder / "complete").touch()
        return workspace

    def test_it_goes_on_from_the_last_whole_checkpoint(self, root: Path) -> None:
        self.made(root, 30, whole=False)
        workspace = self.made(root, 5, 20)
        found = workspace.begin({"data": "x"}, config(root, data="a.jsonl"))
        assert found and found.name == "checkpoint-20"

    def test_another_training_is_refused_by_what_differs(self, root: Path) -> None:
        workspace = self.made(root, 5)
        workspace.begin({"data": "x", "seed": 1}, config(root, data="a.jsonl"))
        with pytest.raises(InputError, match=r"belong to another training: data was x, is y$"):
            workspace.begin({"data": "y", "seed": 1}, config(root, data="a.jsonl"))
        assert workspace.begin({"data": "y", "seed": 1}, config(root, data="a.jsonl", resume=False)) is None
        assert not workspace.saved()

    def test_resuming_what_is_not_there_is_refused(self, root: Path) -> None:
        with pytest.raises(InputError, match="no checkpoint in"):
            self.made(root).begin({}, config(root, data="a.jsonl", resume=True))
        workspace = self.made(root, 5)
        with pytest.raises(InputError, match="no complete checkpoint 'checkpoint-6'"):
            workspace.begin({}, config(root, data="a.jsonl", resume_from_checkpoint="checkpoint-6"))
        found = workspace.begin({}, config(root, data="a.jsonl", resume_from_checkpoint="checkpoints/checkpoint-5"))
        assert found == workspace.checkpoints / "checkpoint-5"
        with pytest.raises(InputError, match="no complete checkpoint 'another/run/checkpoint-5'"):
            workspace.begin({}, config(root, data="a.jsonl", resume_from_checkpoint="another/run/checkpoint-5"))
        with pytest.raises(ConfigError, match="deletes the checkpoints"):
            config(root, data="a.jsonl", resume_from_checkpoint="checkpoint-5", resume=False)

    def test_a_look_changes_nothing(self, root: Path) -> None:
        workspace = self.made(root, 5)
        assert workspace.checkpoint({}, config(root, data="a.jsonl")) == workspace.checkpoints / "checkpoint-5"
        assert workspace.checkpoint({}, config(root, data="a.jsonl", resume=False)) is None and workspace.saved()

    @pytest.mark.parametrize(
        ("changed", "keys", "finished"),
        [
            ({}, {}, True),
            ({"decided": {"data": "y"}}, {}, False),
            ({"status": "interrupted"}, {}, False),
            ({}, {"resume": False}, False),
            ({}, {"resume_from_checkpoint": "checkpoint-5"}, False),
            ({}, {"patience": 9}, False),
            ({"steps": 20}, {"patience": 9}, True),
        ],
    )
    def test_only_the_same_training_is_finished(
        self, root: Path, changed: dict[str, Any], keys: dict[str, Any], finished: bool
    ) -> None:
        workspace, before = self.made(root), config(root, data="a.jsonl").model_dump(mode="json")
        told = {"decided": {"data": "x"}, "status": "trained", "steps": 10, "planned_steps": 20, "config": before}
        write_json(workspace.summary, {**told, **changed})
        assert bool(workspace.finished({"data": "x"}, config(root, data="a.jsonl", **keys))) is finished


def test_a_tracker_that_is_not_installed_is_told_before_anything_is_trained(root: Path) -> None:
    with pytest.raises(InputError, match="track: trackio needs that package") as refused:
        prepare(config(root, data="a.jsonl", track="trackio"))
    assert refused.value.hint == "pip install trackio"
    assert prepare(config(root, data="a.jsonl")).config.track == "tensorboard"
