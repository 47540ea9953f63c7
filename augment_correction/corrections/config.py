"""A config of a chat and of what is learned from it: a run's config with one section more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from augment_correction.config import ROLES, RunConfig
from augment_correction.config_files import load_declared
from augment_correction.corrections.store import CorrectionStore
from augment_correction.errors import ConfigError
from augment_correction.evals.config import GateLimits
from augment_correction.hyperparameters import SPELLINGS, Hyperparameters, own_names
from augment_correction.sampling import Declaration
from augment_correction.training.config import TrainConfig
from augment_correction.yamlfile import KeysOf

TARGET = "target"
CHATTING, PROBING = "chat", "probes"
"""Under `sampling`, beside the stages of the pipeline: the answers of a chat, and those to probes."""
TRAINED_BY = frozenset(Hyperparameters.model_fields).union(*SPELLINGS.values())
"""Numbers of a training that may stand beside the other keys of the section, as other programs have them."""


class CorrectionsSection(Declaration):
    """How approved corrections are learned and proven."""

    method: Literal["sdft", "sft", "sdft_paper"] = "sdft"
    """`sdft`: self-distillation with the base model as the teacher, which sees the demonstration. `sft`: the loss on the right
    answers, masked on the wrong ones. `sdft_paper`: self-distillation as its authors published it (docs/guides/train.md)."""
    context: Literal["demonstration", "follow_up"] = "demonstration"
    """What the teacher is shown: a demonstration of the right answer, or the user's own message."""
    num_prompt_variations: int = Field(8, ge=1, le=64)
    """The number of other wordings of the question, besides the question itself."""
    num_expert_demos_per_prompt: int = Field(4, ge=1, le=64)
    """The number of demonstrations of each wording: 8 and 4 make 36 rows for each correction."""
    keep: str | None = None
    """A file of questions with their references that are trained beside the corrections, so that nothing else moves: those that the
    base model answers right are distilled from its own answer."""
    retention: str | None = None
    """A file of questions with their references that are asked before and after, and never trained."""
    train: Annotated[dict[str, Any], KeysOf(TrainConfig)] = Field(default_factory=dict)
    """Keys of a training's config (docs/guides/train.md): {epochs: 4, lora_r: 16}."""
    limits: Annotated[dict[str, Any], KeysOf(GateLimits)] = Field(default_factory=dict)
    """Keys of `limits` in an evaluation's config (docs/guides/evaluate.md)."""
    system_prompt: str | None = None
    """The system prompt before every chat."""

    @model_validator(mode="before")
    @classmethod
    def _numbers(cls, data: Any) -> Any:
        """Those of the training belong to `train`, under one name each."""
        if not isinstance(data, dict) or not isinstance(data.get("train") or {}, dict):
            return data
        beside = {key: data[key] for key in data if key in TRAINED_BY}
        others = {key: value for key, value in data.items() if key not in TRAINED_BY}
        return {**others, "train": own_names({**beside, **(data.get("train") or {})})}

    @field_validator("train")
    @classmethod
    def _trains(cls, keys: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """What is wrong with one is told before anything is asked or trained."""
        TrainConfig(**{"model": "", "data": ("",), "method": info.data.get("method", "sft"), **keys})
        return keys

    @field_validator("limits")
    @classmethod
    def _limits(cls, keys: dict[str, Any]) -> dict[str, Any]:
        GateLimits(**keys)
        return keys

    @classmethod
    def extra_key_names(cls) -> list[str]:
        return sorted(TRAINED_BY)


class ChatConfig(RunConfig):
    """`api.target` is the model that is chatted with, and trained; `api.large` writes wordings and demonstrations; `api.judge` detects
    corrections and says what contradicts them. Where one is not named, the next one before it does its work."""

    COMMAND: ClassVar[str] = "chat"
    corrections: CorrectionsSection = CorrectionsSection()

    def shorter(self, stage: str) -> str:
        return "begin a new chat"

    @property
    def folder(self) -> Path:
        return self.project.resolve(self.path.output_dir)

    @property
    def store(self) -> CorrectionStore:
        return CorrectionStore(self.folder / "corrections.sqlite")

    def untrained(self) -> ChatConfig:
        """With the base model in place of an adapter on it: every round begins with it, and is measured against it."""
        return self.with_models({TARGET: self.model(TARGET).model_copy(update={"adapter": None})})

    @property
    def chats(self) -> Path:
        return self.folder / "chats"

    @property
    def detector(self) -> str:
        """The role of who reads the chat."""
        return next(role for role in ("judge", "large", TARGET) if role in self.by_role)

    @property
    def detects_itself(self) -> bool:
        """Whether the detector is the very model that is corrected."""
        one, other = self.model(self.detector), self.model(TARGET)
        return (one.model, one.mode, one.base_url) == (other.model, other.mode, other.base_url)


def load_chat(path: str | Path, overrides: Sequence[str] = ()) -> ChatConfig:
    """The config at `path`, with `key.path=value` overrides applied (values are YAML).

    Raises: ConfigError with file, line, column and remedy.

    >>> load_chat("configs/chat.yaml").corrections.num_prompt_variations
    8
    """
    config = load_declared(ChatConfig, path, overrides, "pipeline, api, path, corrections, ...")
    if TARGET not in config.by_role:
        raise config.error(("api",), "a chat needs a model to chat with", "set api.target_model and api.target_mode")
    assert set(config.by_role) <= set(ROLES)
    return config


def target_folder(config: ChatConfig) -> str:
    """The folder of the model that is to be trained.

    Raises: ConfigError where it is served by somebody else, or a file of llama.cpp.
    """
    model = config.model(TARGET)
    if model.mode != "hf":
        raise ConfigError(
            f"{model.model} (mode {model.mode}) cannot be trained here",
            hint="name a model in Hugging Face's format: --model FOLDER --mode hf; chatting works with every mode",
        )
    return model.model
