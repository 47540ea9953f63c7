"""How a conversation is written as text: a named template, one in the config, or a model's own."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
import orjson

from augment_correction import sandbox
from augment_correction.config import RunConfig
from augment_correction.errors import ConfigError
from augment_correction.export.jinja_chat import FIXED_DATE, chat_environment
from augment_correction.folders import modified
from augment_correction.text import read_text

TOKENIZER_FILES = ("tokenizer_config.json", "tokenizer.json", "tokenizer.model", "tekken.json")


@dataclass(frozen=True)
class ChatTemplate:
    """`name` says for a person where the template is from; `bos_token` is empty where none is known."""

    name: str
    source: str
    bos_token: str = ""
    eos_token: str = ""

    @cached_property
    def _compiled(self) -> jinja2.Template:
        try:
            return chat_environment().from_string(self.source)
        except jinja2.TemplateSyntaxError as failure:
            raise ConfigError(f"{self.name} is not valid Jinja2 (line {failure.lineno}): {failure.message}") from None

    @property
    def dated(self) -> str | None:
        """What is to be said of a template that writes today's date; None for one that does not."""
        if "strftime_now" not in self.source:
            return None
        return (
            f"{self.name} writes today's date into every conversation; all rows carry {FIXED_DATE:%d %b %Y} instead, "
            "so that the same run makes the same rows on any day"
        )

    def render(self, messages: Sequence[dict[str, str]]) -> str:
        """Raises: ConfigError where the template refuses these messages."""
        try:
            values = {
                "messages": list(messages),
                "bos_token": self.bos_token,
                "eos_token": self.eos_token,
                "add_generation_prompt": False,
                "tools": None,  # Transformers hands both on: templates ask whether they are none
                "documents": None,
            }
            return sandbox.render(self._compiled, values)
        except sandbox.FAILURES as failure:
            raise ConfigError(f"{self.name} cannot render the conversation: {failure}") from None


DEFAULT = "chatml"


def load_chat_template(config: RunConfig) -> ChatTemplate:
    """The template that `system.prompt_template` names; unset, the model's own where its tokenizer is on this machine.

    Raises: ConfigError with the places that were looked at.
    """
    wanted, model = config.system.prompt_template, config.system.tokenizer
    own = read_tokenizer_config(tokenizer_folder(config)) if model else {}
    if wanted is None:
        return _default(config, own)
    if wanted == "tokenizer":
        if not own:
            raise config.error(
                ("system", "prompt_template"),
                "prompt_template: tokenizer needs system.tokenizer",
                "set system.tokenizer to its folder or model id",
            )
        if not own.get("chat_template"):
            raise config.error(
                ("system", "tokenizer"),
                f"the tokenizer {model} has no chat template",
                "set system.prompt_template to chatml, llama3, augmentoolkit or a template of yours",
            )
        return _own_template(config, model or "", own)
    if "{{" in wanted or "{%" in wanted:
        return ChatTemplate("system.prompt_template", wanted, *_ends(config, own))
    return _named(config, wanted, own)


def _default(config: RunConfig, own: dict[str, Any]) -> ChatTemplate:
    model = config.system.tokenizer or config.training.base_model
    if not own and (folder := find_tokenizer(model, config.project.root)):
        own = read_tokenizer_config(folder)
    if own.get("chat_template"):
        return _own_template(config, model, own)
    template = _named(config, DEFAULT, own)
    if template.bos_token:  # this model's rows begin with one, and ChatML knows of none
        return replace(template, source="{{ bos_token }}" + template.source)
    return template


def _own_template(config: RunConfig, model: str, own: dict[str, Any]) -> ChatTemplate:
    return ChatTemplate(f"the chat template of {model}", own["chat_template"], *_ends(config, own))


def _named(config: RunConfig, name: str, own: dict[str, Any]) -> ChatTemplate:
    folders = dict.fromkeys([config.path.prompts, config.path.default_prompts, "prompts"])
    try:
        path = config.project.find(
            f"the chat template '{name}'", [f"{folder}/chat_templates/{name}.jinja" for folder in folders]
        )
    except ConfigError as failure:
        raise config.error(("system", "prompt_template"), failure.message, failure.hint) from None
    return ChatTemplate(name, read_text(path).removesuffix("\n"), *_ends(config, own))


def _ends(config: RunConfig, own: dict[str, Any]) -> tuple[str, str]:
    """BOS and EOS."""
    bos = config.system.bos_token
    if bos is None:
        bos = token_text(own, "bos_token") if own and writes_bos(own) else ""
    return bos, token_text(own, "eos_token")


def tokenizer_folder(config: RunConfig) -> Path:
    """The folder of `system.tokenizer`: a path, or a model id that is in the Hugging Face cache.

    Raises: ConfigError where it is neither.
    """
    wanted = config.system.tokenizer or ""
    found = find_tokenizer(wanted, config.project.root)
    if found is None:
        raise config.error(
            ("system", "tokenizer"),
            f"no tokenizer at {config.project.resolve(wanted)}, and {wanted} is not in the Hugging Face cache",
            f"give the folder that holds tokenizer.json, or fetch it: hf download {wanted} --include 'tokenizer*'",
        )
    return found


def find_tokenizer(wanted: str, root: Path) -> Path | None:
    """The folder of a tokenizer that is on this machine already, else None. Nothing is downloaded."""
    local = (root / Path(wanted).expanduser()).resolve()
    if local.is_file():
        local = local.parent
    if any((local / name).is_file() for name in TOKENIZER_FILES):
        return local
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    cache = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    snapshots = cache / f"models--{wanted.replace('/', '--')}" / "snapshots"
    found = sorted(snapshots.glob("*/tokenizer_config.json"), key=modified)
    return found[-1].parent if found else None


def read_tokenizer_config(folder: Path) -> dict[str, Any]:
    """`tokenizer_config.json`, with the chat template that newer models keep in a file beside it; `folder` is added
    for `writes_bos`."""
    path = folder / "tokenizer_config.json"
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as failure:
        raise ConfigError(f"not valid JSON: {failure}", file=path) from None
    template = data.get("chat_template")
    if isinstance(template, list):  # several named ones; the one called "default" is for plain chat
        named = {entry.get("name"): entry.get("template") for entry in template if isinstance(entry, dict)}
        data["chat_template"] = named.get("default") or next(iter(named.values()), None)
    beside = folder / "chat_template.jinja"
    if beside.is_file():
        data["chat_template"] = read_text(beside)
    data["folder"] = folder
    return data


_BOS_PROBE = "\ue000bos\ue001"
_PROBE_ROLES = (("user",), ("user", "assistant"), ("system", "user"))


def writes_bos(own: dict[str, Any]) -> bool:
    """Whether the model is used to a BOS token: its chat template writes one, or, where it has none, its tokenizer
    adds one. A `bos_token` alone says nothing: SmolLM2 names `<|im_start|>`, Qwen `<|endoftext|>` or none, and no row
    of either begins with an extra one."""
    if not token_text(own, "bos_token"):
        return False
    if not own.get("chat_template"):
        return _adds_bos(own)
    template = ChatTemplate("the tokenizer's chat template", own["chat_template"], _BOS_PROBE, "")
    for roles in _PROBE_ROLES:
        with suppress(ConfigError):
            return _BOS_PROBE in template.render([{"role": role, "content": "Probe"} for role in roles])
    return _adds_bos(own)


def _adds_bos(own: dict[str, Any]) -> bool:
    path = own["folder"] / "tokenizer.json"
    if not path.is_file():
        return bool(own.get("add_bos_token", False))
    waiting = [orjson.loads(path.read_bytes()).get("post_processor")]
    while waiting:
        step = waiting.pop() or {}
        waiting += step.get("processors", [])
        first: dict[str, Any] = next(iter(step.get("single", [])), {})
        if first.get("SpecialToken", {}).get("id") == token_text(own, "bos_token"):
            return True
    return False


def token_text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else ""
