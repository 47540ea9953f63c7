"""Prompts in Augmentoolkit's YAML: a list of {role, content} with {text} and {metadata}."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from augment_correction.errors import ConfigError
from augment_correction.prompts.prompt import ROLES, MessageTemplate, Prompt, Render
from augment_correction.records import Message, Role, content_id
from augment_correction.text import read_text
from augment_correction.yamlfile import read_yaml

_BRACES = re.compile(r"\{\{|\}\}|\{(\w+)\}")
_YAML_NAMES = {"text": "passage", "metadata": "title"}


def load_yaml(path: Path, name: str) -> Prompt:
    file = read_yaml(path)
    if not isinstance(file.data, list) or not file.data:
        raise ConfigError("a YAML prompt is a list of {role, content}", file=path, line=1)
    parts: list[MessageTemplate] = []
    places: dict[str, tuple[Path, int]] = {}
    for index, row in enumerate(file.data):
        if not isinstance(row, dict) or row.get("role") not in ROLES or not isinstance(row.get("content"), str):
            raise file.error((index,), "a message needs a role (system, user, assistant) and a text as content")
        role, text = cast(Role, row["role"]), str(row["content"]).strip()
        names = {_YAML_NAMES[found] for found in _BRACES.findall(text) if found in _YAML_NAMES}
        places = dict.fromkeys(names, (path, file.places[(index,)][0])) | places
        if names:
            parts.append(MessageTemplate(role, None, _formatter(text)))
        else:
            parts.append(MessageTemplate(role, Message(role, _format(text, {})), None))
    return Prompt(name, path, frozenset(places), content_id(read_text(path)), tuple(parts), places)


def _formatter(text: str) -> Render:
    return lambda values: _format(text, values)


def _format(text: str, values: Mapping[str, Any]) -> str:
    """`str.format` for the two known names; any other brace stays as it stands, so that JSON examples survive."""

    def replace(match: re.Match[str]) -> str:
        if match.group() in ("{{", "}}"):
            return match.group()[0]
        name = _YAML_NAMES.get(match.group(1))
        return str(values[name]) if name else match.group()

    return _BRACES.sub(replace, text)
