"""Strict YAML with positions: what a person edits is refused with file, line, column and a remedy.

Differences from `yaml.safe_load`, each the cause of a real misreading: two equal keys in one mapping are refused
(PyYAML keeps the last), only true/false are booleans (PyYAML reads yes, no, on and off as such), and a
`!!PLACEHOLDER!!` that was left in names its key.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from augment_correction.errors import ConfigError, Noted
from augment_correction.text import read_text

Path_ = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)
PLACEHOLDER = re.compile(r"!!PLACEHOLDER!*")


class _Loader(yaml.SafeLoader):
    pass


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
# YAML 1.1 reads 1e-4 as a string; every trainer's config writes learning rates so.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


@dataclass(frozen=True)
class YamlFile:
    """Parsed data, and for each value's path (keys and list indices from the root) its 1-based line and column."""

    path: Path
    data: Any
    places: dict[Path_, tuple[int, int]]
    overridden: dict[Path_, str] = field(default_factory=dict)
    """Where the command line has laid its values over the file's, and how it names each."""

    def error(self, path: Path_, message: str, hint: str | None = None) -> ConfigError:
        """An error at the value at `path`, or at its nearest ancestor that stands in the file; at the option of the
        command line that gave the value, if one did."""
        if given := self._given(path):
            return ConfigError(message, file=given, hint=hint)
        line, column = self.places.get(self._standing(path), (None, None))
        return ConfigError(message, file=self.path, line=line, column=column, hint=hint)

    def override(self, path: Path_, value: Any, name: str) -> None:
        """Lay `value` over what stands at `path`; `name` is what errors call it (`--set shares`).

        Raises: ConfigError where a key on the way holds no section.
        """
        target = self.data
        for part in path[:-1]:
            if target.get(part) is None:
                target[part] = {}
            target = target[part]
            if not isinstance(target, dict):
                raise ConfigError(f"'{part}' is not a section", file=name)
        target[path[-1]] = value
        self.overridden[path] = name

    def rename_aliases(self, section: Path_, spellings: Mapping[str, Iterable[str]]) -> None:
        """Give the keys of a section the one name that `spellings` has for each. Where the file and the command line spell one
        key otherwise, the command line's value is taken; two spellings in the file are left for whoever reads them to refuse.
        """
        held = self._section(section)
        for name, others in spellings.items():
            given = [each for each in (name, *others) if each in held]
            overridden = [each for each in given if (*section, each) in self.overridden]
            for each in given if overridden and len(given) > len(overridden) else ():
                if each not in overridden:
                    del held[each]
            given = [each for each in given if each in held]
            if len(given) == 1 and given[0] != name:
                self._rename(held, section, given[0], name)

    def drop(self, section: Path_, keys: Mapping[str, str]) -> Iterator[str]:
        """Take these keys out of a section; a line for each that was there, with the reason that `keys` gives."""
        held = self._section(section)
        for key, why in keys.items():
            if key in held:
                del held[key]
                yield f"{'.'.join(map(str, (*section, key)))} has no effect here: {why}"

    def _section(self, path: Path_) -> dict[Any, Any]:
        """What stands there; an empty one where that is no section."""
        held = self.data
        for part in path:
            held = held.get(part) if isinstance(held, dict) else None
        return held if isinstance(held, dict) else {}

    def _rename(self, held: dict[Any, Any], section: Path_, old: str, new: str) -> None:
        held[new] = held.pop(old)
        before, after = (*section, old), (*section, new)
        if before in self.places:
            self.places[after] = self.places.pop(before)
        if before in self.overridden:
            self.overridden[after] = self.overridden.pop(before)

    def _given(self, path: Path_) -> str | None:
        """The option that gave the value at `path`, or, where the file has nothing there, one that gave a part of it."""
        beginnings = {path[:end] for end in range(1, len(path) + 1)}
        beginnings |= {(*each[:-2], f"{each[-2]}_{each[-1]}") for each in beginnings if len(each) > 1}
        for given, name in self.overridden.items():
            if given in beginnings or (path and path not in self.places and given[: len(path)] == path):
                return name
        return None

    def _standing(self, path: Path_) -> Path_:
        """`path` as the file spells it: pydantic's tags of unions are no keys, and `small: {model}` may be `small_model`."""
        standing: Path_ = ()
        for index, part in enumerate(path):
            flat = f"{part}_{path[index + 1]}" if index + 1 < len(path) else ""
            if (*standing, flat) in self.places:
                return (*standing, flat)
            if (*standing, part) in self.places:
                standing = (*standing, part)
        return standing

    def validate(self, model: type[ModelT], data: Any = None) -> ModelT:
        """`data` (this file's own by default) as a `model`.

        Raises: ConfigError with every problem, each with its line; unknown keys come with a "did you mean".
        """
        try:
            return model.model_validate(self.data if data is None else data)
        except ValidationError as failure:
            noted = Noted()
            noted.add(*(self._problem(model, error) for error in _first_causes(failure.errors())))
        noted.raise_all()
        raise AssertionError("a validation fails for a reason")

    def _problem(self, model: type[BaseModel], error: Any) -> ConfigError:
        path: Path_ = tuple(error["loc"])
        dotted = ".".join(str(part) for part in path)
        if error["type"] == "extra_forbidden":
            return self.error(path, f"unknown key '{dotted}'", _did_you_mean(model, path))
        if error["type"] == "missing":
            return self.error(path, f"'{dotted}' is missing")
        if error["type"] in ("model_type", "dict_type"):
            return self.error(path, f"{repr(dotted) if dotted else 'the file'} must be a mapping (key: value)")
        message = error["msg"].removeprefix("Value error, ")
        return self.error(path, f"'{dotted}': {message}" if dotted else message)


def _first_causes(errors: Sequence[Any]) -> Iterator[Any]:
    """Without the complaint that a list is too short for want of the entries that are wrong themselves."""
    places = [tuple(error["loc"]) for error in errors]
    for error, place in zip(errors, places, strict=True):
        inside = any(len(other) > len(place) and other[: len(place)] == place for other in places)
        if error["type"] != "too_short" or not inside:
            yield error


def _did_you_mean(model: type[BaseModel], path: Path_) -> str | None:
    known = known_keys(model, path[:-1])
    close = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known here: {', '.join(sorted(known))}" if known else None


@dataclass(frozen=True)
class KeysOf:
    """Annotates a mapping that holds keys of `model`, of which some come from elsewhere."""

    model: type[BaseModel]


def known_keys(model: type[BaseModel], path: Path_) -> list[str]:
    """The keys that `model` accepts at pydantic's `path` (keys, list indices, tags of unions). A model may list more
    spellings in a classmethod `extra_key_names`."""
    models = [model]
    for part in path:
        fields = [each.model_fields[str(part)] for each in models if part in each.model_fields]
        inside = [found for field in fields for found in _models_of(field)]
        tagged = [each for each in models if _is_tagged(each, part)]
        models = inside or tagged or models
    names: list[str] = []
    for each in models:
        names += [field.alias or name for name, field in each.model_fields.items()]
        names += getattr(each, "extra_key_names", list)()
    return list(dict.fromkeys(names))


def _models_of(field: FieldInfo) -> list[type[BaseModel]]:
    return [*_models_in(field.annotation), *(each.model for each in field.metadata if isinstance(each, KeysOf))]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation, *(each for kind in annotation.__subclasses__() for each in _models_in(kind))]
    return [model for arg in getattr(annotation, "__args__", ()) for model in _models_in(arg)]


def _is_tagged(model: type[BaseModel], tag: str | int) -> bool:
    """Whether one of its fields can hold nothing but the tag."""
    return any(getattr(field.annotation, "__args__", ()) == (tag,) for field in model.model_fields.values())


def read_yaml(path: Path) -> YamlFile:
    """Parse the YAML file at `path`.

    Raises: ConfigError where it cannot be read, is not YAML, repeats a key or still holds a placeholder.
    """
    return parse_yaml(read_text(path), path)


def parse_yaml(text: str, path: Path) -> YamlFile:
    try:
        root = yaml.compose(text, Loader=_Loader)
        file = YamlFile(path, None, {})
        data = None if root is None else _build(root, (), file, _Loader(""))
    except yaml.MarkedYAMLError as failure:
        mark = failure.problem_mark or failure.context_mark
        raise ConfigError(
            f"not valid YAML: {failure.problem or failure}",
            file=path,
            line=mark.line + 1 if mark else None,
            column=mark.column + 1 if mark else None,
            hint=_remedy(str(failure.problem), text, mark),
        ) from None
    except RecursionError:
        raise ConfigError("not read: its brackets or sections are nested too deep", file=path, hint=NESTED) from None
    return YamlFile(path, data, file.places)


NESTED = "a config nests less than ten deep: close the brackets, or quote the value if they are text"
QUOTE = "quote the value if it holds ': ', '#', '{' or starts with '*', '&', '!' or '%'"
INDENT = (
    "check the indentation: the keys of one section begin in the same column, deeper than the section's own; and the line "
    "above needs its colon"
)


def _remedy(problem: str, text: str, mark: yaml.Mark | None) -> str:
    """What to do about it, from PyYAML's words and the line that it stopped at."""
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    before = line[: mark.column] if mark else ""
    if "'\\t'" in problem:
        return "YAML is indented with spaces: replace the tab"
    if "',' or '}'" in problem or "',' or ']'" in problem or "the flow" in problem:
        return "close the bracket, or quote the value if a bracket in it is text"
    if "block end" in problem:
        return QUOTE if before.strip() else INDENT
    if "mapping values are not allowed" in problem:
        return QUOTE if re.search(r":\s", before) else INDENT
    if "could not find expected ':'" in problem:
        return "write `key: value`, with a colon and a space; or quote the value that goes over several lines"
    if "end of stream" in problem or "stream end" in problem:
        return "close the quote or the bracket"
    return QUOTE


def _build(node: yaml.Node, path: Path_, file: YamlFile, loader: _Loader) -> Any:
    file.places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(node, path, file, loader)
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*path, index), file, loader) for index, child in enumerate(node.value)]
    # Unquoted, YAML takes `!!PLACEHOLDER!!` for a tag of an empty value.
    if "PLACEHOLDER" in node.tag or (isinstance(node.value, str) and PLACEHOLDER.search(node.value)):
        dotted = ".".join(str(part) for part in path)
        raise file.error(path, f"'{dotted}' is still a !!PLACEHOLDER!!", "replace it with your own value")
    return loader.construct_object(node, deep=True)


def _build_mapping(node: yaml.MappingNode, path: Path_, file: YamlFile, loader: _Loader) -> dict[str, Any]:
    loader.flatten_mapping(node)
    built: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        file.places[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if key in built:
            raise file.error((*path, key), f"'{key}' occurs twice", "keep one of the two")
        place = file.places[(*path, key)]
        built[key] = _build(value_node, (*path, key), file, loader)
        file.places[(*path, key)] = place
    return built
