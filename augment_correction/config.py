"""One run: which pipeline, documents, models, limits and money. Augmentoolkit's sections and keys are accepted
unchanged; `docs/reference/config.md` is generated from the strings under the fields here."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar
from urllib.parse import urlsplit

import yaml
from dotenv import dotenv_values
from pydantic import Field, PrivateAttr, SecretStr, field_validator, model_validator

from augment_correction.errors import ConfigError
from augment_correction.project import Project, find_config
from augment_correction.sampling import Declaration, Sampling
from augment_correction.usage import Price
from augment_correction.yamlfile import YamlFile, read_yaml

ROLES = ("small", "large", "judge", "target")
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

    @model_validator(mode="after")
    def _adapter_needs_hf(self) -> ModelConfig:
        if self.adapter is not None and self.mode != "hf":
            raise ValueError(f"an adapter needs mode: hf, and this model's is {self.mode}")
        return self

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or self.base_url

    @property
    def folder(self) -> str | None:
        """Where the weights of `hf` are, once `model` names them by what they hold (`llm/hf_weights.py`)."""
        return self._folder

    def without_secrets(self) -> dict[str, Any]:
        data = self.model_dump(mode="json", exclude={"api_key"})
        data["base_url"] = _without_credentials(data["base_url"])
        data["replicas"] = [_without_credentials(address) for address in data["replicas"]]
        return data

    def at(self, folder: str, *, name: str) -> ModelConfig:
        made = self.model_copy(update={"model": name})
        made._folder = folder
        return made


class ApiConfig(Declaration):
    """The models by role. Flat (`small_model: ...`) and nested (`small: {model: ...}`) spellings are the same."""

    small: ModelConfig | None = None
    large: ModelConfig | None = None
    judge: ModelConfig | None = None
    """Who decides in the checks that ask a model; unset, the large one."""
    target: ModelConfig | None = None
    """The model that is to be trained, for pipelines that learn from its own mistakes."""

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
    loss_on: Literal["all_but_mistake", "answers", "correction_only"] = "all_but_mistake"
    """What is trained: everything but the mistake (what users say and the template's own text, too), every answer but
    the mistake, or only the turn that corrects it or stands by what was right."""
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
    cost_per_million_judge_input: Decimal | None = Field(None, ge=0)
    cost_per_million_judge_output: Decimal | None = Field(None, ge=0)
    cost_per_million_target_input: Decimal | None = Field(None, ge=0)
    cost_per_million_target_output: Decimal | None = Field(None, ge=0)
    max_usd: Decimal | None = Field(None, gt=0)
    """The run stops cleanly before it would spend more (exit 4); raise it and run again to go on."""


class LimitsConfig(Declaration):
    max_rejected: float = Field(1.0, ge=0, le=1)
    """Share of passages that may be rejected or fail before the run counts as unsuccessful (exit 3)."""


class SelectionConfig(Declaration):
    """Which of the kept conversations go into the dataset, looked at as a set. What is left out stands in
    `rejected.jsonl` with the reason; nothing is asked for it, and turning a rule off brings the rows back."""

    duplicates: float | None = Field(None, gt=0, le=1)
    """Of questions that are this similar (Jaccard similarity of their shingles; 1: the same but for case and spacing)
    the first one is kept; unset, all are."""
    across: tuple[str, ...] = ()
    """Output folders of other runs whose questions count as there already."""
    benchmarks: tuple[str, ...] = ()
    """Files of benchmarks (.jsonl, .json, .txt, .csv): a conversation that shares `benchmark_ngram` words in a row with
    one of their items, or is a near duplicate of one, is left out."""
    benchmark_ngram: int = Field(13, ge=4)
    at_most: dict[Literal["document", "error_type", "kind"], float] = Field(default_factory=dict)
    """Rows that may come from one document, one type of error or one kind: a number of rows from 1 on, a share of the
    dataset below 1. {document: 50, error_type: 0.4}"""


class GateConfig(Declaration):
    """Conversations that are kept apart for `evaluate` and never exported for training."""

    share: float = Field(0.0, ge=0, le=0.5)
    """The share of documents, drawn by `system.seed`, whose conversations go into `gate.jsonl`. A document that was drawn
    stays drawn when others are added, and the file is frozen: what stands in it stays out of the dataset whatever the
    share becomes. Move the file away to draw afresh."""


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


class ModelsConfig(Declaration):
    """What a run's config and an evaluation's have in common: a file, a project, and models by role with their prices."""

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


class RunConfig(ModelsConfig):
    """A validated config. `load_config` makes it from a file; `project` says where its relative paths start."""

    pipeline: str
    """A name (`correction`, `correction_small`) or the path of a pipeline file."""
    api: ApiConfig
    path: PathConfig
    system: SystemConfig = SystemConfig()
    sampling: dict[str, Sampling] = Field(default_factory=dict)
    """Per stage name, laid over what the pipeline says: {judgement: {temperature: 0}}."""
    shares: dict[str, dict[str, float]] = Field(default_factory=dict)
    """Weights for what the pipeline draws, by the drawn field's name; a word that is not named gets none:
    {kind: {correct_after_mistake: 2, stand_by: 1}}."""
    checks: dict[str, bool] = Field(default_factory=dict)
    """Checks and stages by name; `false` turns one off: {grounded: false, language: false}."""
    selection: SelectionConfig = SelectionConfig()
    gate: GateConfig = GateConfig()
    meta_datagen: MetaConfig = MetaConfig()
    cost: CostConfig = CostConfig()
    limits: LimitsConfig = LimitsConfig()
    training: TrainingConfig = TrainingConfig()
    output: OutputConfig = OutputConfig()

    @property
    def pipeline_name(self) -> str:
        return PIPELINE_ALIASES.get(self.pipeline, self.pipeline)

    @property
    def by_role(self) -> dict[str, ModelConfig]:
        named = {role: getattr(self.api, role) for role in ROLES}
        return {role: model for role, model in named.items() if model is not None}

    def model(self, role: str) -> ModelConfig:
        if role not in self.by_role:
            raise self.error(("api",), f"the pipeline needs a {role} model", f"set api.{role}_model")
        return self.by_role[role]

    def with_models(self, models: Mapping[str, ModelConfig]) -> Self:
        return self.model_copy(update={"api": self.api.model_copy(update=dict(models))})

    def price(self, role: str) -> Price | None:
        sides = [getattr(self.cost, f"cost_per_million_{role}_{side}") for side in ("input", "output")]
        if all(side is not None for side in sides):
            return Price(*sides)
        if any(side is not None for side in sides):
            raise self.error(
                ("cost",), f"one of cost_per_million_{role}_input and _output is missing", "set both or none"
            )
        return None

    def price_keys(self, role: str) -> str:
        return f"cost.cost_per_million_{role}_input and cost_per_million_{role}_output"

    @property
    def max_usd(self) -> Decimal | None:
        return self.cost.max_usd

    @property
    def concurrency(self) -> int:
        return self.system.concurrency_limit

    def without_secrets(self) -> dict[str, Any]:
        """JSON-safe, for `run.json`; keys and credentials in URLs are left out."""
        data = self.model_dump(mode="json")
        for role, model in self.by_role.items():
            data["api"][role] = model.without_secrets()
        return data


def _without_credentials(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


ConfigT = TypeVar("ConfigT", bound=ModelsConfig)


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> RunConfig:
    """The config at `path`, with `key.path=value` overrides applied (values are YAML).

    Raises: ConfigError with file, line, column and remedy.
    """
    config = load_declared(RunConfig, path, overrides, "pipeline, api, path, ...")
    config._notices = tuple(
        f"system.{key} has no effect here: {why}"
        for key, why in SystemConfig.UNUSED.items()
        if key in config.system.model_fields_set
    )
    return config


def load_declared(kind: type[ConfigT], path: str | Path, overrides: Sequence[str], sections: str) -> ConfigT:
    """A config of any `kind`, whose first `sections` an error may name; see `load_config`."""
    found = find_config(Path(path))
    file = read_yaml(found)
    if not isinstance(file.data, dict):
        raise ConfigError(f"a config is a mapping of sections ({sections})", file=found)
    for override in overrides:
        _apply(file, override)
    project = Project.of(found)
    environment = _environment(project)
    config = file.validate(kind, _expand(file, file.data, (), environment))
    config = config.with_models(_with_keys(config.by_role, environment))
    config._project = project
    config._file = file
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


def _with_keys(models: Mapping[str, ModelConfig], environment: Mapping[str, str]) -> dict[str, ModelConfig]:
    """Those for which the config names no API key and the environment has one, with it."""
    found = {}
    for role, model in models.items():
        names = (f"{role.upper()}_API_KEY", KEYS_BY_HOST.get(model.host, ""))
        key = next((environment[name] for name in names if environment.get(name)), None)
        if model.api_key is None and key is not None:
            found[role] = model.model_copy(update={"api_key": SecretStr(key)})
    return found
