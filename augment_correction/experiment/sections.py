"""The sections of an experiment's config."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from augment_correction.hyperparameters import Hyperparameters
from augment_correction.models import TokenPrice
from augment_correction.sampling import Declaration

SPLIT = ("probe", "pool", "dev", "final")
Share = float | tuple[str, ...]


class SetsConfig(Declaration):
    """Where the questions of each set come from: a share of `items`, drawn by group, or files of its own. A document (`group`)
    is in one set alone, and so is everything that shares its passage or asks nearly the same."""

    probe: Share = 0.3
    """The set in which the weak areas are found."""
    pool: Share = 0.3
    """The set from which training data are generated: weak items of the weak areas, and random items for the control."""
    dev: Share = 0.25
    """The set by which each round is judged."""
    final: Share = 0.15
    """The set that is opened once, at the end."""
    sentinel: tuple[str, ...] = ()
    """Files of sentinel questions, about abilities that must not be lost (mathematics, safety, reasoning), which `category` names. A row
    of `kind: refusal` is answered well by refusing."""

    @field_validator(*SPLIT, "sentinel", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator(*SPLIT)
    @classmethod
    def _is_share(cls, value: Share) -> Share:
        if isinstance(value, float) and not 0 <= value <= 1:
            raise ValueError("a share must be between 0 and 1; put a path in quotes")
        return value

    @model_validator(mode="after")
    def _at_most_all(self) -> Self:
        shares = [value for name in SPLIT if isinstance(value := getattr(self, name), float)]
        if sum(shares) > 1 + 1e-9:
            raise ValueError(f"the shares of probe, pool, dev and final add up to {sum(shares):g} instead of 1")
        return self

    @property
    def drawn(self) -> dict[str, float]:
        return {name: value for name in SPLIT if isinstance(value := getattr(self, name), float)}


class ErrorDrivenConfig(Declaration):
    perplexity_threshold: float = Field(50.0, gt=1)
    """With `weak_by: perplexity`: an item with a higher perplexity is weak. Try 30, 50, 70 and 100."""
    excess_threshold: float = Field(0.5, gt=0)
    """With `weak_by: excess`: by how many nats per token the passage must lower the loss of the reference answer."""
    bad_reference_perplexity: float = Field(50.0, gt=1)
    """A reference answer that is less likely than this beside its own passage counts as doubtful: it is reported, and never
    trained."""
    variations_per_error: int = Field(5, ge=1, le=50)
    """The number of training examples to generate for each source item. Try 1, 5, 10 and 20."""
    max_samples: int = Field(20, ge=1)
    """The largest number of source items of a round."""
    num_weak_areas: int = Field(5, ge=1)
    """The largest number of weak areas, the weakest first."""
    min_area: int = Field(3, ge=1)
    """The smallest number of probe items that make an area."""
    areas: Literal["auto", "category", "codes", "terms"] = "auto"
    """What makes an area: the category of the questions, the error codes of the wrong answers, or the words that questions
    share (TF-IDF, clustered). `auto`: the category where nearly all questions have one, else the words."""
    select: Literal["weakest", "diverse", "random"] = "weakest"
    """Which weak items of the pool are sources: the weakest; of those the ones that are least like each other (active
    selection); or any."""
    weighting: Literal["even", "perplexity"] = "even"
    """How many variations a source item gets: the same, or more for a higher perplexity (log(perplexity + 1), the same sum)."""


class GenerationConfig(Declaration):
    pipeline: str = "weak_areas"
    temperature: float = Field(0.8, ge=0, le=2)
    top_p: float = Field(0.95, gt=0, le=1)
    filter_threshold: float | None = Field(None, gt=0, le=1)
    """The share of the generated rows to keep, the best supported first: 0.7 keeps 70 %. Default: as `keep_top_50_percent` says."""
    keep_top_50_percent: bool = False
    min_support: float = Field(0.6, ge=0, le=1)
    """A row is left out if a smaller share of the words of its answer than this is in the source."""
    min_diversity_score: float = Field(0.0, ge=0, le=1)
    """A row is left out if a smaller share of its word pairs than this is new compared with the rows before."""
    duplicates: float = Field(0.9, gt=0, le=1)
    """Of generated questions with this similarity only the first is kept."""
    self_critique: bool = False
    """The generator criticises its example and writes it again; the second version alone is trained."""
    allow_unverified_self: bool = False
    """Allow a student to write its own training data without another model that verifies them, which is refused otherwise. The
    report says so."""

    @property
    def kept_share(self) -> float:
        return self.filter_threshold or (0.5 if self.keep_top_50_percent else 1.0)


class StudentTraining(Hyperparameters):
    """What an arm trains on, where it is put and its seed the experiment decides."""

    gradient_accumulation: int = Field(4, ge=1)
    """Batches per step: a step learns from `batch_size` x `gradient_accumulation` rows."""
    validation_split: float = Field(0, ge=0, le=0)
    """Always 0, because held-out rows and early stopping would give the arms different numbers of steps."""
    warmup_share: float = Field(0.05, ge=0, lt=1)
    gradient_checkpointing: bool = True
    precision: Literal["auto", "bf16", "fp32"] = "auto"


class MemoryConfig(Declaration):
    use_quantization: bool = False
    """Other trainers' switch for 8-bit weights. LoRA is trained on whole weights here, so `true` is refused with what saves
    memory instead."""

    @field_validator("use_quantization")
    @classmethod
    def _is_off(cls, value: bool) -> bool:
        if value:
            raise ValueError(
                "this trainer holds whole weights; less memory: training.batch_size 1 with more gradient_accumulation_steps, "
                "a lower training.max_length, precision bf16 on a GPU, or a smaller student"
            )
        return value


class DecisionConfig(Declaration):
    """By what the hypothesis is judged. All of it is sealed before the first call."""

    figure: Literal["accuracy", "nll"] = "accuracy"
    """The one primary figure, on dev items of the weak areas: the share of right answers, or the mean NLL of the reference
    answer's tokens (lower is better). What is not it is reported beside it and decides nothing."""
    margin: float = Field(0.0, ge=0)
    """By how much targeted must be better than random and than the base (a share, or nats)."""
    alpha: float = Field(0.05, gt=0, lt=0.5)
    """The significance level over all rounds: the largest probability of calling a false hypothesis SUPPORTED. Each round gets an equal part."""
    stop_after_rejections: int = Field(2, ge=1)
    """The number of consecutive rejected rounds after which the experiment ends."""
    max_sentinel_drop: float = Field(0.05, ge=0, le=1)
    """How far the share of right answers to the sentinel questions may fall, base minus targeted."""
    max_nll_ratio: float = Field(1.5, gt=1)
    """How far the loss on the sentinel questions may rise."""
    max_diversity_drop: float = Field(0.1, ge=0, le=1)
    """How far distinct-2 of the answers may fall, at equal numbers of words."""
    max_truncated: float = Field(0.1, ge=0, le=1)
    """How far the share of answers that are cut off or empty may rise."""


class ExperimentPath(Declaration):
    output_dir: str
    log: str = "./experiments/log.md"
    """The log file to which every finished experiment is appended."""
    prompts: str = "./prompts"


class ExperimentCost(Declaration):
    per_million: dict[str, TokenPrice] = Field(default_factory=dict)
    """Prices of models that the price table does not know, by role (student, generator, verifier, judge): {generator: {input: 0.1, output: 0.4}}."""
    max_usd: Decimal | None = Field(None, gt=0)
    """The spending cap over all phases. The experiment stops before it would spend more (exit code 4); raise the cap and run again to resume."""
