from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.documents import TokenCounter, tokens
from augment_correction.errors import ConfigError, MissingExtra


@pytest.mark.parametrize("encoding", tokens.KNOWN_ENCODINGS)
def test_known_encodings_count(encoding: str) -> None:
    counter = TokenCounter(encoding)
    assert counter.count("") == 0
    assert counter.count("Hello world") == 2
    assert counter.additive


def test_special_tokens_in_a_text_are_text() -> None:
    assert TokenCounter().count("<|endoftext|>") > 1


def test_a_lone_surrogate_is_counted_and_not_a_crash() -> None:
    assert TokenCounter().count("a\ud800b") >= 2


def test_the_package_is_not_loaded_for_its_extension() -> None:
    TokenCounter().count("x")
    assert "bpe_openai" not in sys.modules


@pytest.mark.filterwarnings("ignore:open_binary is deprecated")
def test_the_fast_way_counts_like_the_public_one() -> None:
    import bpe_openai

    public = bpe_openai.get_encoding("o200k_base")
    for text in ("Hello, world!\n\n/path", "1234567", "naïve 東京 🙂", "  indented\n\tcode()"):
        assert TokenCounter().count(text) == len(public.encode(text))
    for name in [name for name in sys.modules if name.split(".")[0] == "bpe_openai"]:
        del sys.modules[name]


def test_unknown_encoding_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="unknown token encoding 'o300k'") as raised:
        TokenCounter("o300k")
    assert "o200k_base" in (raised.value.hint or "")


def _tokenizer_file(path: Path) -> Path:
    vocabulary = {"[UNK]": 0, "hello": 1, "world": 2}
    model = {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}
    path.write_text(
        json.dumps({"version": "1.0", "pre_tokenizer": {"type": "Whitespace"}, "model": model, "added_tokens": []})
    )
    return path


def test_a_models_own_tokenizer(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    counter = TokenCounter(str(_tokenizer_file(tmp_path / "tokenizer.json")))
    assert counter.count("hello world, hello") == 4
    assert not counter.additive


def test_a_broken_tokenizer_file(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ConfigError, match="not a tokenizer"):
        TokenCounter(str(tmp_path / "tokenizer.json"))


def test_tokenizers_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as raised:
        TokenCounter(str(_tokenizer_file(tmp_path / "tokenizer.json")))
    assert "[tokenizer]" in (raised.value.hint or "")


@given(st.lists(st.text(st.sampled_from("ab1 .!?/\n\tÉ東🙂'-`|"), min_size=1, max_size=12), min_size=1, max_size=12))
def test_counts_of_paragraphs_add_up(paragraphs: list[str]) -> None:
    """What the chunker builds on: cut behind a blank line, counts add up, but for lines that begin with a slash."""
    counter = TokenCounter()
    stripped = [text.strip() or "x" for text in paragraphs]
    whole = "\n\n".join(stripped)
    parts = [text + "\n\n" for text in stripped[:-1]] + stripped[-1:]
    slashes = sum(text.startswith("/") for text in stripped)
    assert abs(counter.count(whole) - sum(map(counter.count, parts))) <= slashes
