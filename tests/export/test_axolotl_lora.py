from __future__ import annotations

from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import pytest
import yaml

from augment_correction.config import RunConfig
from augment_correction.export import ChatTemplate, Tokenizer, TrainingSet, axolotl_config, axolotl_yaml
from augment_correction.store import RunFolder
from tests.export.conversations import TEMPLATES

CHATML, LLAMA3 = TEMPLATES["chatml"], TEMPLATES["llama3 (trims)"]


def config(tmp_path: Path, **training: Any) -> RunConfig:
    return RunConfig.model_validate(
        {
            "pipeline": "correction",
            "api": {"small_model": "s", "large_model": "l"},
            "path": {"input_dir": "in", "output_dir": "out"},
            "training": training,
        }
    )


def keys(
    tmp_path: Path,
    rows: int = 400,
    template: ChatTemplate = CHATML,
    tokenizer: Tokenizer | None = None,
    *,
    several: bool = False,
    whole: bool = False,
    **training: Any,
) -> dict[str, Any]:
    data = TrainingSet(RunFolder(tmp_path), rows, "0123456789ab", template, tokenizer, whole)
    return axolotl_config(config(tmp_path, **training), data, several_gpus=several)


def test_the_keys_that_protect_the_mask(tmp_path: Path) -> None:
    made = keys(tmp_path)
    assert made["train_on_inputs"] is False
    assert made["excess_length_strategy"] == "raise"
    assert made["sample_packing"] is False and made["eval_sample_packing"] is False
    assert Path(made["datasets"][0]["path"]).is_absolute()
    assert made["dataset_prepared_path"].endswith("/prepared/0123456789ab")


@pytest.mark.parametrize("rows", [1, 7, 19, 40, 41, 400, 1_003, 50_000])
def test_evaluations_and_saves_happen(tmp_path: Path, rows: int) -> None:
    made = keys(tmp_path, rows)
    held_out = ceil(rows * 0.05) if made["val_set_size"] else 0
    steps = ceil(ceil((rows - held_out) / 2) / 4) * 2
    assert 1 <= made["save_steps"] <= max(1, steps)
    assert made["warmup_steps"] <= max(1, steps)
    if rows >= 40:
        assert made["eval_steps"] == made["save_steps"]
        assert 4 <= steps // made["eval_steps"] <= 8
    else:
        assert made["val_set_size"] == 0 and "eval_steps" not in made and "early_stopping_patience" not in made


def test_several_gpus_count_in_shares(tmp_path: Path) -> None:
    made = keys(tmp_path, several=True)
    assert made["eval_steps"] == made["save_steps"] == 0.2
    assert made["gradient_accumulation_steps"] == 1
    assert "warmup_steps" not in made
    text = axolotl_yaml(made, tmp_path / "axolotl_lora_multi_gpu.yaml", several_gpus=True).decode()
    assert "--num-processes" in text and yaml.safe_load(text) == made


def test_qlora(tmp_path: Path) -> None:
    made = keys(tmp_path, adapter="qlora")
    assert made["load_in_4bit"] is True and made["optimizer"] == "adamw_bnb_8bit"
    assert "load_in_4bit" not in keys(tmp_path)


def test_eos_and_pad_of_the_base_models_tokenizer(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    assert "special_tokens" not in keys(tmp_path)
    assert "special_tokens" not in keys(tmp_path, tokenizer=tokenizers["qwen"])
    assert keys(tmp_path, template=LLAMA3, tokenizer=tokenizers["llama"])["special_tokens"] == {
        "eos_token": "<|eot_id|>",
        "pad_token": "<|finetune_right_pad_id|>",
    }
    pads_with_eos = replace(tokenizers["qwen"], pad_token="<|im_end|>")
    assert keys(tmp_path, tokenizer=pads_with_eos)["special_tokens"] == {"pad_token": "<|endoftext|>"}


def test_a_template_whose_end_is_plain_text_changes_no_token(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    assert "special_tokens" not in keys(tmp_path, template=TEMPLATES["augmentoolkit"], tokenizer=tokenizers["qwen"])


def test_rows_that_cannot_be_cut_are_trained_as_a_whole(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    inst = TEMPLATES["inst (alternating, space before)"]
    made = keys(tmp_path, template=inst, tokenizer=tokenizers["mistral"], whole=True)
    assert made["datasets"][0]["type"] == "chat_template"
    assert made["datasets"][0]["message_field_training"] == "train"
    assert made["eot_tokens"] == ["</s>"]


def test_a_local_base_model_is_an_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    assert keys(tmp_path, base_model=str(tmp_path / "model"))["base_model"] == str(tmp_path / "model")
    assert keys(tmp_path, base_model="Qwen/Qwen2.5-7B")["base_model"] == "Qwen/Qwen2.5-7B"
