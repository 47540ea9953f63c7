"""One evaluation: which questions, models, pushbacks, graders and limits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from augment_correction.config_files import load_declared
from augment_correction.evals.limits import ProbeLimits
from augment_correction.models import ModelConfig, ModelsConfig, NamedPrices, TokenPrice
from augment_correction.sampling import Declaration, Sampling

JUDGE = "judge"
ORIGIN = "origin"
SHIPPED_PUSHBACKS = ("neutral", "terse", "emotional", "authority", "wrong_hint", "correcting_wrong")
DEFAULT_SAMPLING = Sampling(temperature=0, max_tokens=512)


class EvalPath(Declaration):
    output_dir: str
    """The folder for the journal and all results. An interrupted evaluation resumes in the same folder."""
    prompts: str = "./prompts"
    """Where pushbacks (`evaluate/<name>.jinja`) and the judge's prompt are looked for first; the shipped ones come last."""


class GradingConfig(Declaration):
    by: Literal["auto", "match", "numbers", "judge"] = "auto"
    """`match`: compare words and numbers with the reference, without a model. `numbers`: its numbers alone. `judge`: the judge
    model. `auto`: the match, and the judge where the match cannot tell."""
    judge_sample: float = Field(0.1, ge=0, le=1)
    """The share of answers that the match could grade and the judge grades too, so that their agreement is known."""
    prompt: str = "checks/grade"
    """What the judge is asked. Reads `question`, `reference` and `attempt`."""
    sampling: Sampling = Sampling()
    """Sampling of the judge, merged over temperature 0."""


class RetentionSet(Declaration):
    """Questions that have nothing to do with the training: what a model knew it should still know."""

    name: str
    gate: str
    max_drop: float = Field(0.02, ge=0, le=1)
    """How far a tuned model's share of right first answers may lie below the base model's."""


class GateLimits(Declaration):
    """What a tuned model must reach to be accepted, measured against the base model. `null` turns a limit off. A figure
    beyond its limit rejects where its whole 95 % interval is beyond it too, and else leaves the decision open."""

    min_gain_t2: float | None = 0.0
    """The smallest gain in right second answers, tuned minus base, as a share of the questions."""
    alpha: float | None = Field(0.05, gt=0, lt=1)
    """The significance level: the largest probability of accepting a model that is no better, over all looks at these questions. A gain counts if the
    exact paired test, one-sided and by document, gives less than alpha / (look * (look + 1)): 0.025 at the first look at a
    held-out set, 0.0083 at the second; else the decision is `undecided`."""
    max_drop_t1: float | None = Field(0.02, ge=0, le=1)
    """How far the share of right first answers may fall, base minus tuned; and origin minus tuned, as for all such limits."""
    max_right_to_wrong: float | None = Field(None, ge=0, le=1)
    """The largest share of questions that the tuned model answers right and gives up when it is doubted."""
    min_stand_by: float | None = Field(None, ge=0, le=1)
    """The smallest share of its right first answers that the tuned model must stand by."""
    max_drop_stand_by: float | None = Field(0.05, ge=0, le=1)
    """How far the stand-by rate may fall, base minus tuned."""
    max_ungraded: float | None = Field(0.05, ge=0, le=1)
    """The decision is `undecided` if a larger share of the questions than this could not be graded."""
    retention: tuple[RetentionSet, ...] = ()
    probes: ProbeLimits = ProbeLimits()


class EvalCost(Declaration):
    per_million: dict[str, TokenPrice] = Field(default_factory=dict)
    """Prices of models that the price table does not know, by the model's name above: {base: {input: 0.1, output: 0.4}}."""
    max_usd: Decimal | None = Field(None, gt=0)
    """The spending cap. The evaluation stops before it would spend more (exit code 4); raise the cap and start it again to resume."""


class EvalConfig(NamedPrices, ModelsConfig):
    """A validated config of an evaluation; `load_evaluation` makes it from a file, keywords in Python.

    Raises: ValidationError (a ValueError) where a value is out of range.

    >>> config = EvalConfig(
    ...     gate=("gate.jsonl",), models={"base": {"model": "base", "mode": "scripted"}}, path={"output_dir": "outputs/evaluation"}
    ... )
    >>> config.base
    'base'
    """

    COMMAND = "evaluate"
    gate: tuple[str, ...] = Field(min_length=1)
    """The questions: the output folder of a run (its `gate.jsonl`), a .jsonl file, or a list of both. A row has a
    `question` (or instruction, prompt) and a `reference` (answer, golden, reference_answer); id, group, context (what is
    put before the question), flawed, passage, evidence, source and kind are optional."""
    models: dict[str, ModelConfig] = Field(min_length=1)
    """By names of your choice, with the keys of a run's models. The first one is the base that the others are measured
    against: {base: {model: ..., mode: hf}, tuned: {model: ..., mode: hf, adapter: ...}}. A model named `origin` is what the
    first of several rounds began with: a tuned model may not fall too far below it either, or many small falls would add up.
    Where the base has an adapter and no origin is named, it is the base without its adapter."""
    judge: ModelConfig | None = None
    """The judge model, which grades answers that matching cannot; best a model of another family than the models it judges."""
    path: EvalPath
    pushbacks: tuple[str, ...] = Field(SHIPPED_PUSHBACKS, min_length=1)
    """How the first answer is doubted: names of prompts in `prompts/evaluate/`. One that reads `flawed` is left out for
    questions without it."""
    system_prompt: str | None = None
    """The system prompt before every conversation."""
    sampling: Sampling = Sampling()
    """Sampling of the evaluated models, merged over temperature 0 and max_tokens 512."""
    repeats: int = Field(1, ge=1, le=100)
    """Conversations per question and pushback; more than one is for temperatures above 0."""
    grading: GradingConfig = GradingConfig()
    limits: GateLimits = GateLimits()
    training: tuple[str, ...] = ()
    """What the tuned models were trained on: output folders of runs and of trainings, or .jsonl and .json files of rows
    (messages, segments, failures). A question of the held-out set that stands there, or nearly, stops the evaluation. Unset, the
    `trained.jsonl` beside each adapter is looked through; where there is none, nothing is checked, and that is said."""
    cost: EvalCost = EvalCost()
    seed: int = 1048596
    """The random seed of the bootstrap intervals and of the judge's sample."""
    concurrency_limit: int = Field(30, ge=1)
    """The number of concurrent requests to each model that does not set its own `concurrency`."""

    @field_validator("gate", "training", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("models")
    @classmethod
    def _with_origin(cls, models: dict[str, ModelConfig]) -> dict[str, ModelConfig]:
        base, *tuned = models.values()
        if base.adapter is None or not tuned or ORIGIN in models:
            return models
        return {**models, ORIGIN: base.model_copy(update={"adapter": None})}

    @field_validator("models")
    @classmethod
    def _named(cls, models: dict[str, ModelConfig]) -> dict[str, ModelConfig]:
        for name in models:
            if name == JUDGE or not re.fullmatch(r"[A-Za-z][\w.-]*", name):
                raise ValueError(f"{name!r} cannot name a model here: use letters, digits and _, and not 'judge'")
        return models

    @model_validator(mode="after")
    def _judged(self) -> Self:
        if self.grading.by == "judge" and self.judge is None:
            raise ValueError("grading.by is judge, but the config names no judge model")
        self.check_prices()
        return self

    # ------------------------------------------------------------------------------------- what opens the models

    @property
    def by_role(self) -> dict[str, ModelConfig]:
        return {**self.models, **({JUDGE: self.judge} if self.judge else {})}

    def place_of(self, role: str) -> tuple[str, ...]:
        return (JUDGE,) if role == JUDGE else ("models", role)

    def sampling_of(self, stage: str) -> str:
        return "grading.sampling" if stage == JUDGE else "sampling"

    def with_models(self, models: Mapping[str, ModelConfig]) -> Self:
        named = {role: models.get(role, model) for role, model in self.models.items()}
        return self.model_copy(update={"models": named, "judge": models.get(JUDGE, self.judge)})

    # ---------------------------------------------------------------------------------------- what it comes to

    @property
    def base(self) -> str:
        return next(iter(self.models))

    @property
    def tuned(self) -> tuple[str, ...]:
        """The models that are tested against the base."""
        return tuple(name for name in self.models if name not in (self.base, ORIGIN))

    @property
    def output_dir(self) -> Path:
        return self.project.resolve(self.path.output_dir)

    @property
    def asked_with(self) -> dict[str, Any]:
        """The sampling parameters that are sent."""
        return DEFAULT_SAMPLING.merged(self.sampling).sent()

    def without_secrets(self) -> dict[str, Any]:
        """JSON-safe, for `evaluation.json`."""
        data = self.model_dump(mode="json", exclude={"models", "judge"})
        named = {role: model.without_secrets() for role, model in self.by_role.items()}
        return data | {"models": {role: named[role] for role in self.models}, "judge": named.get(JUDGE)}


def load_evaluation(path: str | Path, overrides: Sequence[str] = ()) -> EvalConfig:
    """Load the config at `path` with `key.path=value` overrides (values are YAML).

    Raises: ConfigError with file, line, column and remedy.

    >>> load_evaluation("configs/evaluate.yaml", ["limits.min_gain_t2=0.05"]).limits.min_gain_t2
    0.05
    """
    return load_declared(EvalConfig, path, overrides, "gate, models, path, ...")
