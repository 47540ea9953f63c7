"""Prompts as Jinja templates: blocks by role, what they include, and which variables they read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import jinja2
from jinja2 import meta, nodes
from jinja2.loaders import split_template_path
from jinja2.visitor import NodeTransformer

from augment_correction import sandbox
from augment_correction.errors import ConfigError
from augment_correction.prompts.prompt import MessageTemplate, Prompt, Render, unrenderable
from augment_correction.records import Message, Role, content_id
from augment_correction.sandbox import BoundedSandbox
from augment_correction.text import read_text

_OPEN = re.compile(r"\{%-?\s*(system|user|assistant)\s*-?%\}\n?")
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


def load_jinja(path: Path, name: str, roots: Sequence[Path]) -> Prompt:
    source = _with_includes(path)
    env = _PromptSandbox(
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(partial(_included, (path.parent, *roots))),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts: list[MessageTemplate] = []
    places: dict[str, tuple[Path, int]] = {}
    sources = [source.text]
    optional: set[str] = set()
    for role, text, line in _blocks(source):
        read = _Variables(env)
        read.add(text, lambda number, line=line: source.place(line + number - 1))  # type: ignore[misc]
        names = read.places.keys() - set(env.globals)
        places = {name: read.places[name] for name in sorted(names)} | places
        sources += read.sources
        optional |= read.optional
        template = env.from_string(text)
        if names:
            parts.append(MessageTemplate(role, None, _stripped(template)))
        else:
            parts.append(MessageTemplate(role, Message(role, _constant(path, template)), None))
    if not parts:
        raise ConfigError(
            "the prompt has no message",
            file=path,
            line=1,
            hint="write {% user %}...{% enduser %} around the question",
        )
    variables = frozenset(places) - optional
    return Prompt(name, path, variables, content_id(*sources), tuple(parts), places, frozenset(optional))


class _PromptSandbox(BoundedSandbox):
    """What a prompt includes becomes part of it as it is compiled: to render it as a template of its own costs more than its text,
    ten times for a conversation."""

    def _generate(self, source: nodes.Template, *args: Any, **named: Any) -> str:
        return super()._generate(_Including(self).visit(source), *args, **named)


class _Including(NodeTransformer):
    """Puts the text of an include in its place, unless names that it sets would then be seen outside of it."""

    def __init__(self, env: jinja2.Environment) -> None:
        self._env = env

    def visit_Include(self, node: nodes.Include) -> nodes.Include | list[nodes.Node]:
        names = _names(node.template)
        if len(names) != 1 or not node.with_context or node.ignore_missing:
            return node
        assert self._env.loader is not None
        included = self.visit(self._env.parse(self._env.loader.get_source(self._env, names[0])[0]))
        sets_none = all(isinstance(each, _SETS_NO_NAME) for each in included.find_all(nodes.Node))
        return included.body if sets_none else node


_SETS_NO_NAME = (nodes.Output, nodes.If, nodes.Expr, nodes.Helper)


Place = Callable[[int], tuple[Path, int]]
"""From a line of a text to where it stands in a file."""


class _Variables:
    """What a text reads, its includes followed: each variable's first place, those that it asks for by `is defined`, and the text
    of the includes."""

    def __init__(self, env: jinja2.Environment) -> None:
        self._env = env
        self.places: dict[str, tuple[Path, int]] = {}
        self.sources: list[str] = []
        self.optional: set[str] = set()

    def add(self, text: str, place: Place) -> None:
        """Raises: ConfigError where it is no Jinja2 or includes what is not there."""
        try:
            tree = self._env.parse(text)
        except jinja2.TemplateSyntaxError as failure:
            file, line = place(failure.lineno)
            raise ConfigError(failure.message or "not valid Jinja2", file=file, line=line) from None
        undeclared = meta.find_undeclared_variables(tree)
        for name in tree.find_all(nodes.Name):
            if name.name in undeclared:
                self.places.setdefault(name.name, place(name.lineno))
        for test in tree.find_all(nodes.Test):
            if test.name == "defined" and isinstance(test.node, nodes.Name):
                self.optional.add(test.node.name)
        for include in tree.find_all((nodes.Extends, nodes.FromImport, nodes.Import, nodes.Include)):
            for named in _names(cast(Any, include).template):
                self._add_included(named, place(include.lineno))

    def _add_included(self, name: str, here: tuple[Path, int]) -> None:
        loader = self._env.loader
        assert loader is not None
        try:
            source, file, _ = loader.get_source(self._env, name)
        except jinja2.TemplateNotFound:
            raise ConfigError(f"includes '{name}', which is not there", file=here[0], line=here[1]) from None
        self.sources.append(source)
        self.add(source, lambda number: (Path(file or name), number))


def _names(template: nodes.Expr) -> list[str]:
    """Of an include; none where only the rendering knows."""
    try:
        named = template.as_const()
    except nodes.Impossible:
        return []
    return [named] if isinstance(named, str) else list(named)


def _stripped(template: jinja2.Template) -> Render:
    return lambda values: sandbox.render(template, values).strip()


def _constant(path: Path, template: jinja2.Template) -> str:
    try:
        return sandbox.render(template, {}).strip()
    except sandbox.FAILURES as failure:
        raise unrenderable(path, failure) from None


def _included(folders: Sequence[Path], name: str) -> tuple[str, str, None] | None:
    """What an include inside a block names, and its file; None where it is in no folder. jinja2's own loader reads UTF-8
    alone."""
    places = (folder.joinpath(*split_template_path(name)) for folder in folders)
    return next(((read_text(place), str(place), None) for place in places if place.is_file()), None)


_INCLUDE = re.compile(r"""^\{%-?\s*include\s+['"]([^'"]+)['"]\s*-?%\}[ \t]*$""", re.MULTILINE)


@dataclass(frozen=True)
class _Source:
    """A prompt's text with what it includes at its top level, and where each of its lines is from: `pieces` are (first
    line, file, that line's number there)."""

    path: Path
    text: str
    pieces: tuple[tuple[int, Path, int], ...]

    def place(self, line: int) -> tuple[Path, int]:
        first, file, there = next(piece for piece in reversed(self.pieces) if piece[0] <= max(line, 1))
        return file, there + line - first

    def error(self, line: int, message: str, hint: str | None = None) -> ConfigError:
        file, there = self.place(line)
        return ConfigError(message, file=file, line=there, hint=hint)


def _with_includes(path: Path, within: tuple[Path, ...] = ()) -> _Source:
    """An include inside a block is Jinja's own affair."""
    if path in within:
        raise ConfigError(f"includes itself, by way of {path.name}", file=within[0])
    source = read_text(path)
    inside = [(opening.start(), _closing(source, opening)) for opening in _OPEN.finditer(source)]
    text, pieces, position = "", [(1, path, 1)], 0
    for match in _INCLUDE.finditer(source):
        if any(start < match.start() < end for start, end in inside):
            continue
        text += source[position : match.start()]
        position = match.end()
        included = _with_includes((path.parent / match.group(1)).resolve(), (*within, path))
        before = text.count("\n")
        pieces += [(first + before, file, there) for first, file, there in included.pieces]
        text += included.text.rstrip("\n")
        pieces.append((text.count("\n") + 2, path, source.count("\n", 0, position) + 2))
    return _Source(path, text + source[position:], tuple(pieces))


def _closing(source: str, opening: re.Match[str]) -> int:
    end = source.find(f"end{opening.group(1)}", opening.end())
    return end if end != -1 else len(source)


def _blocks(source: _Source) -> list[tuple[Role, str, int]]:
    """(role, text, 1-based line of the text) for each block; only comments may stand between them."""
    blocks: list[tuple[Role, str, int]] = []
    whole, position = source.text, 0
    while opening := _OPEN.search(whole, position):
        role = opening.group(1)
        _only_comments(source, position, opening.start())
        closing = re.compile(rf"\{{%-?\s*end{role}\s*-?%\}}").search(whole, opening.end())
        line = whole.count("\n", 0, opening.end()) + 1
        if closing is None:
            raise source.error(
                whole.count("\n", 0, opening.start()) + 1, f"{{% {role} %}} is never closed", f"add {{% end{role} %}}"
            )
        text = whole[opening.end() : closing.start()]
        if nested := _OPEN.search(text):
            raise source.error(
                line + text.count("\n", 0, nested.start()), f"{{% {nested.group(1)} %}} inside {{% {role} %}}"
            )
        blocks.append((cast(Role, role), text, line))
        position = closing.end()
    _only_comments(source, position, len(whole))
    return blocks


def _only_comments(source: _Source, start: int, end: int) -> None:
    text = source.text[start:end]
    closed = text.rfind("#}") + len("#}")  # behind it each "{#" would be looked for to the end
    rest = _COMMENT.sub(lambda match: "\n" * match.group().count("\n"), text[:closed]) + text[closed:]
    if rest.strip():
        line = source.text.count("\n", 0, start) + rest[: len(rest) - len(rest.lstrip())].count("\n") + 1
        raise source.error(
            line,
            f"text outside of a message: {rest.strip().splitlines()[0][:60]!r}",
            "put it inside {% system %}, {% user %} or {% assistant %}",
        )
