"""Counting tokens without a network in the middle of a run.

tiktoken counts where its vocabulary is on this machine; `fetch_vocabulary` asks for it once, at a run's start. Else
bpe_openai counts, whose wheel carries the same vocabularies, byte for byte (extra `offline`; `tests/documents/test_tokens.py`
proves it): both cut the same passages. A local model's own tokenizer.json is counted through `tokenizers`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from augment_correction.errors import ConfigError, MissingExtra, installing

TIKTOKEN_ENCODINGS = ("cl100k_base", "o200k_base")
KNOWN_ENCODINGS = (*TIKTOKEN_ENCODINGS, "voyage3_base")


BYTES_PER_TOKEN = 3
"""Of UTF-8, where no vocabulary is there: English has 4 and more, so that an estimate is rather too high for a cap."""
CONNECT_SECONDS, READ_SECONDS = 3.0, 30.0


class NoVocabulary(ConfigError):
    """Nothing on this machine can count an encoding's tokens."""

    def __init__(self, encoding: str, why: str = "") -> None:
        super().__init__(
            f"nothing on this machine counts {encoding} tokens: tiktoken's vocabulary is not available{why}, and bpe-openai, "
            "which carries one, is not installed",
            hint=f"{installing('offline')}; or let TIKTOKEN_CACHE_DIR name a folder that holds the "
            "vocabulary; or name a model's tokenizer.json as system.encoding",
        )


def counting(encoding: str = "o200k_base", notice: Callable[[str], None] = lambda _: None) -> Callable[[str], int]:
    """Counts for servers that send no usage; the vocabulary (70 MB) is loaded by the first one only. Without one the
    tokens are estimated from the text's length, and that is noticed."""
    counters: list[Callable[[str], int]] = []

    def count(text: str) -> int:
        if not counters:
            try:
                counters.append(TokenCounter(encoding).count)
            except NoVocabulary as failure:
                notice(
                    f"{failure.message}: token counts that a server does not report are estimated from the length of the text"
                )
                counters.append(_estimate)
        return counters[0](text)

    return count


def _estimate(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


class TokenCounter:
    """Counts with a tiktoken encoding, or with a `tokenizer.json` where `encoding` is a path to one.

    `additive` says that counts of pieces cut at white space may be added up: the tiktoken family never merges across
    such a cut, except over a line that starts with "/". For any other tokenizer nothing is promised.

    `exact=False` is for passages that no count decides about: tokens are estimated where nothing here knows the encoding.

    Raises ConfigError for an unknown encoding or a broken file, NoVocabulary where nothing here knows the encoding,
    MissingExtra where `tokenizers` is not installed.
    """

    def __init__(self, encoding: str = "o200k_base", *, exact: bool = True) -> None:
        check_encoding(encoding)
        self.encoding = encoding
        self.additive = encoding in KNOWN_ENCODINGS
        try:
            self._count = _known_count(encoding) if self.additive else _tokenizer_json_count(encoding)
        except NoVocabulary:
            if exact:
                raise
            self._count = _estimate

    def count(self, text: str) -> int:
        """Tokens of `text` alone, without the special tokens that a chat template would add."""
        try:
            return self._count(text)
        except UnicodeEncodeError:  # a lone surrogate: our readers never give one, a caller's text may
            return self._count(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))  # as tiktoken does


def check_encoding(encoding: str) -> None:
    """Finds what can be found wrong without loading a vocabulary (50 ms and 60 MB)."""
    if encoding in KNOWN_ENCODINGS:
        return
    if not Path(encoding).is_file():
        raise ConfigError(
            f"unknown token encoding {encoding!r}",
            hint=f"known: {', '.join(KNOWN_ENCODINGS)}; or the path of a model's tokenizer.json",
        )
    if find_spec("tokenizers") is None:
        raise MissingExtra(f"counting tokens with {encoding}", "tokenizer")


def fetch_vocabulary(encoding: str, notice: Callable[[str], None], *, exact: bool = True) -> None:
    """Make sure that `encoding` can be counted: by what is here, else by tiktoken's vocabulary, which is asked for and
    kept where tiktoken looks for it. Gives up after seconds where there is no network.

    Raises: NoVocabulary, where counts must be `exact`; else `notice` is told.
    """
    try:
        _fetch_vocabulary(encoding, notice)
    except NoVocabulary as failure:
        if exact:
            raise
        notice(f"{failure.message}: tokens are estimated from the length of the text")


def _fetch_vocabulary(encoding: str, notice: Callable[[str], None]) -> None:
    # The process that begins a run seldom counts: tiktoken's vocabulary would take 70 MB of it, to know that it is here.
    if encoding not in KNOWN_ENCODINGS or _bindings() is not None:
        return
    try:
        _known_count(encoding)
        return
    except NoVocabulary:
        if encoding not in TIKTOKEN_ENCODINGS:
            raise
    notice(f"downloading the vocabulary {encoding} for tiktoken, once (the extra offline contains it)")
    try:
        with _reading(_download):
            _tiktoken(encoding)
    except Exception as failure:  # whatever requests, a proxy or a full disk may raise
        raise NoVocabulary(encoding, f" and cannot be fetched ({type(failure).__name__})") from None


@lru_cache(maxsize=4)
def _known_count(encoding: str) -> Callable[[str], int]:
    """Raises: NoVocabulary."""
    if encoding in TIKTOKEN_ENCODINGS:
        try:
            with _reading(_not_here):
                ordinary = _tiktoken(encoding).encode_ordinary
            return lambda text: len(ordinary(text))
        except (_NotHere, ImportError):  # an installation without tiktoken may still count with the other
            pass
    bindings = _bindings()
    if bindings is None:
        raise NoVocabulary(encoding)
    count: Callable[[str], int] = bindings.tokenizer_for_encoding(encoding).count
    return count


class _NotHere(Exception):
    pass


def _not_here(place: str) -> bytes:
    raise _NotHere(place)


def _download(place: str) -> bytes:
    """As tiktoken does it, but not for ever."""
    import requests

    answer = requests.get(place, timeout=(CONNECT_SECONDS, READ_SECONDS))
    answer.raise_for_status()
    return bytes(answer.content)


_patching = threading.Lock()


@contextmanager
def _reading(read_file: Callable[[str], bytes]) -> Iterator[None]:
    """tiktoken gets what its cache does not hold through this function: it has no setting for where from or how long."""
    load: Any = import_module("tiktoken.load")
    with _patching:
        before = load.read_file
        load.read_file = read_file
        try:
            yield
        finally:
            load.read_file = before


def _tiktoken(encoding: str) -> Any:
    import tiktoken

    return tiktoken.get_encoding(encoding)


def _bindings() -> Any:
    """The compiled part of bpe_openai, without its package; None where it is not installed.

    The package's `__init__` builds three vocabularies as Python dicts that nobody asks for: 0.49 s and 70 MB, against
    0.005 s for the extension alone (measured with 0.1.4).
    """
    package = find_spec("bpe_openai")
    if package is None:
        return None
    places = package.submodule_search_locations
    found = PathFinder.find_spec("_bindings", list(places)) if places else None
    if found is not None and found.origin:
        spec = spec_from_file_location("bpe_openai._bindings", found.origin)
        if spec is not None and spec.loader is not None:
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    from bpe_openai import _bindings

    return _bindings


@lru_cache(maxsize=4)
def _tokenizer_json_count(path: str) -> Callable[[str], int]:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(path)
    except Exception as error:  # the library raises bare Exception
        raise ConfigError(f"not a tokenizer: {error}", file=path) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
