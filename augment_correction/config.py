"""One run: which pipeline, documents, models, limits and money. Augmentoolkit's sections and keys are accepted
(`augmentoolkit.py` has those that are not ours); `docs/reference/config.md` is generated from the strings under the fields here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, ValidatorFunctionWrapHandler, field_validator, model_validator

from augment_correction import augmentoolkit
from augment_correction.config_files import load_declared
from augment_correction.export_formats import known_format
from augment_correction.hyperparameters import SPELLINGS, Hyperparameters
from augment_correction.models import ModelConfig, ModelsConfig
from augment_correction.pipeline import Pipeline
from augment_correction.sampling import Declaration, Sampling
from augment_correction.usage import Price

ROLES = ("small", "large", "judge", "target")


class ApiConfig(Declaration):
    """The models by role. Flat (`small_model: ...`) and nested (`small: {model: ...}`) spellings are the same.

    >>> ApiConfig(large=ModelConfig(model="gpt-5-mini")) == ApiConfig(**{"large_model": "gpt-5-mini"})
    True
    """

    small: ModelConfig | None = None
    large: ModelConfig | None = None
    judge: ModelConfig | None = None
    """The judge model of the checks. Default: the large model."""
    target: ModelConfig | None = None
    """The model to be trained, for pipelines that use its own mistakes."""

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
    """Where a run reads and writes; a relative path starts at the project, in Python at the current folder.

    >>> PathConfig(input_dir="inputs", output_dir="outputs/mine").text_keys
    ()
    """

    input_dir: str = ""
    """A folder of documents, a single document, or an address of either in object storage (`s3://bucket/folder`). Required, unless a program passes the passages (`run(config, passages=...)`)."""
    output_dir: str
    """The output folder of the run. An interrupted run resumes in the same folder; what a run with another configuration left
    there is moved to `earlier/`."""
    prompts: str = "./prompts"
    """The folder in which prompts are searched first."""
    default_prompts: str = "./prompts"
    """The folder in which prompts are searched next; the shipped prompts come last."""
    text_key: str | tuple[str, ...] = ()
    """The column that holds the text of a row (.jsonl and other tables), or several of which a row has one. Unset it is
    "text", or else a usual name that every row of a file has ("content", "body", ...), and the run says which."""

    @property
    def text_keys(self) -> tuple[str, ...]:
        names = (self.text_key,) if isinstance(self.text_key, str) else self.text_key
        return tuple(name for name in names if name)


class SystemConfig(Declaration):
    """How documents are split into passages, what is trained, how a row is written as text, and the random seed.

    >>> SystemConfig(chunk_size=500, loss_on="correction_only").chunk_unit
    'tokens'
    """

    chunk_size: int = Field(3000, ge=16)
    """The largest length of a passage, in `chunk_unit`."""
    chunk_unit: Literal["tokens", "characters"] = "tokens"
    chunk_overlap: int = Field(0, ge=0)
    min_chunk: int = Field(5, ge=0)
    """The smallest length of a passage, in `chunk_unit`: a shorter one is joined to a neighbour under the same heading, or left out and
    counted where there is none, unless it is a whole document. 0 keeps every one."""
    skip_contents: bool = True
    """Whether tables of contents and indexes are left out (recognised by their shape, and counted) before a judge is asked about them."""
    encoding: str = "o200k_base"
    """How tokens of passages are counted: one of tiktoken's encodings, or the path of a `tokenizer.json`."""
    use_subset: bool = False
    subset_size: int = Field(1500, ge=1)
    """Passages made when `use_subset` is on: a draw by `seed` from the whole input, the same on every machine."""
    seed: int = 1048596
    concurrency_limit: int = Field(30, ge=1)
    prompt_template: str | None = None
    """How a conversation is written as text: a Jinja2 template, the name of one in `prompts/chat_templates/`
    (`chatml`, `llama3`, `augmentoolkit`), or `tokenizer` for the chat template of `system.tokenizer`. Unset: the chat
    template of `system.tokenizer` or `training.base_model` where that tokenizer is on this machine and has one, else
    `chatml`; the run says which."""
    tokenizer: str | None = None
    """A folder with `tokenizer.json` and `tokenizer_config.json`, or a model id that is in the Hugging Face cache."""
    bos_token: str | None = None
    """Unset, the tokenizer's own; without a tokenizer empty, and the summary says so."""
    loss_on: Literal["all_but_mistake", "answers", "correction_only"] = "all_but_mistake"
    """What is trained: everything but the mistake (what users say and the template's own text, too), every answer but
    the mistake, or only the turn that corrects it or stands by what was right."""


class MetaConfig(Declaration):
    """Rows that teach a model to run this pipeline's own steps."""

    do_meta_datagen: bool = False
    meta_datagen_keys: tuple[str, ...] | None = None
    """The names of stages, also with `_details` (`judgement_details`). Default: all stages."""
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
    """The spending cap in USD. The run stops before it would spend more (exit code 4); raise the cap and run again to resume."""


class LimitsConfig(Declaration):
    max_rejected: float = Field(1.0, ge=0, le=1)
    """The largest share of passages that may be rejected or fail. With more, the exit code is 3."""


class SelectionConfig(Declaration):
    """Which of the kept conversations go into the dataset, looked at as a set. What is left out stands in
    `rejected.jsonl` with the reason; nothing is asked for it, and turning a rule off brings the rows back."""

    duplicates: float | None = Field(None, gt=0, le=1)
    """Of questions that are this similar (Jaccard similarity of their shingles; 1: the same but for case and spacing)
    the first one is kept; unset, all are."""
    across: tuple[str, ...] = ()
    """Output folders of other runs, whose questions count as duplicates here."""
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
    """The share of documents, drawn by `system.seed`, whose conversations go into the held-out set `gate.jsonl`. A document that was drawn
    stays drawn when others are added, and the file is frozen: what stands in it stays out of the dataset whatever the
    share becomes. Move the file away to draw afresh."""


class TrainingConfig(Hyperparameters):
    """What goes into `axolotl_lora.yaml`, under the names that `train` has for it (Axolotl's own are understood). Its seed is
    `system.seed`."""

    base_model: str = "Qwen/Qwen2.5-7B-Instruct"
    adapter: Literal["lora", "qlora"] = "lora"
    max_length: int = Field(4096, ge=64)
    """The largest length of a row in tokens (Axolotl's `sequence_len`). Longer rows are counted and listed, and stop Axolotl."""
    output_dir: str = "./lora_out"
    epochs: int = Field(2, ge=1)
    """Axolotl's `num_epochs`."""
    batch_size: int = Field(2, ge=1)
    """Rows per batch on a device (Axolotl's `micro_batch_size`)."""
    gradient_accumulation: int = Field(4, ge=1)
    """Batches per optimizer step."""
    validation_split: float = Field(0.05, ge=0, lt=1)
    """The share of rows that Axolotl holds out for validation (its `val_set_size`)."""


class OutputConfig(Declaration):
    """Spellings of the dataset beside the one for Axolotl, each in `exports/<name>/` of the output folder."""

    formats: tuple[Annotated[str, AfterValidator(known_format)], ...] = ()
    """Any of `axolotl_chat`, `openai`, `trl`, `sharegpt`, `hf`, `dpo`, `kto`, `llamafactory`, and those of your own (`register_export`). `axolotl` is
    the dataset file itself, which every run writes. `trl` needs a tokenizer and pyarrow for its tokens
    and labels; `dpo` and `kto` are pairs of a better and a worse reply, and `llamafactory` is a folder with both and the rows for SFT. The command `export` makes any of them later."""
    licence: str | None = None
    """The licence in the dataset card of `hf`, as your documents allow it, for example `cc-by-4.0`."""
    copy_to: str | None = None
    """An address of object storage (`s3://bucket/folder`) to which all that is made is copied when the run ends or is stopped; the journal
    stays in the output folder. [Object storage](../guides/object-storage.md)"""


class RunConfig(ModelsConfig):
    """A validated config of a run. `load_config` makes it from a file; in Python keywords do, relative paths start at the current
    folder, and API keys are taken from the environment where none is given.

    Raises: ValidationError (a ValueError) where a value is out of range.

    >>> config = RunConfig(
    ...     pipeline="correction",
    ...     api=ApiConfig(small=ModelConfig(model="gpt-5-nano"), large=ModelConfig(model="gpt-5-mini")),
    ...     path=PathConfig(input_dir="inputs", output_dir="outputs/mine"),
    ... )
    >>> config.model("large").model
    'gpt-5-mini'
    """

    COMMAND = "run"
    ALIASES: ClassVar[Mapping[tuple[str, ...], Mapping[str, tuple[str, ...]]]] = {("training",): SPELLINGS}
    IGNORED: ClassVar[Mapping[tuple[str, ...], Mapping[str, str]]] = augmentoolkit.IGNORED
    pipeline: str | Pipeline
    """A name (`correction`, `correction_small`) or the path of a pipeline file; in Python a `Pipeline`, too."""
    api: ApiConfig
    path: PathConfig
    system: SystemConfig = SystemConfig()
    sampling: dict[str, Sampling] = Field(default_factory=dict)
    """Sampling by stage name, merged over the pipeline's: {judgement: {temperature: 0}}."""
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

    @field_validator("pipeline", mode="wrap")
    @classmethod
    def _name_or_pipeline(cls, given: Any, _: ValidatorFunctionWrapHandler) -> str | Pipeline:
        """A mapping in YAML is no pipeline: pipelines have files of their own, whose lines errors name."""
        if isinstance(given, str | Pipeline):
            return given
        raise ValueError("Input should be a valid string")

    @property
    def pipeline_name(self) -> str:
        if isinstance(self.pipeline, Pipeline):
            return self.pipeline.name
        return augmentoolkit.PIPELINES.get(self.pipeline, self.pipeline)

    @property
    def by_role(self) -> dict[str, ModelConfig]:
        named = {role: getattr(self.api, role) for role in ROLES}
        return {role: model for role, model in named.items() if model is not None}

    def model(self, role: str) -> ModelConfig:
        if role not in self.by_role:
            raise self.error(("api",), f"the pipeline needs a {role} model", f"set api.{role}_model")
        return self.by_role[role]

    def key_of(self, role: str, name: str) -> str:
        return f"api.{role}_{name}"

    def sampling_of(self, stage: str) -> str:
        return f"sampling.{stage}"

    def shorter(self, stage: str) -> str:
        return f"lower system.chunk_size or {self.sampling_of(stage)}.max_tokens"

    def place_of(self, role: str) -> tuple[str, ...]:
        return ("api", role, "model")

    def with_models(self, models: Mapping[str, ModelConfig]) -> Self:
        return self.model_copy(update={"api": self.api.model_copy(update=dict(models))})

    def price(self, role: str) -> Price | None:
        sides = [getattr(self.cost, f"cost_per_million_{role}_{side}") for side in ("input", "output")]
        if all(side is not None for side in sides):
            return Price(*sides)
        if any(side is not None for side in sides):
            raise self.error(
                ("cost",),
                f"cost_per_million_{role}_input or cost_per_million_{role}_output is missing",
                "set both or neither",
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
        data["pipeline"] = self.pipeline if isinstance(self.pipeline, str) else self.pipeline.name
        for role, model in self.by_role.items():
            data["api"][role] = model.without_secrets()
        return data


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Load the config at `path` with `key.path=value` overrides (values are YAML). A name that is not in the project is looked
    for among the shipped ones.

    Raises: ConfigError with file, line, column and remedy.

    >>> load_config("configs/smoke.yaml", ["system.seed=7"]).system.seed
    7
    """
    return load_declared(RunConfig, path, overrides, "pipeline, api, path, ...")
