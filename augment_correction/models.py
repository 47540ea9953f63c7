"""One model and where it runs; what every config that names models by role has in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, PrivateAttr, SecretStr, field_validator, model_validator

from augment_correction import augmentoolkit
from augment_correction.errors import ConfigError
from augment_correction.project import Project
from augment_correction.sampling import Declaration
from augment_correction.usage import Price
from augment_correction.yamlfile import YamlFile


def clean_key(key: str) -> str:
    """Without the line break that files and copying leave at a key's end.

    Raises: ValueError, which does not show the key, for one that no server can have given.
    """
    key = key.strip()
    for place, sign in enumerate(key, 1):
        if not "!" <= sign <= "~":
            named = {" ": "a space", "\n": "a line break", "\r": "a line break", "\t": "a tab"}
            what = named.get(sign, f"the character U+{ord(sign):04X}")
            raise ValueError(
                f"this is not a valid API key: character {place} of {len(key)} is {what}; copy the key again"
            )
    return key


class ModelConfig(Declaration):
    """One model and where it runs. In a config these keys carry the role as a prefix: `small_model`, `large_mode`.

    >>> ModelConfig(model="Qwen/Qwen3-8B", base_url="http://localhost:8000/v1", concurrency=64).mode
    'api'
    """

    model: str
    """The name that the server uses for the model; for `embedded` the name of a shipped model or a GGUF file; for `hf` a folder
    with `config.json` or a model id that is in the Hugging Face cache; for `scripted` any word."""
    mode: Literal["api", "batch", "vllm", "embedded", "hf", "scripted"] = "api"
    """`api`: any OpenAI-compatible endpoint (Augmentoolkit's word for it, `openai`, is understood). `batch`: OpenAI's Batch API, half the price for answers within
    a day (a run that is stopped finds its batches again). `vllm`: start `vllm serve` for it and stop it afterwards.
    `embedded`: llama.cpp in this machine's CPU. `hf`: Transformers inside this process, on a GPU where there is one, for
    a model or an adapter that has just been trained. `scripted`: no model, fixed replies (for tests, demonstrations)."""
    adapter: str | None = None
    """Only with `hf`: the folder of a PEFT adapter (LoRA) for the model."""
    base_url: str = "https://api.openai.com/v1"
    """The base URL of the server. A list means several servers with this model; each request goes to the least busy one."""
    replicas: tuple[str, ...] = ()
    """The other addresses of such a list."""
    api_key: SecretStr | None = None
    """Write `${NAME}` to take it from the environment or a `.env` file; unset, `SMALL_API_KEY` or `LARGE_API_KEY` and
    the host's usual variable (OPENAI_API_KEY ...) are looked for."""
    client: Literal["http", "sdk"] = "http"
    """The HTTP client: the built-in one, which needs an eighth of the CPU time, or the openai SDK (`sdk`) for Azure
    and for gateways that need it. Answers, retries and the journal are the same."""
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
    """The rate limit in requests per minute, if your contract names one. Without it the limit is learned from the server's 429 replies."""
    tpm: float | None = Field(None, gt=0)
    """The rate limit in prompt tokens per minute, likewise."""
    timeout: float = Field(600.0, gt=0)
    """The timeout of one request in seconds, reasoning included."""
    retries: int = Field(5, ge=0)
    """How often a request is repeated after server errors and timeouts. A 429 reply is waited for and does not count."""
    structured_output: Literal["auto", "always", "never"] = "auto"
    """Whether JSON schemas are sent to the server; `auto` stops sending them when it answers 400 to the first."""
    reasoning_tokens: int | None = Field(None, ge=0)
    """Tokens for the reasoning of the model, added to every `max_tokens` that a pipeline sets for its answers, because
    servers count both. Unset, 8192 from the first reply on that was cut off while the model thought."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Further fields of every request, for example {"chat_template_kwargs": {"enable_thinking": false}}."""
    arguments: tuple[str, ...] = ()
    """For `vllm`: further arguments of `vllm serve`, for example ["--tensor-parallel-size", "2"]. With a LoRA adapter
    `model` is the adapter's name: ["--model", "BASE", "--enable-lora", "--lora-modules", "NAME=FOLDER"]."""
    script: str | None = None
    """For `scripted`: a YAML file with fixed replies under `rules: [{contains: "When did it close?", text: "In 1950."}]`: the reply
    is the `text` of the first rule whose `contains` stands in the request. Under `fields: {correct_answer: "In 1956."}` it fills
    fields that a prompt of a pipeline asks for. What neither decides is answered by the built-in script: it fills every field that
    a pipeline's prompt asks for, and gives no answer to the questions of an evaluation, which count as unusable without a rule."""

    _folder: str | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _split(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("base_url"), list):
            first, *rest = data["base_url"] or [""]
            return {**data, "base_url": first, "replicas": rest}
        return data

    @field_validator("mode", mode="before")
    @classmethod
    def _known_mode(cls, mode: Any) -> Any:
        return augmentoolkit.MODES.get(mode, mode) if isinstance(mode, str) else mode

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, address: str) -> str:
        if not re.match(r"https?://[^/]", address) or not urlsplit(address).hostname:
            raise ValueError(f"{address!r} is not a URL; write http://host:port/v1")
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
                raise ValueError(f"the header {name!r} contains a character that is not allowed in a header")
        return {name: SecretStr(value) for name, value in values.items()}

    @model_validator(mode="after")
    def _adapter_needs_hf(self) -> ModelConfig:
        if self.adapter is not None and self.mode != "hf":
            raise ValueError(f"an adapter needs mode: hf, but the mode of this model is {self.mode}")
        return self

    @model_validator(mode="after")
    def _azure_needs_the_sdk(self) -> ModelConfig:
        if self.api_version is not None and self.client != "sdk" and self.mode != "batch":
            raise ValueError("api_version is only for Azure and needs client: sdk")
        return self

    @property
    def plain_key(self) -> str | None:
        return self.api_key.get_secret_value() if self.api_key else None

    @property
    def plain_headers(self) -> dict[str, str]:
        return {name: value.get_secret_value() for name, value in self.headers.items()}

    @property
    def has_key(self) -> bool:
        return bool((self.plain_key or "").strip())

    @property
    def host(self) -> str:
        return self.at_host(self.base_url)

    @staticmethod
    def at_host(address: str) -> str:
        """The host and port of an address, without credentials."""
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
    ALIASES: ClassVar[Mapping[tuple[str, ...], Mapping[str, tuple[str, ...]]]] = {}
    """By section, other names of its keys (`YamlFile.rename_aliases`)."""
    IGNORED: ClassVar[Mapping[tuple[str, ...], Mapping[str, str]]] = {}
    """By section, keys of other programs that mean nothing here, with the reason (`YamlFile.drop`)."""
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

    def name_of(self, role: str) -> str:
        """What the config calls the model of a role."""
        return role

    def key_of(self, role: str, name: str) -> str:
        """How the config spells the key `name` of a role's model, for a remedy."""
        return ".".join((*self.place_of(role), name))

    def place_of(self, role: str) -> tuple[str, ...]:
        """Where the config names the model of `role`, for an error."""
        return (role,)

    def sampling_of(self, stage: str) -> str:
        """The key of the sampling parameters of a stage, for a remedy."""
        return "sampling"

    def shorter(self, stage: str) -> str:
        """What makes the requests of a stage shorter, for a remedy."""
        return f"lower {self.sampling_of(stage)}.max_tokens"

    def error(self, path: tuple[str | int, ...], message: str, hint: str | None = None) -> ConfigError:
        if self._file is None:
            return ConfigError(message, hint=hint)
        return self._file.error(path, message, hint)

    @property
    def by_role(self) -> dict[str, ModelConfig]:
        raise NotImplementedError

    def model(self, role: str) -> ModelConfig:
        """Raises: KeyError, in a run's config ConfigError, where the config names no model for `role`."""
        return self.by_role[role]

    def with_models(self, models: Mapping[str, ModelConfig]) -> Self:
        """The same config with other models for these roles."""
        return self.model_copy(update=dict(models))

    def price(self, role: str) -> Price | None:
        """As the config writes it, or None.

        Raises: ConfigError where only one of a role's two prices is given.
        """
        return None

    def price_keys(self, role: str) -> str:
        """How the config spells them, for a remedy."""
        return role

    @property
    def max_usd(self) -> Decimal | None:
        return None

    @property
    def concurrency(self) -> int:
        """Calls in flight at once to a model that does not say otherwise."""
        raise NotImplementedError


class MadeConfig(ModelsConfig):
    """Mixed into the kind of a config that is made in memory out of another one (`written`): its prices are those of the other, and its
    errors tell the keys of the other, which are the ones that the user wrote or has to write."""

    PLACES: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """By section of this kind, where the other has it, if that is another place."""
    _written: ModelsConfig = PrivateAttr()
    _roles: Mapping[str, str] = PrivateAttr()

    def made_of(self, written: ModelsConfig, roles: Mapping[str, str]) -> Self:
        """`roles`: by role here, the role there whose model it is."""
        self._written, self._roles, self._project = written, roles, written.project
        return self

    def name_of(self, role: str) -> str:
        return self._roles.get(role, role)

    def key_of(self, role: str, name: str) -> str:
        return self._written.key_of(self.name_of(role), name)

    def place_of(self, role: str) -> tuple[str, ...]:
        return self._written.place_of(self.name_of(role))

    def price(self, role: str) -> Price | None:
        return self._written.price(self.name_of(role))

    def price_keys(self, role: str) -> str:
        return self._written.price_keys(self.name_of(role))

    def error(self, path: tuple[str | int, ...], message: str, hint: str | None = None) -> ConfigError:
        section, *rest = path
        return self._written.error((*self.PLACES.get(str(section), (section,)), *rest), message, hint)


class TokenPrice(Declaration):
    """USD per million tokens."""

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)


class NamedPrices:
    """The accessors of a config whose section `cost` has prices by the model's name or role (`per_million`) and a cap."""

    if TYPE_CHECKING:

        class Cost(Protocol):
            @property
            def per_million(self) -> Mapping[str, TokenPrice]: ...
            @property
            def max_usd(self) -> Decimal | None: ...

        @property
        def cost(self) -> Cost: ...
        @property
        def by_role(self) -> Mapping[str, ModelConfig]: ...
        @property
        def concurrency_limit(self) -> int: ...

    def price(self, role: str) -> Price | None:
        given = self.cost.per_million.get(role)
        return Price(given.input, given.output) if given else None

    def price_keys(self, role: str) -> str:
        return f"cost.per_million.{role}"

    @property
    def max_usd(self) -> Decimal | None:
        return self.cost.max_usd

    @property
    def concurrency(self) -> int:
        return self.concurrency_limit

    def check_prices(self) -> None:
        """Raises: ValueError where a price is that of no model here."""
        unknown = sorted(set(self.cost.per_million) - set(self.by_role))
        if unknown:
            raise ValueError(f"cost.per_million names '{unknown[0]}', which is not a model of this config")


ConfigT = TypeVar("ConfigT", bound=ModelsConfig)


def without_credentials(address: str) -> str:
    """For everything that is shown or written, a proxy's address too. One that nobody can parse is hidden as well."""
    return re.sub(r"^([^/]*//)[^/]*@", r"\1", address)
