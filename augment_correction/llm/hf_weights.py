"""Which weights a model in `mode: hf` has: found without a download, named by what they hold."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from augment_correction.errors import InputError, MissingExtra
from augment_correction.export.exporting import replaced_folder
from augment_correction.llm.weights import KNOWN, locate
from augment_correction.models import ConfigT

SAMPLE = 16_384
ADAPTER = "adapter_model.safetensors"
NO_CODE: Mapping[str, Any] = {"local_files_only": True, "trust_remote_code": False}
"""How everything of a model is loaded. Unsaid, Transformers asks at the terminal whether a model's own code may run."""
TENSORS_ONLY: Mapping[str, Any] = {**NO_CODE, "use_safetensors": True}
"""How weights are loaded: the other formats are pickles, which can run code when they are opened."""
_DECIDING = (
    "config.json", "generation_config.json", "adapter_config.json", "chat_template.jinja", "tokenizer_config.json",
    "tokenizer.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json",
)  # fmt: skip


def named_by_weights(config: ConfigT, roles: Iterable[str]) -> ConfigT:
    """The config with `weights_id` for the `model` of each role in `mode: hf`, so that the journal, the ledger and the
    plan's fingerprint see another model after a training. Doing it twice is doing it once.

    Raises: InputError where the weights are not on this machine, MissingExtra.
    """
    named = {}
    for role in roles:
        model = config.model(role)
        if model.mode == "hf" and model.folder is None:
            place = config.project.resolve(model.model)
            wanted = place if place.is_dir() else model.model
            adapter = config.project.resolve(model.adapter) if model.adapter else None
            named[role] = model.at(str(model_folder(wanted)), name=weights_id(wanted, adapter))
    return config.with_models(named) if named else config


def model_folder(model: str | Path) -> Path:
    """A folder with `config.json`, or the snapshot of a model id in the Hugging Face cache; nothing is downloaded."""
    if (Path(model) / "config.json").is_file():
        return Path(model)
    need("transformers")
    if str(model) in KNOWN:
        return dequantised(str(model))
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    with suppress(HFValidationError):  # an absolute path is no model id
        found = try_to_load_from_cache(str(model), "config.json")
        if isinstance(found, str):
            return Path(found).parent
    raise InputError(
        f"no model at {model} (no config.json there), and the Hugging Face cache has no model of that name",
        hint=f"give its folder, or fetch it: hf download {model}",
    )


def dequantised(name: str) -> Path:
    """One of the models that `mode: embedded` knows by name, in Transformers' form beside its GGUF file, made from it once; the
    file is fetched where it is missing. Its weights are those of the quantised file, and so a little coarser than the original.

    Raises: InputError where it cannot be fetched; MissingExtra.
    """
    file = locate(name)
    folder = file.parent / f"{name}-hf"
    if (folder / "done").is_file():
        return folder
    need("gguf")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model: Any = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, **NO_CODE)
    model.is_quantized = False  # without these three, `save_pretrained` refuses
    del model.config.quantization_config, model.hf_quantizer
    with replaced_folder(folder) as made:
        model.save_pretrained(made)
        AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name, **NO_CODE).save_pretrained(made)
        (made / "done").touch()
    return folder


def weights_id(model: str | Path, adapter: Path | None = None) -> str:
    """`name+adapter@12hex`, which changes with whatever decides the replies: weights, tokenizer, chat template, ends.

    An adapter's weights are hashed whole. Of a base model's tensors, of which there may be hundreds of GB, both ends
    (16 KiB each) are: training moves practically every number of a tensor that it moves at all.
    """
    folder = model_folder(model)
    digest = hashlib.sha256()
    for piece in _pieces(folder, _sampled):
        digest.update(piece)
    name = folder.name if Path(model).is_dir() else str(model)
    if adapter is not None:
        if not (adapter / "adapter_config.json").is_file():
            raise InputError(
                f"{adapter} is not a PEFT adapter: it has no adapter_config.json",
                hint="name the folder with adapter_model.safetensors that the training wrote",
            )
        for piece in _pieces(adapter, _whole, ADAPTER):
            digest.update(piece)
        name += f"+{adapter.name}"
    return f"{name}@{digest.hexdigest()[:12]}"


def _pieces(
    folder: Path, of_tensors: Callable[[Path], Iterator[bytes]], named: str = "*.safetensors"
) -> Iterator[bytes]:
    for path in (folder / name for name in _DECIDING if (folder / name).is_file()):
        yield path.name.encode() + path.read_bytes()
    files = tensor_files(folder, named)
    _complete(folder, {path.name for path in files})
    for path in files:
        yield path.name.encode()
        yield from of_tensors(path)


def tensor_files(folder: Path, named: str = "*.safetensors") -> list[Path]:
    """Raises: InputError where the weights of a model or an adapter are no safetensors."""
    found = sorted(folder.glob(named))
    if found:
        return found
    pickles = sorted(path.name for ending in ("bin", "pt", "pth", "ckpt") for path in folder.glob(f"*.{ending}"))
    if pickles:
        raise InputError(
            f"the weights in {folder} are not in the safetensors format ({pickles[0]}): such a file can run foreign code when it is opened",
            hint="use the safetensors file of the model, or convert it on an isolated machine: save_pretrained() writes safetensors",
        )
    raise InputError(f"no weights in {folder}: there is no {named}", hint="fetch the model again")


def _complete(folder: Path, there: AbstractSet[str]) -> None:
    """Raises: InputError where weights in several files lack one of them, or one is cut off."""
    for name in sorted(there):
        with (folder / name).open("rb") as file:
            _header(file, folder / name)
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return
    try:
        wanted = set(orjson.loads(index.read_bytes())["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{index} does not list which file holds which tensor", hint="fetch the model again") from None
    if missing := sorted(wanted - there):
        raise InputError(f"{folder} lacks {', '.join(map(str, missing))} of its weights", hint="fetch the model again")


def _whole(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


def _sampled(path: Path) -> Iterator[bytes]:
    """The header and each tensor's ends."""
    with path.open("rb") as file:
        header, base, places = _header(file, path)
        yield header
        for begin, end in places:
            for start in (begin, max(begin, end - SAMPLE)):
                file.seek(base + start)
                yield file.read(min(SAMPLE, end - start))


def _header(file: BinaryIO, path: Path) -> tuple[bytes, int, list[tuple[int, int]]]:
    """The header (names, shapes, places: https://github.com/huggingface/safetensors#format), where the tensors' bytes begin,
    and where each tensor stands in them.

    Raises: InputError where it is none, or where the file ends before its last tensor.
    """
    size, length = path.stat().st_size, int.from_bytes(file.read(8), "little")
    base = 8 + length
    try:
        if base > size:
            raise ValueError(length)
        header = file.read(length)
        places = [each["data_offsets"] for name, each in orjson.loads(header).items() if name != "__metadata__"]
        whole = base + max((end for _, end in places), default=0)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path} is not a safetensors file, or is cut off", hint="fetch it again") from None
    if size < whole:
        raise InputError(
            f"{path} is cut off: it has {size:,} bytes, and its tensors take {whole:,}", hint="fetch it again"
        )
    return header, base, places


def need(*packages: str) -> None:
    if any(importlib.util.find_spec(package) is None for package in packages):
        raise MissingExtra("mode: hf", "hf")
