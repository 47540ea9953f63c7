"""Is this machine able to run an experiment: packages, memory, disk, the models, and a training of two steps."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from augment_correction.errors import AugmentCorrectionError, installing
from augment_correction.experiment.checking import check_experiment
from augment_correction.finetuning import train
from augment_correction.llm.hf_engine import keep_quiet
from augment_correction.runner.finding import Finding, wrong
from augment_correction.training.config import TrainConfig

TRAINING = ("torch", "transformers", "peft", "trl", "datasets", "accelerate", "tokenizers", "gguf")
LEAST_MEMORY, LEAST_DISK = 4e9, 3e9
"""Bytes: a student of 135 million parameters and a generator of 1.5 billion in 4 bits, and both on disk."""
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def examine(config: str, overrides: Sequence[str] = ()) -> list[Finding]:
    """Everything that can be found out without an answer of the config's models."""
    findings = [*_packages(), *_machine()]
    findings += asyncio.run(check_experiment(config, overrides))
    if all(finding.ok for finding in findings[: len(TRAINING)]):
        findings.append(_two_steps())
    return findings


def _packages() -> Iterator[Finding]:
    for name in TRAINING:
        there = importlib.util.find_spec(name) is not None
        yield Finding(there, f"package {name}", None if there else installing("train"))


def _machine() -> Iterator[Finding]:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    memory, disk = pages * size, shutil.disk_usage(Path.cwd()).free
    yield Finding(
        memory >= LEAST_MEMORY,
        f"{memory / 1e9:.0f} GB of memory, {os.cpu_count()} cores",
        "choose a smaller student or generator",
    )
    yield Finding(
        disk >= LEAST_DISK,
        f"{disk / 1e9:.0f} GB free on the disk",
        "free some space, or set path.output_dir to another disk",
    )
    if importlib.util.find_spec("torch") is not None:
        import torch

        gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU: trainings run on the CPU"
        yield Finding(True, gpu)


def _two_steps() -> Finding:
    """A model of random weights, made here, trained on four rows."""
    begun = time.monotonic()
    try:
        with TemporaryDirectory() as folder:
            result = train(_tiny(Path(folder)))
    except AugmentCorrectionError as failure:
        return next(iter(wrong(failure)))
    steps = result.summary["steps"]
    return Finding(
        steps == 2,
        f"a training of {steps} steps on a tiny model: {time.monotonic() - begun:.0f} s",
        installing("train"),
    )


def _tiny(root: Path) -> TrainConfig:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM

    keep_quiet()

    model = root / "model"
    model.mkdir()
    said = [f"What is {number} ?" for number in range(8)]
    special = ["<unk>", "<|im_start|>", "<|im_end|>"]
    known = [
        *special,
        *dict.fromkeys(["user", "assistant", "system"] + [word for each in said for word in each.split()]),
    ]
    tokenizer: Any = Tokenizer(models.WordLevel({word: at for at, word in enumerate(known)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(model / "tokenizer.json"))
    described = {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>", "unk_token": "<unk>",
        "chat_template": CHATML,
    }  # fmt: skip
    (model / "tokenizer_config.json").write_text(json.dumps(described))
    shape = LlamaConfig(
        vocab_size=len(known), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    LlamaForCausalLM(shape).save_pretrained(model)
    rows = [
        {"messages": [{"role": "user", "content": each}, {"role": "assistant", "content": str(at)}]}
        for at, each in enumerate(said)
    ]
    (root / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return TrainConfig(
        model=str(model), data=(str(root / "rows.jsonl"),), output_dir=str(root / "out"), epochs=1, batch_size=4,
        gradient_accumulation=1, max_length=64, lora_r=2, lora_alpha=2, validation_split=0, gradient_checkpointing=False,
        precision="fp32",
    )  # fmt: skip
