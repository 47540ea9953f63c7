"""The base model before it is loaded: where it lies, which chat template rows are written with, how many tokens it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import ConfigError, InputError, MissingExtra, installing
from augment_correction.export import ChatTemplate, Tokenizer
from augment_correction.llm.hf_weights import model_folder
from augment_correction.text import read_text
from augment_correction.training.config import TrainConfig
from augment_correction.training.gathering import Gathered


def folder_of(config: TrainConfig, place: Path) -> Path:
    try:
        return model_folder(place if place.is_dir() else config.model)
    except MissingExtra:  # the package that knows the cache
        raise InputError(
            f"no model at {place} (no config.json there)",
            hint=f"give its folder; to look up a model id: {installing('train')}",
        ) from None


def template_of(config: TrainConfig, tokenizer: Tokenizer, gathered: Gathered) -> ChatTemplate:
    """Raises: ConfigError where it is not there."""
    wanted, own = config.chat_template, tokenizer.chat_template
    bos = tokenizer.bos_token if tokenizer.writes_bos else ""
    learnt = config.parent / "chat_template.jinja" if config.parent else None
    if learnt and learnt.is_file() and wanted == "auto":
        return ChatTemplate("the adapter's chat template", read_text(learnt), bos, tokenizer.eos_token)
    if own and wanted in ("auto", "model"):
        return ChatTemplate("the base model's chat template", own, bos, tokenizer.eos_token)
    if len(gathered.templates) == 1 and wanted in ("auto", "run"):
        return gathered.templates[0]
    if wanted in ("auto", "model", "run"):
        what = "the base model has no chat template"
        if wanted != "model":
            several = "they were written with several" if gathered.templates else "none is in the data"
            what = f"the runs have no chat template to take: {several}" + (f", and {what}" if wanted == "auto" else "")
        raise ConfigError(what, hint="set chat_template to chatml, llama3 or a template of yours")
    path = config.project.find(f"the chat template '{wanted}'", [wanted, f"prompts/chat_templates/{wanted}.jinja"])
    return ChatTemplate(wanted, read_text(path).removesuffix("\n"), bos, tokenizer.eos_token)


def longest_row(config: TrainConfig, folder: Path) -> tuple[int, str]:
    """The most tokens of a row, and what to do about longer ones: the model may take less than the config asks for."""
    known = _described(folder / "config.json")
    inner = known.get("text_config")
    most = known.get("max_position_embeddings") or (inner if isinstance(inner, dict) else {}).get(
        "max_position_embeddings"
    )
    if not isinstance(most, int) or most >= config.max_length:
        return config.max_length, "raise max_length"
    return most, "shorten the row: the model takes no more tokens"


def _described(path: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(path.read_bytes())
    except ValueError as failure:
        raise InputError(f"{path} is not valid JSON: {failure}", hint="fetch the model again") from None
    if not isinstance(found, dict) or not isinstance(found.get("model_type"), str):
        raise InputError(f"{path} does not describe a model: it has no model_type", hint="fetch the model again")
    return found
