"""Real trainings of a model of 100,000 random weights, with the monitor and without it."""

from __future__ import annotations

import gc
import json
import os
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("transformers", reason="needs the extra train")

from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainerCallback, TrainerState, TrainingArguments  # noqa: E402

from augment_correction.errors import ConfigError, InputError  # noqa: E402
from augment_correction.failures import read_failures  # noqa: E402
from augment_correction.finetuning import _monitored  # noqa: E402
from augment_correction.llm.hf_rows import ChatFormat  # noqa: E402
from augment_correction.monitor import LiveInferenceMonitor, MonitorConfig  # noqa: E402
from augment_correction.monitor import live as live_module  # noqa: E402
from augment_correction.monitor.generating import generate  # noqa: E402
from augment_correction.monitor.keeping import MonitorStore  # noqa: E402
from augment_correction.monitor.observing import Observer  # noqa: E402
from augment_correction.monitor.sorting import RawReply  # noqa: E402
from augment_correction.rows import Item  # noqa: E402
from augment_correction.training.prepared import Prepared  # noqa: E402
from augment_correction.training.workspace import Workspace  # noqa: E402
from tests.cli.program import Made, program  # noqa: E402
from tests.monitor.making import rows, split, write_lines  # noqa: E402
from tests.training.making import config as training_config  # noqa: E402
from tests.training.making import failures, hard  # noqa: E402

pytestmark = [
    pytest.mark.usefixtures("one_torch_thread"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers", "ignore::UserWarning:torch"),
]
ARGUMENTS = {
    "eval_strategy": "steps", "eval_steps": 4, "eval_delay": 0, "logging_first_step": False, "logging_strategy": "no",
    "save_strategy": "no",
}  # fmt: skip
QUESTIONS = ["Where was she born?", "And why?", "Who keeps hive 7, and since when does he or she keep it?"]


def config(root: Path, **keys: Any) -> MonitorConfig:
    if not (root / "split.jsonl").exists():
        split(root / "split.jsonl")
        write_lines(root / "gate.jsonl", [{"question": "Who keeps the hives?", "reference": "Dora."}])
    # What a model of random weights says, no words of a reference can call wrong.
    reply = '{"reason": "It says nothing.", "verdict": "wrong"}'
    (root / "judge.yaml").write_text(json.dumps({"rules": [{"contains": "Answer:", "text": reply}]}))
    made = {
        "judge": {"model": "judge", "mode": "scripted", "script": str(root / "judge.yaml")},
        "split": str(root / "split.jsonl"), "data_dir": str(root / "data"), "queue_dir": str(root / "inbox"),
        "gate": str(root / "gate.jsonl"), "eval_max_tokens": 8, "max_share": 1.0, **keys,
    }  # fmt: skip
    return MonitorConfig.model_validate(made)


def trainer(root: Path, tiny_model: Path, **arguments: Any) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    texts = [f"Hive {number} has {number * 7} bees, and {number} of them fly." for number in range(24)]
    ids = [tokenizer(text)["input_ids"][:12] for text in texts]
    data = [{"input_ids": each, "labels": each, "attention_mask": [1] * len(each)} for each in ids]
    loaded = AutoModelForCausalLM.from_pretrained(tiny_model, attention_dropout=0.1)
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
    def test_its_losses_are_the_same_to_the_bit(self, tmp_path: Path, tiny_model: Path) -> None:
        alone = trainer(tmp_path, tiny_model)
        expected = losses(alone)
        watched = trainer(tmp_path, tiny_model)
        kept = {"min_examples": 1000}
        monitor = LiveInferenceMonitor(config(tmp_path, self_correction=kept), say=lambda text: None)
        monitor.attach(watched)
        use_cache = watched.model.config.use_cache
        assert losses(watched) == expected and len(expected) > 12
        before, after = (made.model.state_dict() for made in (alone, watched))
        assert all(torch.equal(before[name], after[name]) for name in before)
        assert watched.model.config.use_cache == use_cache
        seen = list(read_failures(tmp_path / "data" / "buffer.jsonl"))
        assert {each.step for each in seen} == {4, 8, 12} and all(each.model == str(tiny_model) for each in seen)

    def test_it_logs_says_and_makes_files(self, tmp_path: Path, tiny_model: Path) -> None:
        said: list[str] = []
        made = trainer(tmp_path, tiny_model)
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
        [last] = (tmp_path / "data").glob("self_correction_step12_*.jsonl")
        assert {row["id"] for row in rows(last)}.isdisjoint(row["id"] for row in rows(file))
        assert "Self-Correction: Generated" in (tmp_path / "data" / "monitor.log").read_text()

    def test_an_interval_beyond_its_end_is_told_and_the_file_is_made_at_the_end(
        self, tmp_path: Path, tiny_model: Path
    ) -> None:
        said: list[str] = []
        made = trainer(tmp_path, tiny_model)
        LiveInferenceMonitor(config(tmp_path), say=said.append).attach(made)
        made.train()
        assert "generation_interval is 500 steps, and the last evaluation comes at step 12 of 12" in said[0]
        [file] = (tmp_path / "data").glob("self_correction_step12_*.jsonl")
        assert len(rows(file)) >= 10

    def test_its_share_of_the_time_is_kept(self, tmp_path: Path, tiny_model: Path) -> None:
        made = trainer(tmp_path, tiny_model, max_steps=60, eval_steps=3)
        keys = {"max_share": 0.05, "eval_max_tokens": 64, "self_correction": {"enabled": False}}
        LiveInferenceMonitor(config(tmp_path, **keys), say=lambda text: None).attach(made)
        made.train()
        shares = [each["monitor/seconds_share"] for each in made.state.log_history if "monitor/seconds_share" in each]
        print("shares", shares)
        assert len(shares) == 20 and shares[-1] < 0.1, (
            "a token more than allowed, on a machine of which others use half"
        )

    def test_the_last_step_is_looked_at_where_the_trainer_evaluates_it(self, tmp_path: Path, tiny_model: Path) -> None:
        said: list[str] = []
        made = trainer(tmp_path, tiny_model, eval_steps=50)
        LiveInferenceMonitor(config(tmp_path, self_correction={"generation_interval": 12}), say=said.append).attach(
            made
        )
        made.train()
        assert [entry["step"] for entry in made.state.log_history if "monitor/seconds_share" in entry] == [12]
        assert not any("no file falls due" in each for each in said)

    def test_a_second_trainer_is_watched_after_one_that_ran_out_of_memory(
        self, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While the first one's file is being made, and without keeping its model."""

        class Full(TrainerCallback):  # type: ignore[misc]
            def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
                if state.global_step == 9:
                    raise torch.OutOfMemoryError("planted")

        made_by = Observer._make_apart
        monkeypatch.setattr(Observer, "_make_apart", lambda self: (time.sleep(3), made_by(self))[1])
        split(tmp_path / "split.jsonl")
        paths = {"split": "split.jsonl", "data_dir": "data", "queue_dir": "inbox"}
        keys = {**{name: str(tmp_path / path) for name, path in paths.items()}, "eval_max_tokens": 8, "max_share": 1.0}
        due = {"min_examples": 3, "generation_interval": 4}
        judge = config(tmp_path).judge
        assert judge is not None
        named = {"judge": {"model": "judge", "mode": "scripted", "script": judge.script}}
        (tmp_path / "monitor.yaml").write_text(json.dumps({**keys, **named, "self_correction": due}))
        trained = training_config(
            tmp_path, model=str(tiny_model), monitor=str(tmp_path / "monitor.yaml"), data=["rows"]
        )
        write_lines(Workspace(trained.output).trained, [])
        attach = _monitored(
            cast(Prepared, SimpleNamespace(config=trained, gathered=SimpleNamespace(sources=[], gates={})))
        )
        first = trainer(tmp_path, tiny_model)
        gone = weakref.ref(first.model)
        attach(first)
        first.add_callback(Full())
        with pytest.raises(torch.OutOfMemoryError):
            first.train()
        del first
        gc.collect()
        assert gone() is None
        second = trainer(tmp_path, tiny_model)
        attach(second)
        second.train()
        assert [each["step"] for each in second.state.log_history if "monitor/seconds_share" in each] == [4, 8, 12]
        assert len(list((tmp_path / "data").glob("self_correction_step4_*.jsonl"))) >= 1

    def test_a_judge_that_is_away_turns_it_off_only_where_nothing_else_decides(
        self, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        judge = {"model": "judge", "mode": "scripted", "script": str(tmp_path / "nowhere.yaml")}
        for decides, off in ((True, 0), (False, 1)):

            def answers(
                self: Any, model: Any, items: Sequence[Item], seconds: float, decides: bool = decides
            ) -> list[RawReply]:
                said = [RawReply(f"It is not {item.reference}") for item in items]
                return [RawReply("Hugo Pommer."), *said[1:]] if decides else said

            monkeypatch.setattr(LiveInferenceMonitor, "_answers", answers)
            said: list[str] = []
            made = trainer(tmp_path, tiny_model, eval_steps=2)
            keys = {"max_errors": 3, "judge": judge, "data_dir": str(tmp_path / str(decides))}
            LiveInferenceMonitor(config(tmp_path, **keys), say=said.append).attach(made)
            made.train()
            assert sum("turned off after 3 errors" in each for each in said) == off
            assert "nowhere.yaml" in (tmp_path / str(decides) / "monitor.log").read_text()

    @pytest.mark.parametrize("broken", ["_answers", "_tell"])
    def test_no_error_of_the_monitor_ends_it(
        self, tmp_path: Path, tiny_model: Path, broken: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> Any:
            raise RuntimeError("planted")

        said: list[str] = []
        monkeypatch.setattr(LiveInferenceMonitor, broken, fail)
        made = trainer(tmp_path, tiny_model, eval_steps=2)
        keys = {"max_errors": 3, "self_correction": {"generation_interval": 10}}
        LiveInferenceMonitor(config(tmp_path, **keys), say=said.append).attach(made)
        made.train()
        assert made.state.global_step == 12
        assert [each for each in said if "turned off" in each] == [
            "monitor: turned off after 3 errors; the training goes on without it"
        ]
        log = (tmp_path / "data" / "monitor.log").read_text()
        assert log.count("Traceback") == 1 and log.count("once more: RuntimeError: planted") == 2


class TestTheTrainCommand:
    def train(self, root: Path, tiny_model: Path, **keys: str) -> Made:
        """On schema 2 rows, with a monitor that names neither training data nor a gate."""
        training_config(root, model=str(tiny_model), hard_failures_data=["rows.jsonl"], epochs=1, **keys)
        failures(root / "rows.jsonl", hard(range(12)))
        (root / "monitor.yaml").write_text("{split: split.jsonl, data_dir: data, eval_max_tokens: 8, max_share: 1.0}")
        return program("train", "train.yaml", "--monitor", "monitor.yaml", cwd=root, OMP_NUM_THREADS="1")

    def test_what_it_trains_must_not_be_asked(self, tmp_path: Path, tiny_model: Path) -> None:
        write_lines(tmp_path / "split.jsonl", [{"question": "Who keeps hive 3?", "reference": "Dora does."}])
        done = self.train(tmp_path, tiny_model)
        assert done.code == 2 and "also occur in the training data, in 1 rows of" in done.err, done.err
        assert "Traceback" not in done.err

    def test_nor_what_its_gate_asks(self, tmp_path: Path, tiny_model: Path) -> None:
        asked = {"question": "Why is the sky blue?", "reference": "It scatters light."}
        write_lines(tmp_path / "split.jsonl", [asked])
        write_lines(tmp_path / "gate.jsonl", [{"id": "1", "group": "plain", "passage": "The sky.", **asked}])
        done = self.train(tmp_path, tiny_model, gate="gate.jsonl")
        assert done.code == 2 and "also occur in the held-out set" in done.err, done.err


PROCESS = """
import json, os, sys
from pathlib import Path
import torch
from augment_correction.monitor import LiveInferenceMonitor
from tests.monitor.test_live import config, losses, trainer
root, model = Path(sys.argv[1]), Path(sys.argv[2])
found = {}
for how in ("alone", "watched"):
    made = trainer(root, model, ddp_backend="gloo", gradient_checkpointing=False, max_steps=6, eval_steps=2)
    if how == "watched":
        LiveInferenceMonitor(config(root, self_correction={"min_examples": 3}), say=lambda text: None).attach(made)
    found[how] = losses(made)
print(json.dumps({"processes": made.args.world_size, **found}), flush=True)
# Left to the end of the interpreter, one process closes its sockets while the other still waits, and gloo aborts; and a thread of torch that
# outlives `main` ends the process with SIGABRT (once in some hundred runs beside other work).
torch.distributed.barrier()
torch.distributed.destroy_process_group()
os._exit(0)
"""


class TestTwoProcesses:
    def train(self, root: Path, tiny_model: Path) -> list[dict[str, Any]]:
        """What each process says of two trainings under DDP; both must come to their end."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
        begun = [
            subprocess.Popen(
                [sys.executable, "-c", PROCESS, str(root), str(tiny_model)],
                env={**os.environ, **shared, "RANK": rank, "LOCAL_RANK": rank},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in ("0", "1")
        ]
        try:
            ended = [each.communicate(timeout=240) for each in begun]
        finally:
            for each in begun:
                each.kill()
        assert [each.returncode for each in begun] == [0, 0], [err[-2000:] for _, err in ended]
        return [json.loads(out.splitlines()[-1]) for out, _ in ended]

    def test_both_end_the_first_alone_writes_and_losses_are_the_same(self, tmp_path: Path, tiny_model: Path) -> None:
        config(tmp_path)  # its questions
        first, second = self.train(tmp_path, tiny_model)
        assert first["processes"] == 2 and len(first["alone"]) > 6
        assert [each["watched"] for each in (first, second)] == [each["alone"] for each in (first, second)]
        [file] = (tmp_path / "data").glob("self_correction_step6_*.jsonl")
        asked = [each for batch in MonitorStore(tmp_path / "data").batches() for each in read_failures(batch.failures)]
        assert rows(file) and len({(each.step, each.question) for each in asked}) == len(asked) == 12


class TestGenerating:
    @pytest.fixture
    def loaded(self, tiny_model: Path) -> Any:
        return AutoModelForCausalLM.from_pretrained(tiny_model).train()

    def test_a_padded_batch_says_what_each_says_alone(self, tiny_model: Path, loaded: Any) -> None:
        speech = ChatFormat.of(AutoTokenizer.from_pretrained(tiny_model))
        together = generate(loaded, speech, QUESTIONS, None, 12)
        assert together == [generate(loaded, speech, [each], None, 12)[0] for each in QUESTIONS]
        assert loaded.training and all(module.training for module in loaded.modules())
        [reply] = generate(loaded, speech, QUESTIONS[:1], None, 2)
        assert reply is not None and (reply.finish_reason, reply.ended) == ("length", False)

    def test_no_random_number_is_drawn(self, tiny_model: Path, loaded: Any) -> None:
        speech, state = ChatFormat.of(AutoTokenizer.from_pretrained(tiny_model)), torch.get_rng_state()
        generate(loaded, speech, QUESTIONS, "Be brief.", 4)
        assert torch.equal(torch.get_rng_state(), state)

    def test_when_the_time_is_over_there_is_no_answer(self, tiny_model: Path, loaded: Any) -> None:
        began = time.monotonic()
        speech = ChatFormat.of(AutoTokenizer.from_pretrained(tiny_model))
        loaded.lm_head.weight.data[2] = 0  # it comes to no end by itself
        assert generate(loaded, speech, QUESTIONS[:1], None, 400, seconds=0.01) == [None]
        assert time.monotonic() - began < 30


class TestTheStart:
    def begin(self, root: Path, arguments: dict[str, Any], **state: Any) -> LiveInferenceMonitor:
        monitor = LiveInferenceMonitor(config(root), say=lambda text: None)
        args = SimpleNamespace(**{**ARGUMENTS, **arguments})
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
            self.begin(tmp_path, {"eval_delay": 20}, eval_steps=20)  # so not at the last step either

    def test_another_rank_does_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(live_module, "generate", None)
        monitor = self.begin(tmp_path, {}, is_world_process_zero=False)
        state = TrainerState(max_steps=12, global_step=4, is_world_process_zero=False)
        monitor.on_evaluate(None, state, None, model=None)
        monitor.on_train_end(None, state, None)
        assert not (tmp_path / "data").exists()

    def test_a_tokenizer_without_a_template_is_refused(self, tmp_path: Path) -> None:
        monitor = LiveInferenceMonitor(config(tmp_path))
        args = SimpleNamespace(**ARGUMENTS)
        with pytest.raises(InputError, match="chat template"):
            monitor.on_train_begin(args, TrainerState(max_steps=12, eval_steps=4), None, processing_class=None)
