"""Models and adapters from a hub bring numbers and never code: no module of theirs, no pickle, no question at the terminal."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from augment_correction.errors import InputError
from augment_correction.llm.hf_engine import HFEngine
from augment_correction.llm.hf_rows import ChatFormat

pytest.importorskip("torch")
MARK = "RAN"


class Bomb:
    def __reduce__(self) -> Any:
        return os.system, (f"touch {MARK}",)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whose config names code that lies beside it. At the terminal sits somebody who answers yes to whatever is asked."""
    from transformers import LlamaConfig, LlamaForCausalLM

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    folder = tmp_path / "model"
    shape = LlamaConfig(vocab_size=32, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2)
    LlamaForCausalLM(shape).save_pretrained(folder)
    code = f"open({str(tmp_path / MARK)!r}, 'w')\nfrom transformers import LlamaConfig as Config, LlamaForCausalLM as Model\n"
    (folder / "evil.py").write_text(code, encoding="utf-8")
    return folder


def point_at_code(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    code = {"auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}}
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | code | changes), encoding="utf-8")


def test_a_known_kind_of_model_is_loaded_by_transformers_own_code(model: Path, tmp_path: Path) -> None:
    point_at_code(model)
    engine = HFEngine(model)
    engine.add_user(None)
    engine.release()
    assert not (tmp_path / MARK).exists()


def test_an_unknown_kind_is_refused(model: Path, tmp_path: Path) -> None:
    point_at_code(model, model_type="evil", architectures=["Model"])
    with pytest.raises(InputError, match="cannot be loaded"):
        HFEngine(model)
    assert not (tmp_path / MARK).exists()


def test_a_tokenizers_code_is_not_run(model: Path, tmp_path: Path) -> None:
    point_at_code(model, model_type="evil")
    named = {"tokenizer_class": "Tokenizer", "auto_map": {"AutoTokenizer": ["evil.Tokenizer", None]}}
    (model / "tokenizer_config.json").write_text(json.dumps(named), encoding="utf-8")
    with pytest.raises(InputError):
        ChatFormat(model, None)
    assert not (tmp_path / MARK).exists()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
def test_weights_that_are_a_pickle_are_not_opened(model: Path, tmp_path: Path, name: str) -> None:
    (model / "model.safetensors").unlink()
    (model / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match="cannot be loaded"):
        HFEngine(model)
    assert not (tmp_path / MARK).exists()


def test_an_adapter_that_is_a_pickle_is_not_opened(model: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    shape = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "target_modules": ["q_proj"]}
    (adapter / "adapter_config.json").write_text(json.dumps(shape), encoding="utf-8")
    (adapter / "adapter_model.bin").write_bytes(pickle.dumps(Bomb()))
    engine = HFEngine(model)
    with pytest.raises(InputError, match="cannot be put on the model"):
        engine.add_user(adapter)
    assert not (tmp_path / MARK).exists()


def test_merging_opens_no_pickle_either(model: Path, tmp_path: Path) -> None:
    from augment_correction.training.merging import merge

    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}", encoding="utf-8")
    (adapter / "adapter_model.bin").write_bytes(pickle.dumps(Bomb()))
    shutil.copy(model / "model.safetensors", adapter / "beside.safetensors")
    with pytest.raises(InputError, match="not in the safetensors format"):
        merge(adapter, tmp_path / "merged", str(model))
    assert not (tmp_path / MARK).exists()
