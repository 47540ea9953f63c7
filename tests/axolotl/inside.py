"""What needs Axolotl's own environment: `python inside.py versions|build|preprocess|keys|load ...` by its Python."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def versions() -> None:
    """What is proven."""
    from importlib.metadata import version

    names = ("torch", "transformers", "trl", "peft", "datasets")
    others = ", ".join(f"{name} {version(name)}" for name in names)
    print(f"Axolotl {version('axolotl')} on Python {sys.version.split()[0]}; {others}")


def build(*pairs: str) -> None:
    """(folder, kind) pairs: a model small enough for a CPU beside each tokenizer."""
    for folder, kind in zip(pairs[::2], pairs[1::2], strict=True):
        build_one(folder, kind)


def build_one(folder: str, kind: str) -> None:
    """For `mistral-sp` the tokenizer as well, from its SentencePiece file."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, LlamaTokenizer, Qwen2Config, Qwen2ForCausalLM

    if kind == "mistral-sp":
        tokenizer = LlamaTokenizer.from_pretrained(folder)
        tokenizer.chat_template = Path(folder, "chat_template.jinja").read_text()
        tokenizer.save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(1)
    sizes: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    if kind == "qwen":
        Qwen2ForCausalLM(Qwen2Config(**sizes)).save_pretrained(folder)
    else:
        LlamaForCausalLM(LlamaConfig(**sizes)).save_pretrained(folder)


def preprocess(*files: str) -> None:
    """`axolotl preprocess FILE` for each, in one process; prints the seconds of each."""
    from axolotl.cli.main import cli

    seconds = []
    for file in files:
        started = time.monotonic()
        cli(["preprocess", file], standalone_mode=False)
        seconds.append(time.monotonic() - started)
        dump(Path(file).parent / "check_prepared", Path(file).with_suffix(".jsonl"))
    print("\n" + json.dumps(seconds))


def dump(prepared: Path, file: Path) -> None:
    """The rows of `axolotl preprocess` in their order."""
    from datasets import load_from_disk

    folder = next(path.parent for path in sorted(prepared.glob("*/dataset_info.json")))
    with file.open("w") as out:
        for row in load_from_disk(str(folder)):
            out.write(json.dumps([list(row["input_ids"]), list(row["labels"])]) + "\n")


def keys(*files: str) -> None:
    """Fails where a config has a key that Axolotl does not know or calls deprecated: it would only ignore or log it."""
    import yaml
    from axolotl.utils.schemas.config import AxolotlInputConfig
    from axolotl.utils.schemas.datasets import SFTDataset

    wrong = []
    for file in files:
        config = yaml.safe_load(Path(file).read_text())
        entries = [(AxolotlInputConfig, config)] + [(SFTDataset, entry) for entry in config["datasets"]]
        for model, mapping in entries:
            known = dict(model.model_fields)
            known |= {field.alias: field for field in model.model_fields.values() if field.alias}
            wrong += [f"{file}: unknown key {key}" for key in mapping if key not in known]
            wrong += [f"{file}: deprecated key {key}" for key in mapping if key in known and known[key].deprecated]
        AxolotlInputConfig(**config)
    print("\n".join(wrong) or f"{len(files)} configs: no unknown and no deprecated key")
    sys.exit(bool(wrong))


def load(*folders: str) -> None:
    """Each folder as Hugging Face `datasets` loads it, without what an earlier check left in its cache."""
    from datasets import load_dataset

    with TemporaryDirectory() as cache:
        print(json.dumps([load_dataset(folder, split="train", cache_dir=cache).num_rows for folder in folders]))


if __name__ == "__main__":
    {"versions": versions, "build": build, "preprocess": preprocess, "keys": keys, "load": load}[sys.argv[1]](
        *sys.argv[2:]
    )
