"""One run: which pipeline, documents, models, limits and money. Augmentoolkit's sections and keys are accepted
unchanged; `docs/reference/config.md` is generated from the strings under the fields here."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

import yaml
from dotenv import dotenv_values
from pydantic import Field, PrivateAttr, SecretStr, field_validator, model_validator

from augment_correction.errors import ConfigError
from augment_correction.project import Project, find_config
from augment_correction.sampling import Declaration, Sampling
from augment_correction.yamlfile import YamlFile, read_yaml

ROLES = ("small", "large")
AUGMENTOOLKIT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'system') %}"
    "{{message['content'] + '\n'}}{% elif (message['role'] == 'user') %}"
    "{{'Human: ' + message['content'] + ' **Finished.**' + '\n'}}{% elif message['role'] == 'assistant' %}"
    "{{'AI: ' + message['content'] + ' **Finished.**' + '\n'}}{% endif %}{% endfor %}"
)
PIPELINE_ALIASES = {"correction-pipeline": "correction"}
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


class ModelConfig(Declaration):
    """One model and where it runs. In a config these keys carry the role as a prefix: `small_model`, `large_mode`."""

    model: str
    """The name the server knows it by; for `embedded` a known weight's name or a GGUF file; for `scripted` any word."""
    mode: Literal["api", "openai", "batch", "vllm", "embedded", "scripted"] = "api"
    """`api` and `openai`: any OpenAI-compatible endpoint. `batch`: OpenAI's Batch API, half the price for answers within
    a day (a run that is stopped finds its batches again). `vllm`: start `vllm serve` for it and stop it afterwards.
    `embedded`: llama.cpp in this machine's CPU. `scripted`: no model, fixed replies (for tests and demonstrations)."""
    base_url: str = "https://api.openai.com/v1"
    """A list of addresses means several servers of this model: calls go to the one with the least work."""
    replicas: tuple[str, ...] = ()
    """The rest of such a list."""
    api_key: SecretStr | None = None
    """Write `${NAME}` to take it from the environment or a `.env` file; unset, `SMALL_API_KEY` or `LARGE_API_KEY` and
    the host's usual variable (OPENAI_API_KEY ...) are looked for."""
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
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Sent with every request as it is, for example {"chat_template_kwargs": {"enable_thinking": false}}."""
    arguments: tuple[str, ...] = ()
    """For `vllm`: further arguments of `vllm serve`, for example ["--tensor-parallel-size", "2"]."""
    script: str | None = None
    """For `scripted`: a YAML file of rules; unset, the built-in one that answers every shipped prompt."""

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

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or self.base_url


class ApiConfig(Declaration):
    """The models by role. Flat (`small_model: ...`) and nested (`small: {model: ...}`) spellings are the same."""

    small: ModelConfig | None = None
    large: ModelConfig | None = None

    @classmethod
    def extra_key_names(cls) -> list[str]:
        return [f"{role}_{key}" for role in ROLES for key in ModelConfig.model_fields]

    @model_validator(mode="before")
    @classmethod
    def _nest(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        nested: dict[str, Any] = {}
        for key, value in data.items():
            role, _, rest = str(key).partition("_")
            if role in ROLES and rest in ModelConfig.model_fields:
                nested.setdefault(role, {})[rest] = value
            elif key in nested and isinstance(value, dict):
                nested[key] = {**nested[key], **value}
            else:
                nested[key] = value
        return nested


class PathConfig(Declaration):
    input_dir: str
    output_dir: str
    prompts: str = "./prompts"
    """Where prompts are looked for first."""
    default_prompts: str = "./prompts"
    """Where they are looked for next; the shipped ones come last."""


class SystemConfig(Declaration):
    chunk_size: int = Field(3000, ge=16)
    """The longest passage, in `chunk_unit`."""
    chunk_unit: Literal["tokens", "characters"] = "tokens"
    chunk_overlap: int = Field(0, ge=0)
    encoding: str = "o200k_base"
    """How tokens of passages are counted: one of tiktoken's encodings, or the path of a `tokenizer.json`."""
    use_subset: bool = False
    subset_size: int = Field(1500, ge=1)
    """Passages made when `use_subset` is on: a draw by `seed` from the whole input, the same on every machine."""
    seed: int = 1048596
    concurrency_limit: int = Field(30, ge=1)
    prompt_template: str = AUGMENTOOLKIT_TEMPLATE
    """How a conversation is written as text: a Jinja2 template, the name of one in `prompts/chat_templates/`
    (`chatml`, `llama3`, `augmentoolkit`), or `tokenizer` for the chat template of `system.tokenizer`."""
    tokenizer: str | None = None
    """A folder with `tokenizer.json` and `tokenizer_config.json`, or a model id that is in the Hugging Face cache."""
    bos_token: str | None = None
    """Unset, the tokenizer's own; without a tokenizer empty, and the summary says so."""
    loss_on: Literal["all_but_mistake", "correction_only"] = "all_but_mistake"
    completion_mode: bool = False
    use_stop: bool = True
    use_min_p: bool = False

    UNUSED: ClassVar[Mapping[str, str]] = {
        "completion_mode": "chat endpoints only",
        "use_stop": "no stop strings are sent: the reply's tags or JSON end it",
        "use_min_p": "set `min_p` under `sampling` instead",
    }


class MetaConfig(Declaration):
    """Rows that teach a model to run this pipeline's own steps."""

    do_meta_datagen: bool = False
    meta_datagen_keys: tuple[str, ...] | None = None
    """Stages by name, `_details` may follow (`judgement_details`); all stages where unset."""
    meta_datagen_extras: tuple[str, ...] | None = None
    """Prompts rendered over the finished record: a last assistant message of them is the row's answer."""


class CostConfig(Declaration):
    cost_per_million_small_input: Decimal | None = Field(None, ge=0)
    cost_per_million_small_output: Decimal | None = Field(None, ge=0)
    cost_per_million_large_input: Decimal | None = Field(None, ge=0)
    cost_per_million_large_output: Decimal | None = Field(None, ge=0)
    max_usd: Decimal | None = Field(None, gt=0)
    """The run stops cleanly before it would spend more (exit 4); raise it and run again to go on."""


class LimitsConfig(Declaration):
    max_rejected: float = Field(1.0, ge=0, le=1)
    """Share of passages that may be rejected or fail before the run counts as unsuccessful (exit 3)."""


class TrainingConfig(Declaration):
    """What goes into `axolotl_lora.yaml`."""

    base_model: str = "Qwen/Qwen2.5-7B"
    adapter: Literal["lora", "qlora"] = "lora"
    sequence_len: int = Field(4096, ge=64)
    output_dir: str = "./lora_out"
    learning_rate: float = Field(2e-4, gt=0)
    num_epochs: int = Field(2, ge=1)
    micro_batch_size: int = Field(2, ge=1)
    gradient_accumulation_steps: int = Field(4, ge=1)
    lora_r: int = Field(32, ge=1)
    lora_alpha: int = Field(32, ge=1)
    lora_dropout: float = Field(0.05, ge=0, lt=1)
    val_set_size: float = Field(0.05, ge=0, lt=1)


class OutputConfig(Declaration):
    """Spellings of the dataset beside the one for Axolotl, each in `exports/<name>/` of the output folder."""

    formats: tuple[Literal["axolotl", "axolotl_chat", "openai", "trl", "sharegpt", "hf"], ...] = ()
    """`axolotl` is the dataset file itself, which every run writes. `trl` needs a tokenizer and pyarrow for its tokens
    and labels; the command `export` makes any of them later."""
    licence: str | None = None
    """For the dataset card of `hf`: the licence that your documents allow, for example `cc-by-4.0`."""


class RunConfig(Declaration):
    """A validated config. `load_config` makes it from a file; `project` says where its relative paths start."""

    pipeline: str
    """A name (`correction`, `correction_small`) or the path of a pipeline file."""
    api: ApiConfig
    path: PathConfig
    system: SystemConfig = SystemConfig()
    sampling: dict[str, Sampling] = Field(default_factory=dict)
    """Per stage name, laid over what the pipeline says: {judgement: {temperature: 0}}."""
    meta_datagen: MetaConfig = MetaConfig()
    cost: CostConfig = CostConfig()
    limits: LimitsConfig = LimitsConfig()
    training: TrainingConfig = TrainingConfig()
    output: OutputConfig = OutputConfig()

    _project: Project = PrivateAttr(default_factory=lambda: Project(Path.cwd()))
    _file: YamlFile | None = PrivateAttr(default=None)
    _notices: tuple[str, ...] = PrivateAttr(default=())

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
    def pipeline_name(self) -> str:
        return PIPELINE_ALIASES.get(self.pipeline, self.pipeline)

    def model(self, role: str) -> ModelConfig:
        """Raises: ConfigError where the config names no model for `role`."""
        found: ModelConfig | None = getattr(self.api, role)
        if found is None:
            raise self.error(("api",), f"the pipeline needs a {role} model", f"set api.{role}_model")
        return found

    def error(self, path: tuple[str | int, ...], message: str, hint: str | None = None) -> ConfigError:
        if self._file is None:
            return ConfigError(message, hint=hint)
        return self._file.error(path, message, hint)

    def without_secrets(self) -> dict[str, Any]:
        """JSON-safe, for `run.json`; keys and credentials in URLs are left out."""
        data = self.model_dump(mode="json")
        for role in ROLES:
            model = data["api"].get(role)
            if model:
                model.pop("api_key", None)
                model["base_url"] = _without_credentials(model["base_url"])
                model["replicas"] = [_without_credentials(address) for address in model["replicas"]]
        return data


def _without_credentials(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> RunConfig:
    """The config at `path`, with `key.path=value` overrides applied (values are YAML).

    Raises: ConfigError with file, line, column and remedy.
    """
    found = find_config(Path(path))
    file = read_yaml(found)
    if not isinstance(file.data, dict):
        raise ConfigError("a config is a mapping of sections (pipeline, api, path, ...)", file=found)
    for override in overrides:
        _apply(file, override)
    project = Project.of(found)
    environment = _environment(project)
    data = _expand(file, file.data, (), environment)
    config = file.validate(RunConfig, data)
    config = _with_keys(config, environment)
    config._project = project
    config._file = file
    config._notices = tuple(
        f"system.{key} has no effect here: {why}"
        for key, why in SystemConfig.UNUSED.items()
        if key in config.system.model_fields_set
    )
    return config


def _apply(file: YamlFile, override: str) -> None:
    dotted, equals, text = override.partition("=")
    if not equals:
        raise ConfigError(f"--set {override}: write key=value, for example system.chunk_size=500")
    try:
        # A chat template begins like a YAML mapping and is none.
        value = text if text.startswith(("{{", "{%")) else yaml.safe_load(text)
    except yaml.YAMLError as failure:
        raise ConfigError(f"--set {override}: the value is not YAML: {failure}") from None
    *parents, last = dotted.split(".")
    target = file.data
    for part in parents:
        target = target.setdefault(part, {})
        if not isinstance(target, dict):
            raise ConfigError(f"--set {override}: '{part}' is not a section")
    target[last] = value


def _environment(project: Project) -> dict[str, str]:
    """The process environment over the project's `.env`."""
    from_file = dotenv_values(project.root / ".env") if (project.root / ".env").is_file() else {}
    return {**{key: value for key, value in from_file.items() if value is not None}, **os.environ}


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _expand(file: YamlFile, value: Any, path: tuple[str | int, ...], environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _expand(file, child, (*path, key), environment) for key, child in value.items()}
    if isinstance(value, list):
        return [_expand(file, child, (*path, index), environment) for index, child in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environment:
            dotted = ".".join(str(part) for part in path)
            raise file.error(
                path,
                f"'{dotted}' names ${{{name}}}, which is not set",
                f"export {name}=... or write it into .env",
            )
        return environment[name]

    return _VARIABLE.sub(replace, value)


def _with_keys(config: RunConfig, environment: Mapping[str, str]) -> RunConfig:
    """Fill in API keys from the environment where the config names none."""
    update = {}
    for role in ROLES:
        model: ModelConfig | None = getattr(config.api, role)
        if model is None or model.api_key is not None:
            continue
        names = (f"{role.upper()}_API_KEY", KEYS_BY_HOST.get(model.host, ""))
        key = next((environment[name] for name in names if environment.get(name)), None)
        if key is not None:
            update[role] = model.model_copy(update={"api_key": SecretStr(key)})
    return config.model_copy(update={"api": config.api.model_copy(update=update)})
