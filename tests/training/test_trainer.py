"""Real trainings of a model of 100,000 random weights."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("trl", reason="needs the extra train")

from safetensors.torch import load_file, save_file  # noqa: E402
from torch.nn import functional  # noqa: E402

from augment_correction.errors import ConfigError, InputError, UserError  # noqa: E402
from augment_correction.export.masking import IGNORED  # noqa: E402
from augment_correction.failures import read_failures  # noqa: E402
from augment_correction.failures.curated import read_curated  # noqa: E402
from augment_correction.monitor import LiveInferenceMonitor, MonitorConfig  # noqa: E402
from augment_correction.training import trainer as training  # noqa: E402
from augment_correction.training.config import load_train_config  # noqa: E402
from augment_correction.training.merging import merge  # noqa: E402
from augment_correction.training.prepared import Prepared  # noqa: E402
from augment_correction.training.preparing import prepare  # noqa: E402
from augment_correction.training.summary import TrainingResult  # noqa: E402
from augment_correction.training.trainer import BatchSize, build, train  # noqa: E402
from augment_correction.training.watching import Watch  # noqa: E402
from augment_correction.training.workspace import Workspace  # noqa: E402
from tests.cli.program import program  # noqa: E402
from tests.training.making import config, critiqued, failures, hard, tiny_llama  # noqa: E402

# PEFT asks models for a name that Transformers has renamed.
pytestmark = [
    pytest.mark.usefixtures("one_torch_thread"),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]


@pytest.fixture
def root(tmp_path: Path, tiny_model: Path) -> Path:
    shutil.copytree(tiny_model, tmp_path / "model")
    failures(tmp_path / "a.jsonl", critiqued(range(24)) + hard(range(16)))
    return tmp_path


def made(root: Path, **keys: Any) -> Prepared:
    return prepare(config(root, data="a.jsonl", **keys))


def adapter(folder: Path) -> dict[str, Any]:
    return dict(load_file(folder / "adapter_model.safetensors"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> tuple[Prepared, TrainingResult]:
    """One training to its end, that several tests look at."""
    root = tmp_path_factory.mktemp("trained")
    shutil.copytree(tiny_model, root / "model")
    failures(root / "a.jsonl", critiqued(range(24)) + hard(range(16)))
    failures(root / "keep.jsonl", hard(range(40, 44)))
    prepared = made(root, retention="keep.jsonl", learning_rate=3e-3, epochs=3, gradient_checkpointing=True)
    return prepared, train(prepared)


class TestTheLoss:
    def trainer(self, root: Path) -> tuple[Prepared, Any]:
        prepared = made(root)
        workspace = Workspace(prepared.config.output)
        watch = Watch(prepared.config, workspace, print)
        trainer = build(prepared, workspace, BatchSize(4, 2), watch, anew=True)
        torch.manual_seed(2)
        for name, weight in trainer.model.named_parameters():
            if "lora_B" in name:  # zero at first: half of the gradients would be, too
                torch.nn.init.normal_(weight, std=0.05)
        return prepared, trainer

    def gradients(self, trainer: Any, loss: Any) -> dict[str, Any]:
        trainer.model.zero_grad()
        loss.backward()
        return {name: each.grad.clone() for name, each in trainer.model.named_parameters() if each.grad is not None}

    def test_it_is_that_of_the_trained_tokens_and_of_no_other(self, root: Path) -> None:
        prepared, trainer = self.trainer(root)
        batch = next(iter(trainer.get_train_dataloader()))
        rows = {tuple(row.ids): row.labels for row in prepared.train.rows}
        for ids, labels, real in zip(batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True):
            length = int(real.sum())
            assert labels[:length].tolist() == list(rows[tuple(ids[:length].tolist())]), "our labels, untouched"
            assert set(labels[length:].tolist()) <= {IGNORED}
        logits = trainer.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        by_hand = functional.cross_entropy(logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten())
        expected = self.gradients(trainer, by_hand)
        loss = trainer.compute_loss(trainer.model, dict(batch))
        assert torch.allclose(loss, by_hand, atol=1e-5)
        found = self.gradients(trainer, loss)
        assert expected.keys() == found.keys() and len(found) > 8
        assert all(torch.allclose(found[name], expected[name], atol=1e-5) for name in found)

    def test_masked_targets_move_nothing(self, root: Path) -> None:
        _, trainer = self.trainer(root)
        rows = [trainer.train_dataset[index] for index in range(4)]
        longer = [
            {"input_ids": [*row["input_ids"], 3, 4, 5], "labels": [*row["labels"], *[IGNORED] * 3]} for row in rows
        ]
        other = [{**row, "input_ids": [*row["input_ids"][:-3], 77, 78, 79]} for row in longer]
        losses = [trainer.compute_loss(trainer.model, trainer.data_collator(batch)) for batch in (rows, longer, other)]
        one, two, three = (self.gradients(trainer, loss) for loss in losses)
        assert torch.allclose(losses[0], losses[1], atol=1e-6) and torch.allclose(losses[1], losses[2], atol=1e-6)
        assert all(torch.allclose(one[name], each, atol=1e-6) for name, each in two.items())
        assert all(torch.allclose(two[name], each, atol=1e-6) for name, each in three.items())


class TestAWholeTraining:
    def test_the_loss_falls(self, trained: tuple[Prepared, TrainingResult]) -> None:
        summary = trained[1].summary
        losses = summary["eval_loss"]
        assert summary["status"] == "trained" and losses[summary["best_step"]] < losses[0] - 0.5
        assert summary["steps"] == summary["planned_steps"] == trained[0].schedule.steps
        assert set(summary["retention_rise"]) == set(losses)

    def test_it_leaves_what_serving_needs(self, trained: tuple[Prepared, TrainingResult]) -> None:
        from transformers import AutoTokenizer

        prepared, outcome = trained
        final = outcome.workspace.final
        tokenizer = AutoTokenizer.from_pretrained(final)
        asked = tokenizer.apply_chat_template(
            [{"role": "user", "content": "Q"}], tokenize=False, add_generation_prompt=True
        )
        assert asked == "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n" and tokenizer.eos_token == "<|im_end|>"
        card = (final / "README.md").read_text()
        assert "vllm serve" in card and prepared.base in card
        events = b"".join(path.read_bytes() for path in prepared.config.logging.glob("events.out.tfevents.*"))
        assert all(name in events for name in (b"eval/held_out_perplexity", b"train/grad_norm", b"eval/retention_loss"))
        assert not any("other tokens" in notice for notice in outcome.summary["notices"])
        written = json.loads(outcome.workspace.summary.read_text())
        assert written["data"]["trained_tokens"] == prepared.train.trained and written["versions"]["trl"]

    def test_what_was_trained_stands_beside_it(self, trained: tuple[Prepared, TrainingResult]) -> None:
        prepared, outcome = trained
        rows, _, problems = read_curated(outcome.workspace.trained)
        kept = [*prepared.train.conversations, *prepared.held_out.conversations]
        assert not problems and [row.found.turns for row in rows] == [each.turns for each in kept]
        assert len(outcome.summary["grad_norm"]) > 1 and len(outcome.summary["loss"]) > 1

    def test_final_is_the_best_checkpoint(self, trained: tuple[Prepared, TrainingResult]) -> None:
        _, outcome = trained
        best = adapter(outcome.workspace.saved()[outcome.summary["best_step"]])
        final = adapter(outcome.workspace.final)
        assert best.keys() == final.keys() and all(torch.equal(best[name], final[name]) for name in best)

    def test_the_same_command_finds_it_finished(self, trained: tuple[Prepared, TrainingResult]) -> None:
        prepared, outcome = trained
        again = train(prepared)
        assert again.already and again.summary["best_step"] == outcome.summary["best_step"]

    def test_another_training_does_not_go_on_from_it(self, trained: tuple[Prepared, TrainingResult]) -> None:
        root = trained[0].config.project.root
        with pytest.raises(InputError, match=r"learning_rate was 0.003, is 0.0001"):
            train(made(root, retention="keep.jsonl", learning_rate=1e-4, epochs=3))

    def test_merged_it_answers_as_the_adapter_does(
        self, trained: tuple[Prepared, TrainingResult], tmp_path: Path
    ) -> None:
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer

        prepared, outcome = trained
        merge(outcome.workspace.final, tmp_path / "merged")
        base = AutoModelForCausalLM.from_pretrained(prepared.folder)
        ids = torch.tensor([list(prepared.held_out.rows[0].ids)])
        with torch.no_grad():
            untouched = base(ids).logits.clone()
            adapted = PeftModel.from_pretrained(base, outcome.workspace.final).eval()(ids).logits
            merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
            found = merged(ids).logits
        assert torch.allclose(found, adapted, atol=1e-4) and not torch.allclose(found, untouched, atol=1e-2)
        assert AutoTokenizer.from_pretrained(tmp_path / "merged").chat_template
        eos = merged.generation_config.eos_token_id
        assert prepared.tokenizer.token_id("<|im_end|>") in (eos if isinstance(eos, list) else [eos])
        with pytest.raises(InputError, match="not overwritten"):
            merge(outcome.workspace.final, tmp_path / "merged")

    def test_an_adapter_is_not_merged_into_another_base(
        self, trained: tuple[Prepared, TrainingResult], tmp_path: Path
    ) -> None:
        other = tiny_llama(tmp_path / "other")
        weights = load_file(other / "model.safetensors")
        weights["model.norm.weight"] += 1
        save_file(weights, other / "model.safetensors", {"format": "pt"})
        with pytest.raises(InputError, match="the adapter was trained on"):
            merge(trained[1].workspace.final, tmp_path / "merged", str(other))


def test_merge_is_a_command(trained: tuple[Prepared, TrainingResult], tmp_path: Path) -> None:
    done = program("merge", str(trained[1].workspace.final), "--output", str(tmp_path / "merged"))
    assert done.code == 0 and str(tmp_path / "merged") in done.out, done.err
    assert (tmp_path / "merged" / "model.safetensors").is_file()
    done = program("merge", str(tmp_path / "merged"), "--output", str(tmp_path / "again"))
    assert done.code == 2 and "is not a PEFT adapter" in done.err


def test_early_stopping_says_why_and_that_nothing_was_won(root: Path) -> None:
    outcome = train(made(root, learning_rate=1e-9, patience=2, epochs=4))
    assert outcome.summary["stopped"].startswith("no progress: 2 evaluations")
    assert outcome.summary["steps"] < outcome.summary["planned_steps"]
    more = train(made(root, learning_rate=1e-9, patience=3, epochs=4))
    assert not more.already and more.summary["steps"] > outcome.summary["steps"], "more patience goes on"


@pytest.mark.parametrize("save_steps", [3, 60], ids=["saved at each evaluation", "saved less often"])
def test_the_best_checkpoint_is_restored_after_the_loss_rose(root: Path, save_steps: int) -> None:
    """Few rows learnt by heart at a high rate: the held-out loss falls, then rises."""
    numbers = [(n * 7919 % 997, n * 31337 % 883) for n in range(1, 21)]
    rows = [{"instruction": f"Number {n}?", "reference_answer": f"{a} {b} {a * b}"} for n, (a, b) in enumerate(numbers)]
    failures(root / "a.jsonl", rows)
    keys = {
        "learning_rate": 3e-2,
        "patience": 3,
        "epochs": 40,
        "warmup_share": 0,
        "eval_steps": 3,
        "save_steps": save_steps,
        "validation_split": 0.4,
    }
    prepared = made(root, **keys)
    summary = train(prepared).summary
    losses = summary["eval_loss"]
    assert summary["best_step"] == min((step for step in losses if step), key=losses.__getitem__) < summary["steps"]
    best = Workspace(prepared.config.output)
    assert list(best.saved()) == sorted({summary["best_step"], summary["steps"]}), "the others are deleted"
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(prepared.folder), best.final).eval()
    total = tokens = 0.0
    with torch.no_grad():
        for row in prepared.held_out.rows:
            loss = model(input_ids=torch.tensor([list(row.ids)]), labels=torch.tensor([list(row.labels)])).loss
            total, tokens = total + float(loss) * row.trained, tokens + row.trained
    assert abs(total / tokens - losses[summary["best_step"]]) < 0.1


def test_forgetting_stops_and_leaves_no_adapter(root: Path) -> None:
    keep = [{"instruction": f"Say {n}", "reference_answer": "def answer(question: str) -> str:"} for n in range(4)]
    failures(root / "keep.jsonl", keep)
    keys = {"retention": "keep.jsonl", "retention_limit": 1e-6, "learning_rate": 3e-2, "epochs": 4, "eval_steps": 4}
    outcome = train(made(root, **keys))
    assert outcome.summary["status"] == "nothing"
    assert outcome.summary["stopped"].startswith("forgetting: the retention loss rose by")
    assert not outcome.workspace.final.exists() and outcome.exit_code == 3


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    root = tmp_path_factory.mktemp("taught")
    shutil.copytree(tiny_model, root / "base")
    failures(root / "keep.jsonl", hard(range(8)))
    failures(root / "a.jsonl", critiqued(range(24)))
    keys = {"learning_rate": 2e-2, "epochs": 60, "validation_split": 0, "lora_r": 16, "lora_alpha": 32}
    before = train(prepare(config(root, model="base", data="keep.jsonl", output_dir="school", **keys)))
    losses = before.summary["loss"]
    assert losses[max(losses)] < losses[min(losses)] / 3, "it has learnt them"
    merge(before.workspace.final, root / "model")
    return root


class TestForgetting:
    """A model that was taught facts, and is then trained on something else at a high rate: it forgets them."""

    def keys(self, **more: Any) -> dict[str, Any]:
        return {"retention": "keep.jsonl", "learning_rate": 1e-2, "epochs": 8, "eval_steps": 2, "patience": 9, **more}

    def test_it_stops_when_what_it_knew_is_lost(self, taught: Path) -> None:
        outcome = train(prepare(config(taught, data="a.jsonl", **self.keys())))
        summary = outcome.summary
        assert summary["stopped"].startswith("forgetting: the retention loss rose by"), summary["stopped"]
        assert summary["steps"] < summary["planned_steps"]
        rise = summary["retention_rise"]
        last = max(rise)
        assert rise[last] > 0.1 and summary["forgotten"] == [last], (
            "looked at after each evaluation, stopped at the first"
        )
        fit = [step for step in rise if step and step != last]
        assert summary["best_step"] == (min(fit, key=summary["eval_loss"].__getitem__) if fit else None)
        assert outcome.workspace.final.exists() is bool(fit)

    def test_it_goes_on_where_it_shall_only_say_so(self, taught: Path) -> None:
        outcome = train(prepare(config(taught, data="a.jsonl", output_dir="flag", **self.keys(on_forgetting="flag"))))
        summary = outcome.summary
        assert not summary["stopped"].startswith("forgetting")
        assert len(summary["forgotten"]) > 1 and summary["best_step"] not in summary["forgotten"]


def test_weights_and_a_description_that_do_not_belong_together_are_one_line(root: Path) -> None:
    prepared = made(root)
    described = json.loads((root / "model" / "config.json").read_text())
    (root / "model" / "config.json").write_text(json.dumps({**described, "hidden_size": 32}))
    with pytest.raises(InputError, match="cannot be loaded as a model"):
        train(prepared)
    (root / "model" / "config.json").write_text(json.dumps({**described, "model_type": "unheard_of"}))
    with pytest.raises(InputError, match="unheard_of"):
        train(prepared)


# ------------------------------------------------------------------------------------------ out of memory


def out_of_memory_above(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    step = training.SFTTrainer.training_step

    def limited(self: Any, model: Any, inputs: Any, *rest: Any) -> Any:
        if len(inputs["input_ids"]) > size:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return step(self, model, inputs, *rest)

    monkeypatch.setattr(training.SFTTrainer, "training_step", limited)


def test_out_of_memory_is_tried_once_with_half_the_batch(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out_of_memory_above(2, monkeypatch)
    said: list[str] = []
    prepared = made(root, epochs=1)
    outcome = train(prepared, said.append)
    assert "out of memory: trying again with batch_size 2 x gradient_accumulation 4" in said
    assert outcome.summary["steps"] == prepared.schedule.steps, "steps are as before"
    assert (outcome.summary["batch_size"], outcome.summary["gradient_accumulation"]) == (2, 4)


def test_the_second_trainer_is_watched_as_the_first_one_was(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out_of_memory_above(2, monkeypatch)
    asked = [{"question": f"Who swims in pond {n}?", "reference": "A pike does."} for n in range(40)]
    split = failures(root / "split.jsonl", asked)
    reply = '{"reason": "It says nothing.", "verdict": "wrong"}'
    (root / "judge.yaml").write_text(json.dumps({"rules": [{"contains": "Answer:", "text": reply}]}))
    judge = {"model": "judge", "mode": "scripted", "script": str(root / "judge.yaml")}
    keys = {"eval_max_tokens": 4, "max_share": 1, "self_correction": {"min_examples": 1000}, "judge": judge}
    watching = MonitorConfig.model_validate({"split": str(split), "data_dir": str(root / "seen"), **keys})
    said: list[str] = []
    train(made(root, epochs=1), said.append, lambda trainer: LiveInferenceMonitor(watching).attach(trainer))
    assert any(line.startswith("out of memory: trying again") for line in said)
    seen = list(read_failures(root / "seen" / "buffer.jsonl"))
    assert len({each.step for each in seen}) > 2 and not (root / "seen" / "monitor.log").exists()


@pytest.mark.parametrize(
    ("keys", "size", "hint"),
    [
        ({"on_oom": "stop"}, 2, "batch_size 2 with gradient_accumulation 4 is the same training"),
        ({}, 1, "batch_size 1 with gradient_accumulation 8 is the same training"),
        ({"batch_size": 1}, 0, "lower max_length"),
    ],
)
def test_or_answered_with_what_would_fit(
    root: Path, monkeypatch: pytest.MonkeyPatch, keys: dict[str, Any], size: int, hint: str
) -> None:
    out_of_memory_above(size, monkeypatch)
    with pytest.raises(UserError, match="out of memory with batch_size") as failure:
        train(made(root, epochs=1, **keys))
    assert hint in (failure.value.hint or "")


def test_another_failure_is_not_taken_for_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(training.SFTTrainer, "training_step", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        train(made(root, epochs=1))


# ------------------------------------------------------------------------------------------ killed, interrupted


LONGER: dict[str, Any] = {"epochs": 4, "eval_steps": 2, "patience": 5, "learning_rate": 1e-3}


def started(root: Path, name: str, *arguments: str) -> subprocess.Popen[str]:
    config(root, data="a.jsonl", output_dir=name, **LONGER)
    return subprocess.Popen(
        [sys.executable, "-m", "augment_correction", "train", str(root / "train.yaml"), *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for_a_checkpoint(process: subprocess.Popen[str], workspace: Workspace) -> None:
    until = time.monotonic() + 120
    while not workspace.saved():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.slow
def test_killed_it_goes_on_and_ends_as_if_it_had_not_been(root: Path) -> None:
    whole, killed = train(made(root, output_dir="whole", **LONGER)).summary, Workspace(root / "killed")
    process = started(root, "killed")
    wait_for_a_checkpoint(process, killed)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not killed.summary.exists()
    again = started(root, "killed", "--resume")
    out, err = again.communicate(timeout=240)
    assert again.returncode == 0 and "resuming from checkpoint-" in err, err
    one, two = (json.loads(path.read_text()) for path in (root / "whole" / killed.summary.name, killed.summary))
    assert whole["steps"] == one["steps"] == two["steps"] and one["best_step"] == two["best_step"]
    assert one["eval_loss"] == pytest.approx(two["eval_loss"], abs=1e-5)
    assert "best" in out and str(killed.final) in out


def test_interrupted_it_saves_and_says_how_to_go_on(root: Path) -> None:
    process = started(root, "out")
    wait_for_a_checkpoint(process, Workspace(root / "out"))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 130, err
    assert "run the same command again to resume" in out and "Traceback" not in err
    summary = json.loads((root / "out" / "training_summary.json").read_text())
    assert summary["status"] == "interrupted" and summary["steps"] in Workspace(root / "out").saved()


# ------------------------------------------------------------------------------------------ from an adapter


class TestGoingOnFromAnAdapter:
    """`trained` is the first round; the second one's rows are the same, so that its first loss is known."""

    def second(self, trained: tuple[Prepared, TrainingResult], root: Path, **keys: Any) -> Prepared:
        failures(root / "keep.jsonl", hard(range(40, 44)))
        return made(root, adapter=str(trained[1].workspace.final), retention="keep.jsonl", lora_r=4, **keys)

    def test_it_begins_at_the_loss_where_the_first_ended(
        self, trained: tuple[Prepared, TrainingResult], root: Path
    ) -> None:
        prepared = self.second(trained, root, gradient_checkpointing=True)
        outcome = train(prepared)
        first, second = trained[1].summary, outcome.summary
        assert second["eval_loss"][0] == pytest.approx(first["eval_loss"][first["best_step"]], abs=1e-4)
        assert second["status"] == "trained" and second["eval_loss"][second["best_step"]] < second["eval_loss"][0]
        described = json.loads((outcome.workspace.final / "adapter_config.json").read_text())
        assert described["base_model_name_or_path"] == str(prepared.folder) and described["r"] == 4
        assert json.loads((outcome.workspace.final / "training.json").read_text())["adapter"] == prepared.adapter
        assert f"began with the adapter `{prepared.adapter}`" in (outcome.workspace.final / "README.md").read_text()
        assert merge(outcome.workspace.final, root / "merged") == prepared.folder

    def test_its_rank_and_alpha_are_the_adapters(self, trained: tuple[Prepared, TrainingResult], root: Path) -> None:
        path = root / "unsaid.yaml"
        keys = {"model": "model", "data": "a.jsonl", "adapter": str(trained[1].workspace.final)}
        path.write_text(json.dumps(keys))
        shape = prepare(load_train_config(str(path))).config
        assert (shape.lora_r, shape.lora_alpha) == (4, 8)
        with pytest.raises(ConfigError, match=r"lora_r is 16, and the adapter at .* has 4"):
            prepare(load_train_config(str(path), {"lora_r": 16}))

    def test_checkpoints_of_one_parent_are_not_those_of_another(
        self, trained: tuple[Prepared, TrainingResult], root: Path
    ) -> None:
        train(self.second(trained, root, epochs=1))
        with pytest.raises(InputError, match=r"adapter was model\+final@\w+, is None"):
            train(made(root, retention="keep.jsonl", epochs=1))

    def test_killed_it_goes_on(self, trained: tuple[Prepared, TrainingResult], root: Path) -> None:
        process = started(root, "out", "--adapter", str(trained[1].workspace.final))
        wait_for_a_checkpoint(process, Workspace(root / "out"))
        process.kill()
        process.communicate()
        again = started(root, "out", "--adapter", str(trained[1].workspace.final))
        out, err = again.communicate(timeout=240)
        assert again.returncode in (0, 3) and "resuming from checkpoint-" in err, err
        assert "continues the adapter" in out and (root / "out" / "final" / "adapter_config.json").is_file()

    def test_on_other_weights_it_is_refused(self, trained: tuple[Prepared, TrainingResult], root: Path) -> None:
        weights = load_file(root / "model" / "model.safetensors")
        weights["model.norm.weight"] += 1
        save_file(weights, root / "model" / "model.safetensors", {"format": "pt"})
        with pytest.raises(InputError, match="the adapter was trained on"):
            self.second(trained, root)

    def test_a_folder_without_an_adapter_is_refused(self, root: Path) -> None:
        with pytest.raises(InputError, match="is not a PEFT adapter"):
            made(root, adapter="model")
