"""Runs in the environment of another trainer, without this package: reads an export as that trainer reads it, and prints what it
would train of each row.

    PYTHON inside.py llamafactory|torchtune|unsloth EXPORTS MODEL

`EXPORTS` is the `exports` folder of a run with `openai`, `sharegpt` and `trl`, for LLaMA-Factory with `llamafactory`, too; `MODEL` a folder with a model and its tokenizer, whose
chat template is ChatML's. Printed is one line of JSON: by reader a list of the trained texts, a row each.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

IGNORED = -100


def llamafactory(exports: Path, model: Path) -> dict[str, list[str]]:
    """`mask_history` trains the last answer of each row; a tokenized dataset brings its own labels. Of pairs both replies are told,
    of rated replies those of each sort."""
    from datasets import load_dataset

    work = Path(tempfile.mkdtemp())
    info = {
        "corrections": {
            "file_name": str(exports / "sharegpt/conversations.jsonl"),
            "formatting": "sharegpt",
            "columns": {"messages": "conversations"},
        },
        "messages": {
            "file_name": str(exports / "openai/conversations.jsonl"),
            "formatting": "openai",
            "columns": {"messages": "messages"},
            "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"},
        },
    }
    (work / "dataset_info.json").write_text(json.dumps(info))
    load_dataset("parquet", data_files=str(exports / "trl/train.parquet"), split="train").save_to_disk(
        str(work / "tok")
    )

    def rows_of(stage: str, **data: Any) -> tuple[Any, Callable[[list[int]], str]]:
        from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
        from llamafactory.hparams import get_train_args
        from llamafactory.model import load_tokenizer

        model_args, data_args, training_args, _, _ = get_train_args({
            "model_name_or_path": str(model), "stage": stage, "do_train": True, "template": "chatml",
            "finetuning_type": "lora", "output_dir": str(work / "out"), "dataset_dir": str(work), "cutoff_len": 4096,
            "overwrite_cache": True, **data,
        })  # fmt: skip
        loaded = load_tokenizer(model_args)
        template = get_template_and_fix_tokenizer(loaded["tokenizer"], data_args)
        read = {"dpo": "rm"}.get(stage, stage)
        rows = get_dataset(template, model_args, data_args, training_args, stage=read, **loaded)["train_dataset"]
        return rows, loaded["tokenizer"].decode

    def read(**data: Any) -> list[str]:
        rows, decode = rows_of("sft", **data)
        return _trained(((row["labels"], row["labels"]) for row in rows), decode)

    own = {"dataset_dir": str(exports / "llamafactory")}
    pairs, decode = rows_of("dpo", dataset="corrections_dpo", **own)
    rated, _ = rows_of("kto", dataset="corrections_kto", **own)
    replies = {
        **{
            f"llamafactory, dpo: {side}": _trained(((row[f"{side}_labels"],) * 2 for row in pairs), decode)
            for side in ("chosen", "rejected")
        },
        **{
            f"llamafactory, kto: {good}": _trained(
                ((row["labels"],) * 2 for row in rated if row["kto_tags"] is good), decode
            )
            for good in (True, False)
        },
    }
    return replies | {
        "llamafactory, mask_history": read(dataset="corrections_sft", mask_history=True, **own),
        "sharegpt, mask_history": read(dataset="corrections", mask_history=True),
        "openai, mask_history": read(dataset="messages", mask_history=True),
        "trl, tokenized_path": read(dataset="corrections", tokenized_path=str(work / "tok")),
    }


def unsloth(exports: Path, model: Path) -> dict[str, list[str]]:
    """`train_on_responses_only` with `last_response_only` on messages; Parquet with labels goes to TRL's trainer as it is."""
    import unsloth as _  # noqa: F401  (before transformers)
    from datasets import load_dataset
    from transformers import AutoTokenizer
    from unsloth.chat_templates import standardize_data_formats, train_on_responses_only

    tokenizer = AutoTokenizer.from_pretrained(str(model))

    def encoded(rows: Iterable[dict[str, Any]], field: str) -> list[list[int]]:
        texts = [tokenizer.apply_chat_template(row[field], tokenize=False) for row in rows]
        return [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]

    only = train_on_responses_only(
        None, "<|im_start|>user\n", "<|im_start|>assistant\n", tokenizer=tokenizer, return_function=True,
        last_response_only=True,
    )  # fmt: skip
    rows = load_dataset("json", data_files=str(exports / "openai/conversations.jsonl"), split="train")
    labels = only({"input_ids": encoded(standardize_data_formats(rows), "messages")})["labels"]
    return {"openai, last_response_only": _trained(((each, each) for each in labels), tokenizer.decode)}


def torchtune(exports: Path, model: Path) -> dict[str, list[str]]:
    """Its own reader of messages trains every answer, mistakes too; a transform of six lines reads `weight`."""
    from torchtune.data import Message, OpenAIToMessages
    from torchtune.datasets import SFTDataset
    from torchtune.models.qwen2_5._tokenizer import QWEN2_5_SPECIAL_TOKENS, Qwen2_5Tokenizer

    def weighed(row: Any) -> dict[str, list[Message]]:
        return {
            "messages": [
                Message(role=each["role"], content=each["content"], masked=not each.get("weight"), eot=True)
                for each in row["messages"]
            ]
        }

    # its tokenizer of Qwen takes any byte-level BPE, in GPT-2's two files
    work, whole = Path(tempfile.mkdtemp()), json.loads((model / "tokenizer.json").read_text("utf-8"))
    (work / "vocab.json").write_text(json.dumps(whole["model"]["vocab"]), "utf-8")
    merges = (each if isinstance(each, str) else " ".join(each) for each in whole["model"]["merges"])
    (work / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", "utf-8")
    special = {each["content"]: each["id"] for each in whole["added_tokens"]}
    for number, name in enumerate(QWEN2_5_SPECIAL_TOKENS, len(whole["model"]["vocab"])):
        special.setdefault(name, number)
    tokenizer = Qwen2_5Tokenizer(str(work / "vocab.json"), str(work / "merges.txt"), special)
    made = {}
    for name, transform in (("openai, by weight", weighed), ("openai, torchtune's own transform", OpenAIToMessages())):
        rows = SFTDataset(
            source="json", data_files=str(exports / "openai/conversations.jsonl"), split="train",
            message_transform=transform, model_transform=tokenizer,
        )  # fmt: skip
        made[name] = _trained(((row["labels"], row["labels"]) for row in rows), tokenizer.decode)
    return made


def _trained(rows: Iterable[tuple[Any, Any]], decode: Callable[[list[int]], str]) -> list[str]:
    """The tokens whose label counts, as text."""
    return [decode([int(token) for token, label in zip(*row, strict=True) if int(label) != IGNORED]) for row in rows]


if __name__ == "__main__":
    reader = {each.__name__: each for each in (llamafactory, torchtune, unsloth)}[sys.argv[1]]
    print(json.dumps(reader(Path(sys.argv[2]), Path(sys.argv[3]))))
