"""Real trainings of a model of 100,000 random weights, with the monitor and without it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("transformers", reason="needs the extra train")

from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainerState, TrainingArguments  # noqa: E402

from augment_correction.errors import ConfigError, InputError  # noqa: E402
from augment_correction.failures import read_failures  # noqa: E402
from augment_correction.llm.hf_rows import Speech  # noqa: E402
from augment_correction.monitor import LiveInferenceMonitor, MonitorConfig  # noqa: E402
from augment_correction.monitor import live as live_module  # noqa: E402
from augment_correction.monitor.generating import generate  # noqa: E402
from tests.monitor.making import rows, split  # noqa: E402
from tests.training.making import tiny_llama  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:transformers", "ignore::UserWarning:torch")
QUESTIONS = ["Where was she born?", "And why?", "Who keeps hive 7, and since when does he or she keep it?"]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("llama") / "model")


def config(root: Path, **keys: Any) -> MonitorConfig:
    if not (root / "split.jsonl").exists():
        split(root / "split.jsonl")
    made = {
        "split": str(root / "split.jsonl"), "data_dir": str(root / "data"), "queue_dir": str(root / "inbox"),
        "eval_max_tokens": 8, "max_share": 1.0, **keys,
    }  # fmt: skip
    return MonitorConfig.model_validate(made)


def trainer(root: Path, model: Path, **arguments: Any) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(model)
    texts = [f"Hive {number} has {number * 7} bees, and {number} of them fly." for number in range(24)]
    ids = [tokenizer(text)["input_ids"][:12] for text in texts]
    data = [{"input_ids": each, "labels": each, "attention_mask": [1] * len(each)} for each in ids]
    loaded = AutoModelForCausalLM.from_pretrained(model, attention_dropout=0.1)
    given = {
        "output_dir": str(root / "out"), "max_steps": 12, "per_device_train_batch_size": 2, "learning_rate": 1e-3,
        "eval_strategy": "steps", "eval_steps": 4, "logging_steps": 1, "report_to": "none", "use_cpu": True,
        "save_strategy": "no", "disable_tqdm": True, "dataloader_pin_memory": False, "seed": 3,
        "gradient_checkpointing": True, **arguments,
    }  # fmt: skip
    return Trainer(
        model=loaded, args=TrainingArguments(**given), train_dataset=data[:20], eval_dataset=data[20:],
        processing_class=tokenizer, data_collator=collate,
    )  # fmt: skip


def collate(batch: list[dict[str, list[int]]]) -> dict[str, Any]:
    length = min(len(row["input_ids"]) for row in batch)
    return {name: torch.tensor([row[name][:length] for row in batch]) for name in batch[0]}


def losses(made: Any) -> list[float]:
    made.train()
    return [
        entry.get("loss", entry.get("eval_loss")) for entry in made.state.log_history if "monitor/" not in str(entry)
    ]


class TestATraining:
    def test_its_losses_are_the_same_to_the_bit(self, tmp_path: Path, model: Path) -> None:
        alone = trainer(tmp_path, model)
        expected = losses(alone)
        watched = trainer(tmp_path, model)
        monitor = LiveInferenceMonitor(config(tmp_path), say=lambda text: None)
        monitor.attach(watched)
        use_cache = watched.model.config.use_cache
        assert losses(watched) == expected and len(expected) > 12
        before, after = (made.model.state_dict() for made in (alone, watched))
        assert all(torch.equal(before[name], after[name]) for name in before)
        assert watched.model.config.use_cache == use_cache
        kept = list(read_failures(tmp_path / "data" / "buffer.jsonl"))
        assert {each.step for each in kept} == {4, 8, 12} and all(each.model == str(model) for each in kept)

    def test_it_logs_says_and_makes_files(self, tmp_path: Path, model: Path) -> None:
        said: list[str] = []
        made = trainer(tmp_path, model)
        due = {"min_examples": 3, "generation_interval": 8}
        LiveInferenceMonitor(config(tmp_path, self_correction=due), say=said.append).attach(made)
        made.train()
        entries = [entry for entry in made.state.log_history if "monitor/seconds_share" in entry]
        assert [entry["step"] for entry in entries] == [4, 8, 12] and entries[0]["monitor/accuracy"] == 0
        assert said[0].startswith("LIVE INFERENCE - Step 4 / 12 (33.3%)") and any(
            "-> MISMATCH" in each for each in said
        )
        [file] = (tmp_path / "data").glob("self_correction_step8_*.jsonl")
        assert rows(tmp_path / "inbox" / file.name) == rows(file) and len(rows(file)) >= 3
        assert json.loads(file.with_suffix(".json").read_text())["breakdown"]["initial_attempts"] == 0
        assert "Self-Correction: Generated" in (tmp_path / "data" / "monitor.log").read_text()

    def test_its_share_of_the_time_is_kept(self, tmp_path: Path, model: Path) -> None:
        made = trainer(tmp_path, model, max_steps=60, eval_steps=3)
        keys = {"max_share": 0.05, "eval_max_tokens": 64, "self_correction": {"enabled": False}}
        LiveInferenceMonitor(config(tmp_path, **keys), say=lambda text: None).attach(made)
        made.train()
        shares = [each["monitor/seconds_share"] for each in made.state.log_history if "monitor/seconds_share" in each]
        print("shares", shares)
        assert len(shares) == 20 and shares[-1] < 0.1, (
            "a token more than allowed, on a machine of which others use half"
        )

    @pytest.mark.parametrize("broken", ["_answers", "_tell"])
    def test_no_error_of_the_monitor_ends_it(
        self, tmp_path: Path, model: Path, broken: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> Any:
            raise RuntimeError("planted")

        said: list[str] = []
        monkeypatch.setattr(LiveInferenceMonitor, broken, fail)
        made = trainer(tmp_path, model, eval_steps=2)
        LiveInferenceMonitor(config(tmp_path, max_errors=3), say=said.append).attach(made)
        made.train()
        assert made.state.global_step == 12
        assert [each for each in said if "turned off" in each] == [
            "monitor: turned off after 3 errors; the training goes on without it"
        ]
        log = (tmp_path / "data" / "monitor.log").read_text()
        assert log.count("Traceback") == 1 and log.count("once more: RuntimeError: planted") == 2


class TestGenerating:
    @pytest.fixture
    def loaded(self, model: Path) -> Any:
        return AutoModelForCausalLM.from_pretrained(model).train()

    def test_a_padded_batch_says_what_each_says_alone(self, model: Path, loaded: Any) -> None:
        speech = Speech.of(AutoTokenizer.from_pretrained(model))
        together = generate(loaded, speech, QUESTIONS, None, 12)
        assert together == [generate(loaded, speech, [each], None, 12)[0] for each in QUESTIONS]
        assert loaded.training and all(module.training for module in loaded.modules())
        [reply] = generate(loaded, speech, QUESTIONS[:1], None, 2)
        assert reply is not None and reply.finish_reason == "length"

    def test_no_random_number_is_drawn(self, model: Path, loaded: Any) -> None:
        speech, state = Speech.of(AutoTokenizer.from_pretrained(model)), torch.get_rng_state()
        generate(loaded, speech, QUESTIONS, "Be brief.", 4)
        assert torch.equal(torch.get_rng_state(), state)

    def test_when_the_time_is_over_there_is_no_answer(self, model: Path, loaded: Any) -> None:
        began = time.monotonic()
        speech = Speech.of(AutoTokenizer.from_pretrained(model))
        loaded.lm_head.weight.data[2] = 0  # it comes to no end by itself
        assert generate(loaded, speech, QUESTIONS[:1], None, 400, seconds=0.01) == [None]
        assert time.monotonic() - began < 30


class TestTheStart:
    def begin(self, root: Path, arguments: dict[str, Any], **state: Any) -> LiveInferenceMonitor:
        monitor = LiveInferenceMonitor(config(root), say=lambda text: None)
        args = SimpleNamespace(**{"eval_strategy": "steps", "eval_steps": 4, **arguments})
        given = {"max_steps": 12, "eval_steps": 4, "is_world_process_zero": True, **state}
        monitor.on_train_begin(args, TrainerState(**given), None, processing_class=SimpleNamespace(chat_template="x"))
        return monitor

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({"fsdp": "full_shard"}, "cannot generate under FSDP"),
            ({"hf_deepspeed_config": SimpleNamespace(is_zero3=lambda: True)}, "under DeepSpeed ZeRO-3"),
            ({"parallelism_config": object()}, "tensor or sequence parallelism"),
            ({"eval_strategy": "no"}, "this trainer makes none"),
        ],
    )
    def test_where_it_would_hang_or_never_look_it_refuses(
        self, tmp_path: Path, arguments: dict[str, Any], told: str
    ) -> None:
        with pytest.raises(InputError, match=told):
            self.begin(tmp_path, arguments)

    @pytest.mark.parametrize(
        ("name", "value"), [("ACCELERATE_USE_FSDP", "true"), ("ACCELERATE_DEEPSPEED_ZERO_STAGE", "3")]
    )
    def test_as_accelerate_launch_says_it(
        self, tmp_path: Path, name: str, value: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(name, value)
        with pytest.raises(InputError, match="cannot generate under"):
            self.begin(tmp_path, {})

    def test_steps_that_never_come_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="evaluates every 20 steps, and the training has 12"):
            self.begin(tmp_path, {}, eval_steps=20)

    def test_another_rank_does_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(live_module, "generate", None)
        monitor = self.begin(tmp_path, {}, is_world_process_zero=False)
        state = TrainerState(max_steps=12, global_step=4, is_world_process_zero=False)
        monitor.on_evaluate(None, state, None, model=None)
        monitor.on_train_end(None, state, None)
        assert not (tmp_path / "data").exists()

    def test_a_tokenizer_without_a_template_is_refused(self, tmp_path: Path) -> None:
        monitor = LiveInferenceMonitor(config(tmp_path))
        args = SimpleNamespace(eval_strategy="steps", eval_steps=4)
        with pytest.raises(InputError, match="chat template"):
            monitor.on_train_begin(args, TrainerState(max_steps=12, eval_steps=4), None, processing_class=None)
