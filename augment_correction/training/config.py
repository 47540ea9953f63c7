"""One training: which method, base model and rows, how long, and when to stop. A flag of `train` overrides the key of its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from augment_correction.config_files import apply_override, refuse_other_kind
from augment_correction.errors import ConfigError, Noted
from augment_correction.hyperparameters import SPELLINGS, Hyperparameters
from augment_correction.project import Project, find_config
from augment_correction.yamlfile import YamlFile, read_yaml

Method = Literal["sft", "sdft", "sdft_paper"]
RATES: Mapping[Method, float] = {"sft": 2e-4, "sdft": 3e-4, "sdft_paper": 1e-5}
"""Learning rates where the config names none."""
USUAL_RATES: Mapping[Method, tuple[float, float]] = {
    "sft": (1e-5, 5e-4),
    "sdft": (1e-5, 1e-3),
    "sdft_paper": (1e-6, 5e-5),
}
"""Outside of them a line warns."""
NOT_RESUMED = (
    "method sdft_paper writes no checkpoints, since none would hold the teacher's moving average: an interrupted training "
    "starts again"
)
PATHS = (
    "adapter", "data", "self_critique_data", "hard_failures_data", "output_dir", "logging_dir", "retention", "gate", "monitor",
)  # fmt: skip
"""Keys that hold paths: in a file they start at the project, in a flag at the current folder."""


class TrainConfig(Hyperparameters):
    """A training of a base model, with early stopping: a LoRA adapter, or with `sdft_paper` the whole model. `load_train_config` makes it from a file and flags; in Python relative paths
    start at the current folder.

    Raises: ValidationError (a ValueError) where a value is out of range, or no data is named.

    >>> TrainConfig(model="Qwen/Qwen2.5-7B-Instruct", data=("outputs/correction",), lora_r=16).epochs
    3
    """

    method: Method = "sft"
    """`sft`: the loss of the trained tokens, a LoRA adapter. `sdft`: self-distillation, a LoRA adapter: the model answers by
    itself, and is drawn toward what the base model says to the same tokens when it sees the row's context. `sdft_paper`: the same
    as its paper has it (arXiv 2601.19897): the whole model is trained, the teacher is its moving average (0.01), and a training
    that was interrupted starts again."""
    model: str
    """The base model: a folder, or a model id that is in the Hugging Face cache. Nothing is downloaded."""
    adapter: str | None = None
    """A LoRA adapter for the same base model (the folder `final/` of an earlier training), which is trained further: its weights, rank,
    alpha and targets are kept, and `final/` holds the new adapter, for the same base model. Without it, a new adapter is trained."""
    data: tuple[str, ...] = ()
    """Output folders of runs (or their dataset file), and files of failures in either schema (docs/guides/import-failures.md). For `sdft`: files
    of demonstrations (docs/reference/rows.md)."""
    self_critique_data: tuple[str, ...] = ()
    """Files of failures, all rows of schema 1: question, bad output, corrected output, critique."""
    hard_failures_data: tuple[str, ...] = ()
    """Files of failures, all rows of schema 2: question, reference answer, category."""
    gate: tuple[str, ...] = ()
    """Held-out sets (`gate.jsonl` files): rows that ask one of their questions are left out, so that the evaluation stays valid. The
    one of each run in `data` counts as named here."""
    retention: str | None = None
    """A file of question and answer rows (schema 2) of what the model can do and must not forget. Its loss is measured
    at every evaluation, and never trained."""
    monitor: str | None = None
    """The config of a monitor, which asks the model questions at each evaluation and makes training rows from its wrong answers."""
    output_dir: str = "./outputs/training"
    track: Literal["tensorboard", "trackio", "mlflow", "wandb"] = "tensorboard"
    """The experiment tracker that receives losses and steps during training. TensorBoard files are written in any case; the others are packages of their
    own, with their own settings (TRACKIO_*, MLFLOW_*, WANDB_*), and get the output folder as the run's name."""
    logging_dir: str | None = None
    """The folder of the TensorBoard files. Default: `logs/` in `output_dir`."""
    chat_template: str = "auto"
    """How conversations are written: `model` (the base model's own), `run` (that of the runs in `data`), the name of
    one in `prompts/chat_templates/`, a path, or `auto`: that of `adapter` where one is saved beside it, else the model's own, else the runs'."""

    learning_rate: float = Field(2e-4, gt=0)
    """The peak learning rate. Default: 2e-4 for `sft`, 3e-4 for `sdft`, 1e-5 for `sdft_paper`."""
    warmup_share: float = Field(0.05, ge=0, lt=1)
    """The share of steps for the warm-up, after which the learning rate follows a cosine to zero."""
    max_length: int = Field(4096, ge=16)
    """Rows of more tokens are left out and counted, never cut: a cut would take the correction off. For `sdft` the longer prompt,
    which is the teacher's, and `max_completion_length` together."""
    max_completion_length: int = Field(256, ge=8)
    """For `sdft`: tokens of one answer, when the model answers by itself."""
    teacher_check: bool = True
    """For `sdft`: before the first step the base model answers each question with the row's context before it (greedily), and is
    graded by the row's `answer`. A row whose teacher is wrong teaches the mistake: it is left out as `teacher_failed`."""
    teacher_undecided: Literal["drop", "keep"] = "drop"
    """What becomes of rows where the words of the teacher's answer do not tell whether it is right: they are left out like those
    where it is wrong, or trained."""
    teacher_prompt: str = "distilling/demonstration"
    """For `sdft`: the prompt that shows the teacher `question` and `context`, where the context is a good answer."""
    follow_up_prompt: str = "distilling/follow_up"
    """Likewise where the context is what the user said after an answer."""
    gradient_checkpointing: bool = True
    """Save memory at the price of about a third more time."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """`auto`: bf16 where the GPU has it, else fp32. A processor with AVX-512 BF16 or AMX is faster with bf16, too."""
    on_oom: Literal["halve", "stop"] = "halve"
    """What to do when memory runs out: try once more with half the batch and twice the accumulation, or stop with an error."""

    validation_split: float = Field(0.05, ge=0, le=0.5)
    """Share of rows that are held out by document and question, at most half; under two rows nothing is, and nothing stops
    early."""
    eval_steps: int | None = Field(None, ge=1)
    """Optimizer steps between two evaluations. Default: chosen by the size of the data, so that `patience` can work."""
    save_steps: int | None = Field(None, ge=1)
    """Optimizer steps between two checkpoints, a multiple of `eval_steps`. Default: `eval_steps`. The best evaluation so far is saved in any case."""
    patience: int = Field(3, ge=1)
    """Evaluations without progress after which the training stops."""
    min_delta: float = Field(0.001, ge=0)
    """The smallest fall of the evaluation loss that counts as progress."""
    retention_limit: float = Field(0.1, gt=0)
    """How much the retention loss may rise over its value before the first step: 0.1 is a tenth."""
    on_forgetting: Literal["stop", "flag"] = "stop"
    """Beyond that limit: stop there, or go on and say so in the summary. Such a checkpoint is never taken as the best."""
    seed: int = 42
    resume: bool | None = None
    """true: there must be a checkpoint to go on from; false: start anew and delete the old ones; unset: go on where
    there is one."""
    resume_from_checkpoint: str | None = None
    """A checkpoint of this `output_dir` to resume from, by its path or name (`checkpoint-40`). Default: the last one."""

    _project: Project = PrivateAttr(default_factory=lambda: Project(Path.cwd()))

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, data: Any) -> Any:
        """One path may stand without brackets."""
        if not isinstance(data, dict):
            return data
        several = {name for name, each in cls.model_fields.items() if each.annotation == tuple[str, ...]}
        return {key: [value] if key in several and isinstance(value, str) else value for key, value in data.items()}

    @model_validator(mode="before")
    @classmethod
    def _rate_of_the_method(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("learning_rate") is not None or data.get("method") not in RATES:
            return data
        return {**data, "learning_rate": RATES[data["method"]]}

    @model_validator(mode="after")
    def _distils_from_the_base(self) -> TrainConfig:
        if self.method == "sft":
            return self
        if self.adapter:
            raise ValueError(
                f"method {self.method} begins with the base model, which is the teacher, too: leave adapter out, and name the rows "
                "of all rounds in data"
            )
        if self.self_critique_data or self.hard_failures_data:
            raise ValueError(f"method {self.method} trains on rows with a context: name their files in data")
        if self.method == "sdft_paper" and (self.resume or self.resume_from_checkpoint):
            raise ValueError(
                "method sdft_paper writes no checkpoints to go on from: the teacher's moving average is in none"
            )
        return self

    @model_validator(mode="after")
    def _has_data(self) -> TrainConfig:
        if not (self.data or self.self_critique_data or self.hard_failures_data):
            raise ValueError("there is no training data: set `data`, `self_critique_data` or `hard_failures_data`")
        return self

    @model_validator(mode="after")
    def _goes_on_or_begins(self) -> TrainConfig:
        if self.resume is False and self.resume_from_checkpoint:
            raise ValueError(
                "resume: false deletes the checkpoints, but resume_from_checkpoint names one to resume from"
            )
        return self

    @property
    def project(self) -> Project:
        return self._project

    @property
    def output(self) -> Path:
        return self._project.resolve(self.output_dir)

    @property
    def parent(self) -> Path | None:
        """The folder of `adapter`."""
        return self._project.resolve(self.adapter) if self.adapter else None

    @property
    def logging(self) -> Path:
        return self._project.resolve(self.logging_dir) if self.logging_dir else self.output / "logs"

    def warnings(self) -> list[str]:
        told = [] if self.resumable else [NOT_RESUMED]
        low, high = USUAL_RATES[self.method]
        if low <= self.learning_rate <= high:
            return told
        trained, moved = ("a whole model", "a model") if self.method == "sdft_paper" else ("LoRA", "an adapter")
        what = f"hardly moves {moved}" if self.learning_rate < low else "may break a model"
        usual = " to ".join(f"{rate:.0e}".replace("e-0", "e-") for rate in (low, high))
        return [*told, f"learning_rate {self.learning_rate:g} {what}: {trained} is usually trained at {usual}"]

    @property
    def distils(self) -> bool:
        return self.method != "sft"

    @property
    def resumable(self) -> bool:
        """Whether its checkpoints hold all that a training needs to go on."""
        return self.method != "sdft_paper"


def load_train_config(
    path: str | None, flags: Mapping[str, Any] | None = None, overrides: Sequence[str] = ()
) -> TrainConfig:
    """The config at `path` (none: flags alone) under `key=value` overrides (YAML values) under flags that are not None.

    Raises: ConfigError with file, line, column and remedy.

    >>> load_train_config("configs/train.yaml", {"epochs": 1}).epochs
    1.0
    """
    found = find_config(Path(path)) if path else None
    file = read_yaml(found) if found else YamlFile(Path("the command line"), {}, {})
    if not isinstance(file.data, dict):
        raise ConfigError("a training config is a mapping of keys (model, data, output_dir, ...)", file=found)
    refuse_other_kind(file, "train")
    noted = Noted()
    for override in overrides:
        with noted.noting():
            apply_override(file, override)
    for name, value in (flags or {}).items():
        if value not in (None, []):
            file.override((name,), _here(name, value), f"--{name}")
    file.rename_aliases((), SPELLINGS)
    with noted.noting():
        config = file.validate(TrainConfig)
    noted.raise_all()
    if found:
        config._project = Project.of(found)
    return config


def _here(name: str, value: Any) -> Any:
    if name not in PATHS:
        return value
    if isinstance(value, (list, tuple)):
        return [_here(name, each) for each in value]
    return str(Path(value).expanduser().resolve())
