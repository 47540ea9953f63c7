"""What does our trainer cost beside plain TRL? Tokens per second of the same rows, steps and LoRA, by turns.

    make .venv/installed-dev
    .venv/bin/python -m benchmarks.training_speed                       # SmolLM2-135M; a GPU where there is one
    .venv/bin/python -m benchmarks.training_speed --model ./model --steps 50 --monitor

Ours is what `train` runs: our labels, early stopping's book-keeping, checkpoints, TensorBoard. Plain is `SFTTrainer` with the
same token rows (TRL's own `input_ids` and `labels`), nothing attached and nothing saved. Neither evaluates; with the monitor,
which looks at each evaluation, a quarter of the rows is held out for them, and their time counts. Each training is
a process of its own; they take turns, so that other work on the machine meets both. Time counts from the first step to the
last: by the clock, and by the processor, which on a shared machine without a GPU is the fairer one. The target is 95 % of
plain TRL.

What it does not show: loading the model, tokenising the rows, evaluations, long rows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from augment_correction.llm.hf_weights import dequantised
from benchmarks.learning import SMALL

QUESTION, BAD, GOOD = (
    "How many eggs does the queen of hive {n} lay?",
    "She lays {n} eggs.",
    "She lays 2,000 eggs a day.",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a folder; unset, SmolLM2-135M-Instruct")
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--turns", type=int, default=3, help="trainings of each kind")
    parser.add_argument("--monitor", action="store_true", help="a third kind: ours with the monitor attached")
    parser.add_argument("--arm", choices=("ours", "plain", "monitored"), help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.arm:
        print(json.dumps(measure(chosen.arm, chosen.work, chosen.model, chosen.steps)))
        return
    model = (chosen.model or dequantised(SMALL)).resolve()
    arms = ["plain", "ours", *(["monitored"] if chosen.monitor else [])]
    with tempfile.TemporaryDirectory() as work:
        write_rows(Path(work), chosen.rows)
        given = ["--work", work, "--model", str(model), "--steps", str(chosen.steps)]
        found: dict[str, list[Speed]] = {arm: [] for arm in arms}
        for turn in range(chosen.turns):
            for arm in arms:
                command = [sys.executable, "-m", "benchmarks.training_speed", "--arm", arm, *given]
                said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                found[arm].append(Speed(*json.loads(said.splitlines()[-1])))
                print(f"turn {turn + 1}: {arm} {found[arm][-1].clock:,.0f} tokens/s", file=sys.stderr)
    print(
        "| trainer | tokens/s, each turn | of plain TRL | tokens per CPU second | of plain TRL |\n|---|---|---|---|---|"
    )
    for arm in arms:
        columns = []
        for name in Speed._fields:
            mine, plain = ([getattr(each, name) for each in found[which]] for which in (arm, "plain"))
            columns += [", ".join(f"{speed:,.0f}" for speed in mine), f"{median(mine) / median(plain):.0%}"]
        print(f"| {arm} | {' | '.join(columns)} |")


def write_rows(work: Path, number: int) -> None:
    rows = ({"instruction": QUESTION.format(n=n), "input": BAD.format(n=n), "output": GOOD} for n in range(number))
    (work / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = ({"question": f"Who swims in pond {n}?", "reference": "A pike does."} for n in range(200))
    (work / "monitor.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))


class Speed(NamedTuple):
    """Tokens per second."""

    clock: float
    processor: float


def measure(arm: str, work: Path, model: Path, steps: int) -> Speed:
    """Between the end of the first step and the end of the last."""
    from transformers import TrainerCallback

    from augment_correction.training.config import TrainConfig
    from augment_correction.training.preparing import prepare

    times: list[tuple[float, float]] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            times.append((time.perf_counter(), time.process_time()))

    held_out = 0.25 if arm == "monitored" else 0
    rows = sum(1 for _ in (work / "rows.jsonl").open()) * (1 - held_out)
    config = TrainConfig(
        model=str(model), data=(str(work / "rows.jsonl"),), output_dir=tempfile.mkdtemp(dir=work), validation_split=held_out,
        batch_size=4, gradient_accumulation=2, epochs=steps * 8 / rows, resume=False, save_steps=steps,
    )  # fmt: skip
    prepared = prepare(config)
    attach = _monitor(work) if arm == "monitored" else lambda trainer: None
    if arm == "plain":
        _plain(prepared, Clock())
    else:
        from augment_correction.training.trainer import train

        train(prepared, attach=lambda trainer: (attach(trainer), trainer.add_callback(Clock()))[1])
    tokens = sum(len(row.ids) for row in prepared.train.rows) / len(prepared.train.rows) * 8 * (len(times) - 1)
    return Speed(*(tokens / (end - begin) for begin, end in zip(times[0], times[-1], strict=True)))


def _monitor(work: Path) -> Any:
    from augment_correction.monitor import LiveInferenceMonitor, MonitorConfig

    keys = MonitorConfig(split=str(work / "monitor.jsonl"), data_dir=tempfile.mkdtemp(dir=work), eval_max_tokens=32)
    return lambda trainer: LiveInferenceMonitor(keys).attach(trainer)


def _plain(prepared: Any, clock: Any) -> None:
    """As TRL's documentation does it, with our token rows."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    config, bf16 = prepared.config, torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    rows = [{"input_ids": list(row.ids), "labels": list(row.labels)} for row in prepared.train.rows]
    arguments = SFTConfig(
        output_dir=tempfile.mkdtemp(), max_steps=prepared.schedule.steps, learning_rate=config.learning_rate,
        per_device_train_batch_size=config.batch_size, gradient_accumulation_steps=config.gradient_accumulation,
        lr_scheduler_type="cosine", warmup_steps=prepared.schedule.warmup_steps, bf16=bf16,
        use_cpu=not torch.cuda.is_available(), activation_checkpointing=config.gradient_checkpointing,
        save_strategy="no", report_to="none", max_length=None, seed=config.seed,
        dataset_kwargs={"skip_prepare_dataset": True}, disable_tqdm=True,
    )  # fmt: skip
    dtype = torch.bfloat16 if bf16 else torch.float32
    SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(prepared.folder, dtype=dtype),
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(prepared.folder),
        peft_config=LoraConfig(
            r=config.lora_r, lora_alpha=config.lora_alpha, lora_dropout=config.lora_dropout,
            target_modules="all-linear", task_type="CAUSAL_LM",
        ),
        callbacks=[clock],
    ).train()  # fmt: skip


if __name__ == "__main__":
    main()
