"""A config that names models, loaded from a file: overrides, variables of the environment, API keys, and whose config it is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values
from pydantic import SecretStr

from augment_correction.errors import ConfigError, Noted
from augment_correction.models import ConfigT, ModelConfig, ModelsConfig, clean_key
from augment_correction.project import Project, find_config
from augment_correction.text import read_text
from augment_correction.yamlfile import YamlFile, read_yaml

KEYS_BY_HOST = {
    "api.openai.com": "OPENAI_API_KEY",
    "openrouter.ai": "OPENROUTER_API_KEY",
    "api.deepinfra.com": "DEEPINFRA_API_KEY",
    "api.together.xyz": "TOGETHER_API_KEY",
    "api.groq.com": "GROQ_API_KEY",
    "api.deepseek.com": "DEEPSEEK_API_KEY",
    "api.mistral.ai": "MISTRAL_API_KEY",
    "api.fireworks.ai": "FIREWORKS_API_KEY",
}
"""A key in the environment goes only to the host it belongs to, never to another one."""
ASKED_OVER_HTTP = ("api", "batch")
"""Modes whose model somebody else serves, perhaps for a key."""
FIRST_KEYS = {
    "chat": ("pipeline", "corrections"),
    "run": ("pipeline",),
    "evaluate": ("models",),
    "train": ("model",),
    "experiment run": ("student",),
    "train --monitor": ("split",),
    "worker run": ("worker",),
}
"""By command, keys that together only its config has, or one that is named before it."""


def load_declared(kind: type[ConfigT], path: str | Path, overrides: Sequence[str], sections: str) -> ConfigT:
    """A config of any `kind`, whose first `sections` an error may name; see `load_config`. A key that is not there is
    no mistake yet: `require_keys` finds it where a model is to be asked."""
    found = find_config(Path(path))
    file = read_yaml(found)
    if not isinstance(file.data, dict):
        raise ConfigError(f"a config is a mapping of sections ({sections})", file=found)
    refuse_other_kind(file, kind.COMMAND)
    noted = Noted()
    for override in overrides:
        with noted.noting():
            apply_override(file, override)
    for section, spellings in kind.ALIASES.items():
        file.rename_aliases(section, spellings)
    ignored = [notice for section, keys in kind.IGNORED.items() for notice in file.drop(section, keys)]
    project = Project.of(found)
    environment = _environment(project)
    expanded = _Expanded(file, environment)
    with noted.noting():
        config = file.validate(kind, expanded.data)
    noted.add(*expanded.problems)
    if noted.problems:
        noted.add(*expanded.unset_keys.values())
    noted.raise_all()
    config = config.with_models(_with_keys(config.by_role, environment))
    config._project = project
    config._file = file
    config._notices = tuple(ignored)
    config._unset_keys = expanded.unset_keys
    return config


def with_environment_keys(config: ConfigT) -> ConfigT:
    """The same config with the API keys of the environment and the project's `.env` where it names none: for one that was
    built in Python."""
    return config.with_models(_with_keys(config.by_role, _environment(config.project)))


def require_keys(config: ModelsConfig, roles: Iterable[str]) -> None:
    """Raises: ConfigError for every model among `roles` that cannot be asked for want of an API key."""
    noted = Noted()
    named = {role: config.by_role[role] for role in roles if role in config.by_role}
    for role, model in named.items():
        if model.mode not in ASKED_OVER_HTTP or model.has_key:
            continue
        if role in config.unset_keys:
            noted.add(config.unset_keys[role])
        elif variable := KEYS_BY_HOST.get(model.host):
            noted.add(
                config.error(
                    config.place_of(role),
                    f"{config.name_of(role)} model {model.model}: no API key for {model.host}",
                    f"export {variable}=..., write it into .env, or set an api_key",
                )
            )
    noted.raise_all()


def command_of(path: str | Path) -> str | None:
    """Whose config it is, as `FIRST_KEYS` has it; None where nothing says so."""
    try:
        data = read_yaml(find_config(Path(path))).data
    except ConfigError:
        return None  # whoever loads it says what is wrong
    return next(_commands_of(data), None) if isinstance(data, dict) else None


def _commands_of(data: Mapping[str, Any]) -> Iterator[str]:
    return (command for command, keys in FIRST_KEYS.items() if data.keys() >= set(keys))


def refuse_other_kind(file: YamlFile, own: str) -> None:
    """Raises: ConfigError where the file is the config of another command than `own`."""
    commands = list(_commands_of(file.data))
    if commands and own not in commands:
        raise ConfigError(
            f"{file.path} is a config of `{commands[0]}`, and `{own}` needs one of its own",
            hint=f"python -m augment_correction {commands[0]} {file.path}",
        )


def apply_override(file: YamlFile, override: str) -> None:
    """Lay `key.path=value` (YAML) over the file.

    Raises: ConfigError.
    """
    dotted, equals, text = override.partition("=")
    if not equals:
        raise ConfigError(f"--set {override}: write key=value, for example system.chunk_size=500")
    option = f"--set {dotted}"  # without the value, which may be a key
    try:
        # A chat template begins like a YAML mapping and is none.
        value = text if text.startswith(("{{", "{%")) else yaml.safe_load(text)
    except yaml.YAMLError as failure:
        raise ConfigError(f"the value is not valid YAML: {failure}", file=option) from None
    file.override(tuple(dotted.split(".")), value, option)


def _environment(project: Project) -> dict[str, str]:
    """The process environment over the project's `.env`."""
    path = project.root / ".env"
    from_file = dotenv_values(stream=StringIO(read_text(path))) if path.is_file() else {}
    return {**{key: value for key, value in from_file.items() if value is not None}, **os.environ}


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class _Expanded:
    """A file's data with the variables of the environment in it. `unset_keys` are, by role, API keys whose variable is not
    set; `problems` all other variables that are not."""

    def __init__(self, file: YamlFile, environment: Mapping[str, str]) -> None:
        self._file, self._environment = file, environment
        self.problems: list[ConfigError] = []
        self.unset_keys: dict[str, ConfigError] = {}
        self.data = self._expand(file.data, ())

    def _expand(self, value: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(value, dict):
            return {key: self._expand(child, (*path, key)) for key, child in value.items()}
        if isinstance(value, list):
            return [self._expand(child, (*path, index)) for index, child in enumerate(value)]
        if not isinstance(value, str):
            return value
        role = _role_of(path)
        for name in _VARIABLE.findall(value):
            # An empty variable is a common way to have none, and no key is empty.
            if name in self._environment and (self._environment[name].strip() or role is None):
                continue
            dotted = ".".join(str(part) for part in path)
            problem = self._file.error(
                path, f"'{dotted}' names ${{{name}}}, which is not set", f"export {name}=... or write it into .env"
            )
            if role is None:
                self.problems.append(problem)
                return value
            self.unset_keys[role] = problem
            return None
        return _VARIABLE.sub(lambda match: self._environment[match.group(1)], value)


def _role_of(path: tuple[str | int, ...]) -> str | None:
    """Whose API key stands there: `small_api_key`, or `api_key` of a section; None where it is none."""
    last = str(path[-1]) if path else ""
    if last == "api_key":
        return str(path[-2]) if len(path) > 1 else None
    return last.removesuffix("_api_key") if last.endswith("_api_key") else None


def _with_keys(models: Mapping[str, ModelConfig], environment: Mapping[str, str]) -> dict[str, ModelConfig]:
    """Those for which the config names no API key and the environment has one, with it."""
    found = {}
    for role, model in models.items():
        names = (f"{role.upper()}_API_KEY", KEYS_BY_HOST.get(model.host, ""))
        name = next((name for name in names if environment.get(name, "").strip()), None)
        if not model.has_key and name is not None:
            try:
                found[role] = model.model_copy(update={"api_key": SecretStr(clean_key(environment[name]))})
            except ValueError as failure:
                raise ConfigError(
                    f"the environment's {name}: {failure}", hint=f"export {name}=... or correct .env"
                ) from None
    return found
