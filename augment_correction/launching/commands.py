"""Command lines out of templates: `train --data {data} [--adapter {parent}]`. No shell reads them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

_NAME = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*\{\w+\}[^\[\]]*)\]")
"""Brackets without a placeholder are a part of the command, as in `--set gate=[a,b]`."""


def placeholders(template: str) -> set[str]:
    return set(_NAME.findall(template))


def required(template: str) -> set[str]:
    """Those outside of brackets."""
    return placeholders(_OPTIONAL.sub(" ", template))


def command(template: str, values: Mapping[str, str | None]) -> list[str]:
    """Split before the values are put in, so that a path with a space stays one word."""

    def kept(match: re.Match[str]) -> str:
        return match[1] if all(values.get(name) for name in placeholders(match[1])) else " "

    return [fill(word, values) for word in shlex.split(_OPTIONAL.sub(kept, template))]


def fill(word: str, values: Mapping[str, str | None]) -> str:
    return _NAME.sub(lambda match: values.get(match[1]) or "", word)
