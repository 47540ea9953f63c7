from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from augment_correction.errors import InputError, MissingExtra, installing
from augment_correction.export import Tokenizer, load_tokenizer
from augment_correction.export.chat_template import find_tokenizer, read_tokenizer_config, writes_bos
from tests.export.conversations import TEXTS


@pytest.mark.parametrize("family", ["qwen", "llama", "mistral"])
@settings(max_examples=100)
@given(text=TEXTS)
def test_tokens_cover_the_text(tokenizers: dict[str, Tokenizer], family: str, text: str) -> None:
    encoded = tokenizers[family].encode([text])[0]
    position = 0
    for start, end in zip(encoded.starts, encoded.ends, strict=True):
        assert start <= position <= end
        position = end
    assert position == len(text)
    assert encoded.ids == tokenizers[family].ids([text])[0]


@pytest.mark.parametrize(
    ("text", "covered"),
    [("cafe\u0301<|im_end|>", (0, 4, 5, 15)), ("e\u0301 e\u0301", (0, 1, 2, 4)), ("\u1100\u1161\u11a8.", (0, 1, 3, 4))],
)
def test_an_accent_that_is_joined_to_its_letter_is_of_no_token(
    tokenizers: dict[str, Tokenizer], text: str, covered: tuple[int, ...]
) -> None:
    encoded = tokenizers["qwen_nfc"].encode([text])[0]
    of_tokens = {place for start, end in zip(encoded.starts, encoded.ends, strict=True) for place in range(start, end)}
    left_out = {each for each in range(len(text)) if each not in of_tokens}
    assert of_tokens == {*range(covered[0], covered[1]), *range(covered[2], covered[3])} and left_out
    assert encoded.starts == sorted(encoded.starts) and encoded.ends == sorted(encoded.ends)


def test_whether_rows_begin_with_a_bos(tokenizers: dict[str, Tokenizer], tmp_path: Path) -> None:
    assert {name: tokenizer.writes_bos for name, tokenizer in tokenizers.items()} == {
        "qwen": False,
        "qwen_nfc": False,
        "llama": True,
        "mistral": True,
    }


def test_a_bos_that_only_opens_a_header_is_none() -> None:
    """SmolLM2's tokenizer names `<|im_start|>`."""
    template = "{% for m in messages %}{{ '<|im_start|>' + m.role + m.content }}{% endfor %}"
    assert not writes_bos({"bos_token": "<|im_start|>", "chat_template": template})


@pytest.mark.parametrize(("family", "adds"), [("llama", True), ("qwen", False)])
def test_without_a_chat_template_the_post_processor_says_so(
    tokenizer_folders: dict[str, Path], family: str, adds: bool
) -> None:
    own = read_tokenizer_config(tokenizer_folders[family])
    own["chat_template"] = None
    assert writes_bos(own) is adds


def test_a_tokenizer_that_is_nowhere(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not in the Hugging Face cache") as raised:
        load_tokenizer("Qwen/Qwen2.5-7B", tmp_path)
    assert "hf download Qwen/Qwen2.5-7B" in str(raised.value.hint)


def test_a_model_in_the_hugging_face_cache(
    tokenizer_folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "hub" / "models--me--mine" / "snapshots" / "abc"
    snapshot.parent.mkdir(parents=True)
    snapshot.symlink_to(tokenizer_folders["qwen"])
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert find_tokenizer("me/mine", tmp_path) == snapshot
    assert load_tokenizer("me/mine", tmp_path).eos_token == "<|im_end|>"


def test_only_a_sentencepiece_file(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(b"\0")
    with pytest.raises(InputError, match=r"no tokenizer.json, only tokenizer.model") as raised:
        load_tokenizer(str(tmp_path), tmp_path)
    assert "save_pretrained" in str(raised.value.hint)


def test_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"type": "nothing"}}))
    with pytest.raises(InputError, match="cannot be read as a tokenizer"):
        load_tokenizer(str(tmp_path), tmp_path)


def test_without_the_package(
    tokenizer_folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def absent(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "tokenizers":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtra) as raised:
        load_tokenizer(str(tokenizer_folders["qwen"]), tmp_path)
    assert raised.value.hint == installing("tokenizer")
