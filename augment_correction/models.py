"""Models by role, the keys they are asked with, and how a config that names models is loaded from a file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar
from urllib.parse import urlsplit

import yaml
from dotenv import dotenv_values
from pydantic import Field, PrivateAttr, SecretStr, field_validator, model_validator

from augment_correction.errors import ConfigError, Noted
from augment_correction.project import Project, find_config
from augment_correction.sampling import Declaration
from augment_correction.text import read_text
from augment_correction.usage import Price
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


ASKED_OVER_HTTP = ("api", "openai", "batch")
"""Modes whose model somebody else serves, perhaps for a key."""
FIRST_KEYS = {
    "chat": "corrections",
    "run": "pipeline",
    "evaluate": "models",
    "train": "model",
    "worker run": "worker",
    "experiment run": "student",
    "train --monitor": "split",
}
"""By command, a key that only its config has."""


def clean_key(key: str) -> str:
    """Without the line break that files and copying leave at a key's end.

    Raises: ValueError, which does not show the key, for one that no server can have given.
    """
    key = key.strip()
    for place, sign in enumerate(key, 1):
        if not "!" <= sign <= "~":
            named = {" ": "a space", "\n": "a line break", "\r": "a line break", "\t": "a tab"}
            what = named.get(sign, f"the character U+{ord(sign):04X}")
            raise ValueError(f"this is no API key: character {place} of {len(key)} is {what}; copy it anew")
    return key


class ModelConfig(Declaration):
    """One model and where it runs. In a config these keys carry the role as a prefix: `small_model`, `large_mode`.

    >>> ModelConfig(model="Qwen/Qwen3-8B", base_url="http://localhost:8000/v1", concurrency=64).mode
    'api'
    """

    model: str
    """The name the server knows it by; for `embedded` a known weight's name or a GGUF file; for `hf` a folder
    with `config.json` or a model id that is in the Hugging Face cache; for `scripted` any word."""
    mode: Literal["api", "openai", "batch", "vllm", "embedded", "hf", "scripted"] = "api"
    """`api` and `openai`: any OpenAI-compatible endpoint. `batch`: OpenAI's Batch API, half the price for answers within
    a day (a run that is stopped finds its batches again). `vllm`: start `vllm serve` for it and stop it afterwards.
    `embedded`: llama.cpp in this machine's CPU. `hf`: Transformers inside this process, on a GPU where there is one, for
    a model or an adapter that has just been trained. `scripted`: no model, fixed replies (for tests, demonstrations)."""
    adapter: str | None = None
    """For `hf`: the folder of a PEFT adapter (LoRA) on the model."""
    base_url: str = "https://api.openai.com/v1"
    """A list of addresses means several servers of this model: calls go to the one with the least work."""
    replicas: tuple[str, ...] = ()
    """The rest of such a list."""
    api_key: SecretStr | None = None
    """Write `${NAME}` to take it from the environment or a `.env` file; unset, `SMALL_API_KEY` or `LARGE_API_KEY` and
    the host's usual variable (OPENAI_API_KEY ...) are looked for."""
    client: Literal["http", "sdk"] = "http"
    """Who speaks to the server: our own HTTP client, which costs an eighth of the CPU, or the openai SDK (`sdk`) for Azure
    and for gateways that want its ways. Answers, retries and the journal are the same."""
    api_version: str | None = None
    """For Azure, with `client: sdk`: its `api-version`, for example `2024-10-21`. `base_url` is then the resource's endpoint
    (https://NAME.openai.azure.com) and `model` the deployment; unset, the key is AZURE_OPENAI_API_KEY or a token in
    AZURE_OPENAI_AD_TOKEN."""
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    """Sent with every request, for gateways that sign in by a header of their own: {"api-key": "${GATEWAY_KEY}"}. They
    are kept as secret as a key; one named Authorization takes the place of the key's."""
    concurrency: int | None = Field(None, ge=1)
    """Calls in flight at once; unset, `system.concurrency_limit` (for `embedded`: what the machine's cores allow; for
    `batch`, where it bounds how many wait for one batch, 10,000: 0.65 GB of memory at 3,000 tokens a passage)."""
    rpm: float | None = Field(None, gt=0)
    """Requests per minute, where your contract names a limit. Without it the limit is learned from the server's 429s."""
    tpm: float | None = Field(None, gt=0)
    """Prompt tokens per minute, likewise."""
    timeout: float = Field(600.0, gt=0)
    """Seconds for one request, reasoning included."""
    retries: int = Field(5, ge=0)
    """Tries again after server errors and timeouts. A 429 waits and does not count."""
    structured_output: Literal["auto", "always", "never"] = "auto"
    """Whether JSON schemas are sent to the server; `auto` stops sending them when it answers 400 to the first."""
    reasoning_tokens: int | None = Field(None, ge=0)
    """Room for a reasoning model's thoughts, added to every `max_tokens` that a pipeline sets for its answers, since
    servers count both. Unset, 8192 from the first reply on that was cut off while the model thought."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Sent with every request as it is, for example {"chat_template_kwargs": {"enable_thinking": false}}."""
    arguments: tuple[str, ...] = ()
    """For `vllm`: further arguments of `vllm serve`, for example ["--tensor-parallel-size", "2"]. With a LoRA adapter
    `model` is the adapter's name: ["--model", "BASE", "--enable-lora", "--lora-modules", "NAME=FOLDER"]."""
    script: str | None = None
    """For `scripted`: a YAML file of rules; unset, the built-in one that answers every shipped prompt."""

    _folder: str | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _split(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("base_url"), list):
            first, *rest = data["base_url"] or [""]
            return {**data, "base_url": first, "replicas": rest}
        return data

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, address: str) -> str:
        if not re.match(r"https?://[^/]", address) or not urlsplit(address).hostname:
            raise ValueError(f"{address!r} is no address; write http://host:port/v1")
        return address

    @field_validator("api_key", mode="before")
    @classmethod
    def _is_key(cls, key: Any) -> Any:
        return (clean_key(key) or None) if isinstance(key, str) else key

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        values = {name: value.get_secret_value().strip() for name, value in headers.items()}
        for name, value in values.items():
            if not (name + value).isprintable() or not (name + value).isascii():
                raise ValueError(f"the header {name!r} holds a character that no header may hold")
        return {name: SecretStr(value) for name, value in values.items()}

    @model_validator(mode="after")
    def _adapter_needs_hf(self) -> ModelConfig:
        if self.adapter is not None and self.mode != "hf":
            raise ValueError(f"an adapter needs mode: hf, and this model's is {self.mode}")
        return self

    @model_validator(mode="after")
    def _azure_needs_the_sdk(self) -> ModelConfig:
        if self.api_version is not None and self.client != "sdk" and self.mode != "batch":
            raise ValueError("api_version is Azure's and needs client: sdk")
        return self

    @property
    def plain_headers(self) -> dict[str, str]:
        return {name: value.get_secret_value() for name, value in self.headers.items()}

    @property
    def has_key(self) -> bool:
        return self.api_key is not None and bool(self.api_key.get_secret_value().strip())

    @property
    def host(self) -> str:
        return self.at_host(self.base_url)

    @staticmethod
    def at_host(address: str) -> str:
        """Without what else an address may hold, a password for one."""
        return urlsplit(address).hostname or address

    @property
    def folder(self) -> str | None:
        """Where the weights of `hf` are, once `model` names them by what they hold (`llm/hf_weights.py`)."""
        return self._folder

    def without_secrets(self) -> dict[str, Any]:
        data = self.model_dump(mode="json", exclude={"api_key", "headers"})
        data["base_url"] = without_credentials(data["base_url"])
        data["replicas"] = [without_credentials(address) for address in data["replicas"]]
        return data

    def at(self, folder: str, *, name: str) -> ModelConfig:
        made = self.model_copy(update={"model": name})
        made._folder = folder
        return made


class ModelsConfig(Declaration):
    """What a run's config and an evaluation's have in common: a file, a project, and models by role with their prices."""

    COMMAND: ClassVar[str]
    """Whose config it is, as `FIRST_KEYS` has it."""
    SPELT: ClassVar[Mapping[tuple[str, ...], Mapping[str, tuple[str, ...]]]] = {}
    """By section, other names of its keys (`YamlFile.respell`)."""
    _project: Project = PrivateAttr(default_factory=lambda: Project(Path.cwd()))
    _file: YamlFile | None = PrivateAttr(default=None)
    _notices: tuple[str, ...] = PrivateAttr(default=())
    _unset_keys: dict[str, ConfigError] = PrivateAttr(default_factory=dict)

    @property
    def project(self) -> Project:
        return self._project

    @property
    def file(self) -> YamlFile | None:
        """The YAML it came from, for errors that name a line."""
        return self._file

    @property
    def notices(self) -> tuple[str, ...]:
        """Keys that were accepted and mean nothing here, a line each."""
        return self._notices

    @property
    def unset_keys(self) -> Mapping[str, ConfigError]:
        """By role, what to say of an API key whose variable is not set."""
        return self._unset_keys

    def key_of(self, role: str, name: str) -> str:
        """How the config spells the key `name` of a role's model, for a remedy."""
        return ".".join((*self.place_of(role), name))

    def place_of(self, role: str) -> tuple[str, ...]:
        """Where the config names the model of `role`, for an error."""
        raise NotImplementedError

    def error(self, path: tuple[str | int, ...], message: str, hint: str | None = None) -> ConfigError:
        if self._file is None:
            return ConfigError(message, hint=hint)
        return self._file.error(path, message, hint)

    @property
    def by_role(self) -> dict[str, ModelConfig]:
        raise NotImplementedError

    def model(self, role: str) -> ModelConfig:
        """Raises: ConfigError where the config names no model for `role`."""
        raise NotImplementedError

    def with_models(self, models: Mapping[str, ModelConfig]) -> Self:
        """The same config with other models for these roles."""
        raise NotImplementedError

    def price(self, role: str) -> Price | None:
        """As the config writes it, or None.

        Raises: ConfigError where only one of a role's two prices is given.
        """
        raise NotImplementedError

    def price_keys(self, role: str) -> str:
        """How the config spells them, for a remedy."""
        raise NotImplementedError

    @property
    def max_usd(self) -> Decimal | None:
        raise NotImplementedError

    @property
    def concurrency(self) -> int:
        """Calls in flight at once to a model that does not say otherwise."""
        raise NotImplementedError


ConfigT = TypeVar("ConfigT", bound=ModelsConfig)


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
    for section, spellings in kind.SPELT.items():
        file.respell(section, spellings)
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
                    f"{role} model {model.model}: no API key for {model.host}",
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
    return next((command for command, key in FIRST_KEYS.items() if isinstance(data, dict) and key in data), None)


def refuse_other_kind(file: YamlFile, own: str) -> None:
    """Raises: ConfigError where the file is the config of another command than `own`."""
    if FIRST_KEYS[own] in file.data:
        return
    for command, key in FIRST_KEYS.items():
        if key in file.data:
            raise ConfigError(
                f"{file.path} is a config of `{command}`, and `{own}` needs one of its own",
                hint=f"python -m augment_correction {command} {file.path}",
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
        raise ConfigError(f"the value is not YAML: {failure}", file=option) from None
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
                    f"the environment's {name}: {failure}", hint=f"export {name}=... or mend .env"
                ) from None
    return found


def without_credentials(address: str) -> str:
    """For everything that is shown or written, a proxy's address too. One that nobody can parse is hidden as well."""
    return re.sub(r"^([^/]*//)[^/]*@", r"\1", address)
