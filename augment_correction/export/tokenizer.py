"""A model's tokenizer as its `tokenizer.json` says, through the `tokenizers` package: the very code that trainers run.
Nothing is downloaded and Transformers is not needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson

from augment_correction.config import RunConfig
from augment_correction.errors import InputError, MissingExtra, UserError
from augment_correction.export.chat_template import find_tokenizer, read_tokenizer_config, token_text, writes_bos
from augment_correction.records import content_id


@dataclass(frozen=True, slots=True)
class Encoded:
    """`starts[i]` and `ends[i]` are the characters of token i, as the tokenizer says. Tokens that share the bytes of one
    character overlap there. What a normalizer left out (the accent of a letter that NFC joins) is of no token."""

    ids: list[int]
    starts: list[int]
    ends: list[int]


@dataclass(frozen=True)
class Tokenizer:
    """`special` are the ids that stand for control; `writes_bos` says whether the model's rows begin with a BOS."""

    name: str
    bos_token: str
    eos_token: str
    pad_token: str
    unk_token: str
    writes_bos: bool
    special: frozenset[int]
    chat_template: str | None
    _engine: Any = field(repr=False, compare=False)

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Without BOS or EOS of its own, as a trainer tokenises text that holds them already. Uses all cores."""
        return [_encoded(each) for each in self._engine.encode_batch(list(texts), add_special_tokens=False)]

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        return [each.ids for each in self._engine.encode_batch_fast(list(texts), add_special_tokens=False)]

    @property
    def fingerprint(self) -> str:
        """Changes with whatever decides how a text is cut into tokens."""
        return content_id(repr(replace(self, special=frozenset())), str(sorted(self.special)), self._engine.to_str())

    def token_id(self, text: str) -> int | None:
        found: int | None = self._engine.token_to_id(text)
        return found

    def is_special(self, text: str) -> bool:
        return self.token_id(text) in self.special

    def piece(self, token: int) -> str:
        return str(self._engine.id_to_token(token))


def _encoded(encoding: Any) -> Encoded:
    offsets: list[tuple[int, int]] = encoding.offsets
    if not offsets:
        return Encoded(encoding.ids, [], [])
    first, last = (list(side) for side in zip(*offsets, strict=True))
    if not first[0] and first[1:] == last[:-1]:  # the usual row: compared in C, three times as fast as the loop below
        return Encoded(encoding.ids, first, last)
    # Bytes of one character may be shared by tokens that all name it whole; neither side ever goes back.
    return Encoded(encoding.ids, list(accumulate(first, max)), list(accumulate(last, max)))


def load_tokenizer(wanted: str, root: Path) -> Tokenizer:
    """The tokenizer in a folder, or of a model id in the Hugging Face cache; relative paths start at `root`.

    Raises: InputError with the remedy, MissingExtra.
    """
    folder = find_tokenizer(wanted, root)
    if folder is None:
        place = (root / Path(wanted).expanduser()).resolve()
        raise InputError(
            f"no tokenizer at {place}, and {wanted} is not in the Hugging Face cache",
            hint=f"give the folder that holds tokenizer.json, or fetch it: hf download {wanted} --include 'tokenizer*'",
        )
    path = folder / "tokenizer.json"
    if not path.is_file():
        there = next((name for name in ("tokenizer.model", "tekken.json") if (folder / name).is_file()), None)
        raise InputError(
            f"{folder} has no tokenizer.json" + (f", only {there}" if there else ""),
            hint="write one beside it: python -c \"from transformers import AutoTokenizer as T; "
            f"T.from_pretrained('{folder}').save_pretrained('{folder}')\"",
        )  # fmt: skip
    return _load(wanted, folder, path)


def _load(wanted: str, folder: Path, path: Path) -> Tokenizer:
    try:
        import tokenizers
    except ImportError:
        raise MissingExtra("reading a model's tokenizer", "tokenizer") from None
    own = read_tokenizer_config(folder)
    try:
        data = orjson.loads(path.read_bytes())
        # Without these the offsets are the text's own (a post-processor may trim them), and nothing is cut or padded.
        plain = {**data, "post_processor": None, "truncation": None, "padding": None}
        engine = tokenizers.Tokenizer.from_str(orjson.dumps(plain).decode())
    except Exception as failure:  # the package raises bare Exception for a file it cannot read
        raise InputError(
            f"{path} cannot be read as a tokenizer: {failure}",
            hint="fetch the file again, or upgrade: pip install -U tokenizers",
        ) from None
    added = engine.get_added_tokens_decoder()
    return Tokenizer(
        name=wanted,
        bos_token=token_text(own, "bos_token"),
        eos_token=token_text(own, "eos_token"),
        pad_token=token_text(own, "pad_token"),
        unk_token=token_text(own, "unk_token"),
        writes_bos=writes_bos(own),
        special=frozenset(number for number, token in added.items() if token.special),
        chat_template=own.get("chat_template"),
        _engine=engine,
    )


def tokenizer_of(config: RunConfig) -> tuple[Tokenizer | None, str]:
    """The tokenizer that the run's rows are for: `system.tokenizer`, else the base model's where this machine has it.
    With None comes the reason: paid rows are never withheld because their proof cannot be made."""
    wanted = config.system.tokenizer or config.training.base_model
    try:
        return load_tokenizer(wanted, config.project.root), ""
    except UserError as failure:
        return None, f"{failure.message} ({failure.hint})" if failure.hint else failure.message
