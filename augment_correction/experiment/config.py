"""One experiment: which model, which questions, how weakness is told, what is made of it, and by what the hypothesis is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from augment_correction.config_files import load_declared
from augment_correction.evals.config import JUDGE, EvalConfig, EvalPath, GradingConfig
from augment_correction.experiment.sections import (
    DecisionConfig,
    ErrorDrivenConfig,
    ExperimentCost,
    ExperimentPath,
    GenerationConfig,
    MemoryConfig,
    SetsConfig,
    StudentTraining,
)
from augment_correction.models import MadeConfig, ModelConfig, ModelsConfig, NamedPrices
from augment_correction.sampling import Sampling
from augment_correction.training.config import TrainConfig

STUDENT, GENERATOR, VERIFIER = "student", "generator", "verifier"
TARGETED, RANDOM, ITEMS_ONLY = "targeted", "random", "items_only"
Arm = Literal["targeted", "random", "items_only"]


class ExperimentConfig(NamedPrices, ModelsConfig):
    """A validated config of an experiment; `load_experiment` makes it from a file.

    Raises: ValidationError (a ValueError) where a value is out of range.
    """

    COMMAND = "experiment run"
    student: ModelConfig
    """The model to improve. It is trained in `mode: hf`; a hosted model can be probed but not trained."""
    generator: ModelConfig | None = None
    """The model that writes the training data. Default: the student itself, which needs `data_generation.allow_unverified_self`, or a
    verifier."""
    verifier: ModelConfig | None = None
    """The model that decides whether a generated answer is supported by its source. Default: the generator, unless it is the student."""
    judge: ModelConfig | None = None
    """The model that grades answers which matching cannot grade. Without it they stay ungraded."""
    items: tuple[str, ...] = ()
    """Files of questions with reference answers; `passage`, `category` and `group` are read where a row has them."""
    sets: SetsConfig = SetsConfig()
    path: ExperimentPath
    hypothesis: str = (
        "Training on examples similar to the model's failures improves its performance on those weak areas, more than "
        "training on the same number of examples that were drawn at random."
    )
    weak_by: Literal["wrong", "excess", "perplexity"] = "wrong"
    """What makes an item weak: a wrong answer (ranked by excess where it is known), a reference answer that its passage makes
    much likelier, or one of high perplexity. The last two need a model that tells log-probabilities."""
    error_driven: ErrorDrivenConfig = ErrorDrivenConfig()
    data_generation: GenerationConfig = GenerationConfig()
    training: StudentTraining = StudentTraining()
    track: Literal["tensorboard", "trackio", "mlflow", "wandb"] = "tensorboard"
    """The experiment tracker that receives the losses of every training. The files of the experiment are written in any case."""
    memory: MemoryConfig = Field(MemoryConfig(), alias="model")
    arms: tuple[Arm, ...] = ("targeted", "random")
    """`random` is the control; `items_only` trains the source items themselves, without a generated one."""
    seeds: tuple[int, ...] = (1, 2, 3)
    """The seeds of the trainings. Each arm is trained once with each seed."""
    iterations: int = Field(1, ge=1, le=50)
    """The number of rounds. Each trains from the base model, on all accepted data and those of the round."""
    decision: DecisionConfig = DecisionConfig()
    grading: GradingConfig = GradingConfig(judge_sample=0)
    sampling: Sampling = Sampling()
    """Sampling of the student's answers, merged over temperature 0 and max_tokens 512."""
    cost: ExperimentCost = ExperimentCost()
    seed: int = 1048596
    """The random seed of the split, the draws and the bootstrap intervals."""
    concurrency_limit: int = Field(30, ge=1)

    @field_validator("items", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("seeds", mode="before")
    @classmethod
    def _counted(cls, value: Any) -> Any:
        """A number says how many."""
        return tuple(range(1, value + 1)) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("seeds", "arms")
    @classmethod
    def _once(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        if not value or len(set(value)) < len(value):
            raise ValueError("name at least one, and each only once")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if TARGETED not in self.arms:
            raise ValueError("arms must include targeted, which the hypothesis is about")
        if self.sets.drawn and not self.items:
            raise ValueError("items: name the files of questions that the shares under sets are drawn from")
        if self.grading.by == "judge" and self.judge is None:
            raise ValueError("grading.by is judge, but the config names no judge model")
        self.check_prices()
        return self

    # ----------------------------------------------------------------------------------------- who is asked

    @property
    def named(self) -> dict[str, ModelConfig | None]:
        return {STUDENT: self.student, GENERATOR: self.generator, VERIFIER: self.verifier, JUDGE: self.judge}

    @property
    def by_role(self) -> dict[str, ModelConfig]:
        return {role: model for role, model in self.named.items() if model is not None}

    @property
    def writes_itself(self) -> bool:
        """The student writes its own training data."""
        return self.generator is None or _same(self.generator, self.student)

    @property
    def writer(self) -> str:
        """Which of the named models writes the training data."""
        return STUDENT if self.generator is None else GENERATOR

    @property
    def checked_by(self) -> ModelConfig | None:
        """Who verifies; None where nobody but the student itself could."""
        if self.verifier is not None and not _same(self.verifier, self.student):
            return self.verifier
        return None if self.writes_itself else self.verifier or self.generator

    # ---------------------------------------------------------------------------------------------- places

    @property
    def output_dir(self) -> Path:
        return self.project.resolve(self.path.output_dir)

    @property
    def log(self) -> Path:
        return self.project.resolve(self.path.log)

    def measuring(self, models: Mapping[str, ModelConfig]) -> EvalConfig:
        """The config by which `models` are asked and graded."""
        made = Measurement(
            gate=("sealed",),
            models=dict(models),
            judge=self.judge,
            path=EvalPath(output_dir=self.path.output_dir, prompts=self.path.prompts),
            sampling=self.sampling,
            grading=self.grading,
            seed=self.seed,
            concurrency_limit=self.concurrency_limit,
        )
        return made.made_of(self, {JUDGE: JUDGE} | dict.fromkeys(models, STUDENT))

    def train_config(self, data: Path, output: Path, gates: Sequence[Path], seed: int, epochs: float) -> dict[str, Any]:
        """The keys of `train` for one arm."""
        chosen = self.training.model_dump()
        place = self.project.resolve(self.student.model)
        made = chosen | {
            "model": str(place) if place.is_dir() else self.student.model,
            "data": [str(data)],
            "gate": [str(gate) for gate in gates],
            "output_dir": str(output),
            "epochs": epochs,
            "track": self.track,
            "seed": seed,
        }
        TrainConfig.model_validate(made)
        return made

    def without_secrets(self) -> dict[str, Any]:
        data = self.model_dump(mode="json", exclude=set(self.named))
        return data | {role: model.without_secrets() for role, model in self.by_role.items()}


class Measurement(MadeConfig, EvalConfig):
    """By which the student, and what becomes of it, is asked and graded."""


def _same(one: ModelConfig, other: ModelConfig) -> bool:
    return (one.model, one.adapter) == (other.model, other.adapter)


def load_experiment(path: str | Path, overrides: Sequence[str] = ()) -> ExperimentConfig:
    """The config at `path`, with `key.path=value` overrides applied (values are YAML).

    Raises: ConfigError with file, line, column and remedy.
    """
    return load_declared(ExperimentConfig, path, overrides, "student, items, path, ...")
