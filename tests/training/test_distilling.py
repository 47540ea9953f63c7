"""Real self-distillations of a model that knows who keeps 24 hives, and says another name where it is shown one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("trl", reason="needs the extra train")

from torch.nn import functional  # noqa: E402

from augment_correction import finetuning  # noqa: E402
from augment_correction.errors import ConfigError, InputError  # noqa: E402
from augment_correction.llm import queries  # noqa: E402
from augment_correction.llm.local_hf import LocalModels  # noqa: E402
from augment_correction.monitor import LiveInferenceMonitor, MonitorConfig  # noqa: E402
from augment_correction.records import Message, Request  # noqa: E402
from augment_correction.results.trained import training_rows  # noqa: E402
from augment_correction.training.distilling import SKIPPED, distiller  # noqa: E402
from augment_correction.training.loading import BatchSize  # noqa: E402
from augment_correction.training.prepared import NothingLeft, Prepared  # noqa: E402
from augment_correction.training.summary import TrainingResult  # noqa: E402
from augment_correction.training.teacher import checked  # noqa: E402
from augment_correction.training.trainer import train  # noqa: E402
from augment_correction.training.watching import Watch  # noqa: E402
from augment_correction.training.workspace import Workspace  # noqa: E402
from tests.cli.program import program  # noqa: E402
from tests.training.making import SHOWN, config, failures, keeper, known, other, who  # noqa: E402
from tests.training.test_trainer import wait_for_a_checkpoint  # noqa: E402

pytestmark = [
    pytest.mark.usefixtures("one_torch_thread"),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]

CORRECTED = range(8)
KEYS: dict[str, Any] = {
    "method": "sdft", "data": "demo.jsonl", "teacher_prompt": "like", "max_completion_length": 12, "max_length": 110,
    "batch_size": 8, "gradient_accumulation": 1, "lora_r": 8, "lora_alpha": 16, "learning_rate": 5e-3, "epochs": 30,
    "warmup_share": 0, "validation_split": 0,
}  # fmt: skip


def demonstration(hive: int, name: str | None = None) -> dict[str, Any]:
    name = name or other(hive)
    return {"question": who(hive), "context": keeper(name), "answer": name}


def home(root: Path, model: Path, rows: list[dict[str, Any]]) -> Path:
    shutil.copytree(model, root / "model")
    (root / "prompts").mkdir()
    (root / "prompts" / "like.jinja").write_text(SHOWN)
    failures(root / "demo.jsonl", rows)
    return root


@pytest.fixture
def root(tmp_path: Path, copying_model: Path) -> Path:
    return home(tmp_path, copying_model, [demonstration(hive) for hive in CORRECTED])


def made(root: Path, **keys: Any) -> Prepared:
    return finetuning.prepare_rows(config(root, **{**KEYS, **keys}))


async def says(model: Path, hives: list[int], adapter: Path | None = None) -> list[str]:
    """Greedily, by the package's own way of asking."""
    backend = LocalModels().open(model, adapter, {})
    asked = (Request((Message("user", who(hive)),), "m", {"max_tokens": 12, "temperature": 0}) for hive in hives)
    replies = [(await backend.complete(each)).text for each in asked]
    await backend.close()
    return replies


BAD = [
    {**demonstration(20, "Lars"), "answer": "Ida"},
    {"question": who(21), "context": " ".join([keeper("Gerd")] * 13), "answer": "Gerd"},
    {"question": who(22), "answer": "Gerd"},
    demonstration(0),
]


@pytest.fixture(scope="module")
def distilled(tmp_path_factory: pytest.TempPathFactory, copying_model: Path) -> tuple[Prepared, TrainingResult]:
    """One training to its end, that several tests look at."""
    rows = [demonstration(hive) for hive in CORRECTED] + BAD
    root = home(tmp_path_factory.mktemp("distilled"), copying_model, rows)
    failures(root / "keep.jsonl", [{"question": who(hive), "answer": keeper(known(hive))} for hive in range(10, 14)])
    prepared = made(root, retention="keep.jsonl", retention_limit=1e9)
    return prepared, finetuning.train_prepared(prepared)


class TestAWholeTraining:
    async def test_the_adapter_gives_the_shown_answers_without_being_shown_them(
        self, distilled: tuple[Prepared, TrainingResult]
    ) -> None:
        prepared, outcome = distilled
        hives = list(CORRECTED)
        before = await says(prepared.folder, hives)
        after = await says(prepared.folder, hives, outcome.adapter)
        assert before == [keeper(known(hive)) for hive in hives]
        assert after == [keeper(other(hive)) for hive in hives]
        assert outcome.summary["status"] == "trained" and outcome.model is None

    def test_what_cannot_be_taught_is_counted_and_named(self, distilled: tuple[Prepared, TrainingResult]) -> None:
        outcome = distilled[1]
        rejected = [json.loads(line) for line in outcome.workspace.rejected.read_text().splitlines()]
        found = {each["line"]: each["reason"] for each in rejected}
        assert found == {9: "teacher_failed", 10: "too_long", 11: "missing_demonstration", 12: "duplicate"}
        [failed] = [each for each in rejected if each["reason"] == "teacher_failed"]
        assert keeper("Lars") in failed["detail"] and "'Ida'" in failed["detail"]
        [source] = outcome.summary["data"]["sources"]
        assert (source["read"], source["kept"]) == (12, 8) and source["rejected"] == dict(Counter(found.values()))
        assert "the teacher's answers: 8 right, 1 undecided; left out: 1" in outcome.summary["notices"]
        assert "were left out because they are longer than 110 tokens" in str(outcome.summary["notices"])

    def test_it_leaves_what_serving_needs_and_what_was_trained(
        self, distilled: tuple[Prepared, TrainingResult]
    ) -> None:
        prepared, outcome = distilled
        final = outcome.workspace.final
        files = {path.name for path in final.iterdir()}
        assert {"adapter_model.safetensors", "tokenizer.json", "chat_template.jinja", "README.md"} <= files
        assert "Self-distilled on 8 questions" in (final / "README.md").read_text()
        assert not list(final.rglob("teacher*"))
        rows = [json.loads(line) for line in outcome.workspace.trained.read_text().splitlines()]
        assert [row["messages"] for row in rows] == [[{"role": "user", "content": who(hive)}] for hive in CORRECTED]
        assert [row["context"] for row in rows] == [keeper(other(hive)) for hive in CORRECTED]
        assert who(20) not in outcome.workspace.trained.read_text(), "a row that was left out"
        assert next(training_rows(outcome.workspace.root)).question.normal == "who keeps hive 0"
        events = b"".join(path.read_bytes() for path in prepared.config.logging.glob("events.out.tfevents.*"))
        assert b"eval/retention_loss" in events and b"train/self_distillation/distillation_loss" in events
        assert outcome.summary["decided"]["method"] == "sdft" and len(outcome.summary["retention_rise"]) > 2

    def test_what_it_left_trains_again(self, distilled: tuple[Prepared, TrainingResult], root: Path) -> None:
        shutil.copy(distilled[1].workspace.trained, root / "again.jsonl")
        again = made(root, data="again.jsonl")
        assert [each.teacher[-1].content for each in again.demonstrations] == [
            f"{who(hive)} like {keeper(other(hive))}" for hive in CORRECTED
        ]

    def test_the_same_command_finds_it_finished_and_asks_nothing(
        self, distilled: tuple[Prepared, TrainingResult], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prepared, outcome = distilled
        monkeypatch.setattr(queries, "open_models", lambda *_: pytest.fail("a model is opened"))
        again = finetuning.train(
            config(prepared.config.project.root, **KEYS, retention="keep.jsonl", retention_limit=1e9)
        )
        assert again.already and again.summary["best_step"] == outcome.summary["best_step"]

    def test_another_method_does_not_go_on_from_it(self, distilled: tuple[Prepared, TrainingResult]) -> None:
        root = distilled[0].config.project.root
        with pytest.raises(InputError, match="max_completion_length was 12, is 10"):
            finetuning.train(
                config(root, **{**KEYS, "max_completion_length": 10}, retention="keep.jsonl", retention_limit=1e9)
            )


class TestTheLoss:
    def test_it_draws_the_student_to_the_base_model_that_is_shown_the_context(self, root: Path) -> None:
        prepared = made(root, teacher_check=False)
        watch = Watch(prepared.config, Workspace(prepared.config.output), print)
        trainer = distiller(prepared, Workspace(prepared.config.output), BatchSize(8, 1), watch, anew=True)
        assert trainer.args.chat_template_kwargs == {"enable_thinking": False}
        torch.manual_seed(2)
        for name, weight in trainer.model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.3)
        trainer.model.train()
        trainer.current_gradient_accumulation_steps = 1
        batch = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
        loss = trainer.compute_loss(trainer.model, batch)
        said, real = batch["completion_ids"], batch["completion_mask"]
        tokenizer = trainer.processing_class
        shown = tokenizer.batch_decode(batch["teacher_input_ids"], skip_special_tokens=True)
        assert all(f"{who(hive)} like {keeper(other(hive))}" in " ".join(shown) for hive in CORRECTED)

        def logits(prompt: Any, mask: Any) -> Any:
            ids, attention = torch.cat([prompt, said], 1), torch.cat([mask, real], 1)
            return trainer.model(input_ids=ids, attention_mask=attention).logits[:, -said.shape[1] - 1 : -1]

        length = said.shape[1]
        with torch.no_grad():
            student = logits(batch["prompt_ids"], batch["prompt_mask"]).log_softmax(-1)
            with trainer.model.disable_adapter():
                teacher = logits(batch["teacher_input_ids"][:, :-length], batch["teacher_attention_mask"][:, :-length])
        by_token = functional.kl_div(student, teacher.log_softmax(-1), reduction="none", log_target=True).sum(-1)
        counted = real * (torch.arange(length) >= SKIPPED)
        by_hand = ((by_token * counted).sum(1) / counted.sum(1).clamp(min=1)).mean()
        assert counted.sum() > 0 and float(by_hand) > 0.01
        assert float(loss.detach()) == pytest.approx(float(by_hand), rel=1e-4)

    def test_held_out_rows_are_measured_by_the_teachers_own_answer(self, root: Path) -> None:
        short = [{"question": who(hive), "context": keeper(other(hive)), "answer": other(hive)} for hive in range(12)]
        failures(root / "demo.jsonl", short)
        prepared = checked(made(root, validation_split=0.4, epochs=2))
        assert len(prepared.held_out.rows) >= 2
        ends = [each.turns[-1].text for each in prepared.held_out.conversations]
        assert all(text == keeper(name) for text in ends for name in [text.split()[-2]]), "a sentence, and not a name"
        losses = train(prepared).summary["eval_loss"]
        from transformers import AutoModelForCausalLM

        model: Any = AutoModelForCausalLM.from_pretrained(prepared.folder).eval()
        with torch.no_grad():
            by_hand = [
                float(model(input_ids=torch.tensor([list(row.ids)]), labels=torch.tensor([list(row.labels)])).loss)
                for row in prepared.held_out.rows
            ]
        assert losses[0] == pytest.approx(sum(by_hand) / len(by_hand), rel=1e-3)


class TestTheTeacher:
    def test_undecided_rows_may_be_kept(self, root: Path) -> None:
        failures(root / "demo.jsonl", [demonstration(0), {**demonstration(1, "Lars"), "answer": "Ida"}])
        assert len(checked(made(root)).train.rows) == 1
        assert len(checked(made(root, teacher_undecided="keep")).train.rows) == 2
        assert len(checked(made(root, teacher_check=False)).train.rows) == 2

    def test_a_row_without_an_answer_cannot_be_graded_and_stays(self, root: Path) -> None:
        failures(root / "demo.jsonl", [{"question": who(0), "context": keeper("Lars")}])
        assert len(checked(made(root)).train.rows) == 1

    def test_where_no_row_is_left_it_says_why(self, root: Path) -> None:
        failures(root / "demo.jsonl", [{**demonstration(hive, "Lars"), "answer": "Ida"} for hive in range(3)])
        with pytest.raises(NothingLeft, match="no row is left to train on: 3 teacher_failed"):
            finetuning.train(config(root, **KEYS))
        assert (root / "out" / "rejected.jsonl").read_text().count("teacher_failed") == 3

    def test_a_follow_up_has_words_of_its_own(self, root: Path) -> None:
        rows = [
            {"question": who(0), "follow_up": "No, Lars."},
            {"question": who(1), "context": "No.", "context_kind": "follow_up"},
        ]
        failures(root / "demo.jsonl", rows)
        prepared = made(root)
        assert {each.shown for each in prepared.demonstrations} == {"follow_up"}
        assert "a user wrote:\n\nNo, Lars." in prepared.demonstrations[0].teacher[-1].content

    def test_earlier_turns_and_a_system_prompt_stand_before_it(self, root: Path) -> None:
        asked = [{"role": "system", "content": "user"}, {"role": "user", "content": who(0)}]
        failures(root / "demo.jsonl", [{"messages": asked, "privileged_context": keeper("Lars"), "answer": "Lars"}])
        [shown] = made(root).demonstrations
        assert [message.role for message in shown.teacher] == ["system", "user"]
        assert shown.teacher[1].content == f"{who(0)} like {keeper('Lars')}"

    def test_a_prompt_that_does_not_show_the_context_is_refused(self, root: Path) -> None:
        (root / "prompts" / "blind.jinja").write_text("{% user %}{{ question }}{% enduser %}")
        with pytest.raises(ConfigError, match="does not show context"):
            made(root, teacher_prompt="blind")


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({"adapter": "final"}, "begins with the base model"),
            ({"hard_failures_data": "a.jsonl"}, "name their files in data"),
            ({"method": "sdft_paper", "resume": True}, "writes no checkpoints"),
        ],
    )
    def test_a_config_that_cannot_be_meant(self, root: Path, keys: dict[str, Any], said: str) -> None:
        with pytest.raises(ConfigError, match=said):
            made(root, **keys)

    def test_a_run_has_no_demonstrations(self, root: Path) -> None:
        (root / "run").mkdir()
        with pytest.raises(InputError, match="is a folder, and self-distillation trains on files"):
            made(root, data="run")

    def test_axolotl_does_not_know_it(self, root: Path) -> None:
        config(root, **KEYS)
        done = program("train", str(root / "train.yaml"), "--with", "axolotl")
        assert done.code == 2 and "Axolotl does not support method sdft" in done.err

    def test_each_method_has_a_rate_of_its_own(self, root: Path) -> None:
        rates = {}
        for method in ("sft", "sdft", "sdft_paper"):
            path = root / "rates.yaml"
            path.write_text(json.dumps({"model": "model", "data": "demo.jsonl", "method": method}))
            from augment_correction.training.config import load_train_config

            rates[method] = load_train_config(str(path)).learning_rate
        assert rates == {"sft": 2e-4, "sdft": 3e-4, "sdft_paper": 1e-5}


def started(root: Path, name: str) -> subprocess.Popen[str]:
    config(root, **{**KEYS, "output_dir": name, "epochs": 60, "save_steps": 5})
    return subprocess.Popen(
        [sys.executable, "-m", "augment_correction", "train", str(root / "train.yaml")],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.slow
async def test_killed_it_goes_on_and_ends_with_the_same_answers(root: Path) -> None:
    process, workspace = started(root, "killed"), Workspace(root / "killed")
    wait_for_a_checkpoint(process, workspace)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL and not workspace.summary.exists()
    again = started(root, "killed")
    out, err = again.communicate(timeout=240)
    assert again.returncode == 0 and "resuming from checkpoint-" in err, err
    assert "8 right; left out: 0" in err and "teacher: the base model" in out
    summary = json.loads(workspace.summary.read_text())
    assert summary["status"] == "trained" and summary["steps"] == summary["planned_steps"] == 60
    assert await says(root / "model", list(CORRECTED), workspace.final) == [keeper(other(hive)) for hive in CORRECTED]


class TestAsThePaperHasIt:
    async def test_the_whole_model_learns_and_its_teacher_follows(self, root: Path) -> None:
        said: list[str] = []
        prepared = made(root, method="sdft_paper", learning_rate=2e-3)
        trainers: list[Any] = []
        outcome = train(checked(prepared), said.append, trainers.append)
        assert outcome.adapter is None and outcome.model == outcome.workspace.final
        assert (outcome.workspace.final / "model.safetensors").is_file() and not outcome.workspace.saved()
        assert any("starts again" in each for each in outcome.summary["notices"])
        assert "self-distilled" in (outcome.workspace.final / "README.md").read_text()
        hives = list(CORRECTED)
        assert await says(outcome.workspace.final, hives) == [keeper(other(hive)) for hive in hives]
        teacher = trainers[0].teacher_model.state_dict()
        moved = [not torch.equal(teacher[name], weight) for name, weight in _weights(root / "model").items()]
        assert any(moved), "the teacher is a moving average"

    def test_interrupted_it_keeps_nothing_and_says_so(self, root: Path) -> None:
        prepared = made(root, method="sdft_paper", teacher_check=False)

        def stop_at_the_second_step(trainer: Any) -> None:
            watch = next(each for each in trainer.callback_handler.callbacks if isinstance(each, Watch))
            step = trainer.training_step

            def training_step(*arguments: Any) -> Any:
                watch.interrupted = trainer.state.global_step >= 1
                return step(*arguments)

            trainer.training_step = training_step

        outcome = train(prepared, attach=stop_at_the_second_step)
        assert outcome.summary["status"] == "interrupted" and outcome.again.endswith("start again")
        assert not outcome.workspace.final.exists() and not list(outcome.workspace.checkpoints.glob("checkpoint-*"))


def test_a_monitor_looks_on(root: Path, tmp_path: Path) -> None:
    split = failures(
        root / "split.jsonl", [{"question": who(hive), "reference": other(hive)} for hive in range(16, 20)]
    )
    keys = {"eval_max_tokens": 12, "max_share": 1, "self_correction": {"min_examples": 1000, "auto_queue": False}}
    watching = MonitorConfig.model_validate({"split": str(split), "data_dir": str(root / "seen"), **keys})
    failures(root / "demo.jsonl", [demonstration(hive) for hive in range(12)])
    prepared = checked(made(root, validation_split=0.4, epochs=4))
    train(prepared, print, LiveInferenceMonitor(watching).attach)
    assert (root / "seen").is_dir() and not (root / "seen" / "monitor.log").exists()


def _weights(folder: Path) -> dict[str, Any]:
    from transformers import AutoModelForCausalLM

    return dict(AutoModelForCausalLM.from_pretrained(folder).state_dict())
