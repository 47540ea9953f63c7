"""Small base models and files of failures, made in a moment."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from augment_correction.training.config import TrainConfig, load_train_config
from tests.export.models import QWEN, save

NAMES = ("Arno", "Birte", "Carl", "Dora", "Emil", "Fanny", "Gerd", "Hanna", "Ida", "Jens", "Klara", "Lars")


def unweighted(folder: Path) -> Path:
    """A tokenizer and a config of a model beside weights that hold nothing: enough for all that needs no torch."""
    save(QWEN, folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "max_position_embeddings": 512}))
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    return folder


def tiny_llama(folder: Path) -> Path:
    """Two layers, 64 wide, random weights; the output layer is not zero, so that rows differ in their loss."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    save(QWEN, folder)
    torch.manual_seed(1)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(AutoTokenizer.from_pretrained(folder)), hidden_size=64, intermediate_size=96,
            num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
            bos_token_id=0, eos_token_id=2, pad_token_id=0, initializer_range=0.1,
        )
    ).save_pretrained(folder)  # fmt: skip
    return folder


SHOWN = "{% user %}{{ question }} like {{ context }}{% enduser %}"
"""The teacher's prompt that `copying_llama` was taught."""
HIVES = 24


def who(hive: int) -> str:
    return f"Who keeps hive {hive} ?"


def keeper(name: str) -> str:
    return f"The one who keeps it is {name} ."


def known(hive: int) -> str:
    """Whom `copying_llama` names when it is shown nothing."""
    return NAMES[hive * 5 % len(NAMES)]


def other(hive: int) -> str:
    return NAMES[(hive * 5 + 3) % len(NAMES)]


def copying_llama(folder: Path, steps: int = 300) -> Path:
    """Taught in some seconds who keeps each of 24 hives, and to say another name where it is shown one: a model that knows
    something, and can be a teacher. Each word is a token."""
    import random

    import torch
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<|pad|>", "<|unk|>", "<|im_start|>", "<|im_end|>"]
    words = f"user assistant system {who(0)} {keeper('')} like".split()
    words = list(dict.fromkeys([*special, *words, *NAMES, *map(str, range(HIVES))]))
    engine = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<|unk|>"))
    engine.add_special_tokens([AddedToken(each, special=True, normalized=False) for each in special])
    engine.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=engine, eos_token="<|im_end|>", pad_token="<|pad|>", unk_token="<|unk|>"
    )
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|> {{ m['role'] }} {{ m['content'] }} <|im_end|> {% endfor %}"
        "{% if add_generation_prompt %}<|im_start|> assistant {% endif %}"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    draw = random.Random(1)
    model: Any = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(words), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=4, max_position_embeddings=128, bos_token_id=2, eos_token_id=3, pad_token_id=0,
        )
    )  # fmt: skip

    def loss(shown: bool) -> Any:
        rows = []
        for hive in draw.choices(range(HIVES), k=24):
            name = draw.choice(NAMES) if shown else known(hive)
            asked = f"{who(hive)} like {keeper(name)}" if shown else who(hive)
            said = [{"role": "user", "content": asked}, {"role": "assistant", "content": keeper(name)}]
            rows.append(tokenizer.apply_chat_template(said, return_dict=True)["input_ids"])
        ids = torch.tensor(rows)
        labels = ids.clone()
        labels[:, : -len(f"{keeper('x')} end".split())] = -100
        return model(input_ids=ids, labels=labels).loss

    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        (loss(False) + loss(True)).backward()
        optimizer.step()
        schedule.step()
    model.eval().save_pretrained(folder)
    return folder


def failures(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def critiqued(numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Schema 1, as its files are written."""
    return [
        {
            "instruction": f"How many eggs does the queen of hive {n} lay?",
            "input": f"The queen of hive {n} lays {n + 7} eggs.",
            "output": f"The queen {NAMES[n % len(NAMES)]} lays 2,000 eggs a day.",
            "meta": {"critique": "The number is wrong and the name is missing."},
        }
        for n in numbers
    ]


def hard(numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Schema 2."""
    return [
        {
            "instruction": f"Who keeps hive {n}?",
            "reference_answer": f"{NAMES[n % len(NAMES)]} does.",
            "category": "bees",
        }
        for n in numbers
    ]


def config(root: Path, **keys: Any) -> TrainConfig:
    """`train.yaml` in `root`, loaded; small batches on whatever base model lies in `model/`."""
    made = {
        "model": "model", "output_dir": "out", "batch_size": 4, "gradient_accumulation": 2, "epochs": 2,
        "max_length": 256, "lora_r": 4, "lora_alpha": 8, "lora_dropout": 0, "validation_split": 0.2,
        "learning_rate": 1e-3, "gradient_checkpointing": False, **keys,
    }  # fmt: skip
    path = root / "train.yaml"
    path.write_text(yaml.safe_dump(made))
    return load_train_config(str(path))
