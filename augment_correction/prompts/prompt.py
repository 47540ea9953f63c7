"""A loaded prompt: messages that are constant, or made from values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from augment_correction import sandbox
from augment_correction.errors import ConfigError
from augment_correction.records import Message, Role

ROLES = ("system", "user", "assistant")
Render = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True)
class MessageTemplate:
    """One message: constant text, or how to make it."""

    role: Role
    constant: Message | None
    render: Render | None


@dataclass(frozen=True)
class Prompt:
    """A loaded prompt. `variables` are what it must be given, `optional` those that it asks for by `is defined`; `fingerprint`
    changes with its text."""

    name: str
    path: Path
    variables: frozenset[str]
    fingerprint: str
    parts: tuple[MessageTemplate, ...]
    places: Mapping[str, tuple[Path, int]] = field(default_factory=dict)
    """By variable, the file and line where it is read first."""
    optional: frozenset[str] = frozenset()

    def error(self, variable: str, message: str, hint: str | None = None) -> ConfigError:
        """About a variable, at the line that reads it."""
        file, line = self.places.get(variable, (self.path, None))
        return ConfigError(message, file=file, line=line, hint=hint)

    def render(self, values: Mapping[str, Any]) -> tuple[Message, ...]:
        """Raises: ConfigError where the template itself fails (an attribute that a value does not have, say)."""
        try:
            return tuple(part.constant or Message(part.role, cast(Render, part.render)(values)) for part in self.parts)
        except sandbox.FAILURES as failure:
            raise unrenderable(self.path, failure) from None

    @cached_property
    def constant_prefix(self) -> tuple[Message, ...]:
        """The leading messages that are the same for every record."""
        prefix: list[Message] = []
        for part in self.parts:
            if part.constant is None:
                break
            prefix.append(part.constant)
        return tuple(prefix)


def unrenderable(path: Path, failure: Exception) -> ConfigError:
    return ConfigError(f"prompt cannot be rendered: {failure or type(failure).__name__}", file=path)
