"""What is made: ordered stages as data. YAML is the serialised form of these classes; nothing in it is code.

The vocabulary is small and closed. A field is a name under which a stage writes text into the record and a later
prompt or stage reads it; `Pipeline.check_wiring` proves before the first token that each is written before it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from augment_correction.errors import ConfigError
from augment_correction.records import Role
from augment_correction.sampling import Declaration, Sampling
from augment_correction.yamlfile import YamlFile, read_yaml

ModelRole = Literal["small", "large"]
CheckName = Literal["differ", "stands_alone", "no_links", "no_tags"]

SOURCE_FIELDS = frozenset({"passage", "title", "heading", "source", "page", "metadata"})
"""What every record holds before the first stage. `metadata` is a mapping (a JSONL row's other keys, a PDF's author)."""


class CheckSpec(Declaration):
    """A free check of fields that a model wrote; see `stages/checks.py` for what each means."""

    check: CheckName
    fields: tuple[str, ...] = Field(min_length=1)


class ChunkStage(Declaration):
    """Cut the documents into passages; size and overlap are in the config (`system.chunk_size`)."""

    stage: Literal["chunk"]
    name: str = "chunk"


class JudgeStage(Declaration):
    """Ask a model for a verdict and keep or reject the record by it."""

    stage: Literal["judge"]
    name: str
    model: ModelRole
    prompt: str
    keep: str = "suitable"
    """The word that keeps the record."""
    drop: str = "unsuitable"
    """The word that rejects it; it becomes the reject reason."""
    reply: Literal["text", "json"] = "text"
    """`json` asks the server to enforce {reason, verdict}, where it can; both spellings are understood in any case."""
    reasks: int = Field(1, ge=0, le=5)
    sampling: Sampling = Sampling()

    @property
    def writes(self) -> tuple[str, ...]:
        return (f"{self.name}_reason",)

    @property
    def reply_fields(self) -> tuple[str, ...]:
        return ("reason", "verdict")


class AskStage(Declaration):
    """Ask a model for named fields, check them, and ask again with what was wrong a bounded number of times."""

    stage: Literal["ask"]
    name: str
    model: ModelRole
    prompt: str
    fields: tuple[str, ...] = Field(min_length=1)
    reply: Literal["tags", "json"] = "tags"
    checks: tuple[CheckSpec, ...] = ()
    reasks: int = Field(2, ge=0, le=5)
    sampling: Sampling = Sampling()

    @property
    def writes(self) -> tuple[str, ...]:
        return self.fields

    @property
    def reply_fields(self) -> tuple[str, ...]:
        return self.fields


class CheckStage(Declaration):
    """Reject records whose fields fail a check."""

    stage: Literal["check"]
    name: str
    checks: tuple[CheckSpec, ...] = Field(min_length=1)


class TurnSpec(Declaration):
    role: Role
    text: str
    """The field that holds the turn's text."""
    is_: Literal["mistake", "correction"] | None = Field(None, alias="is")
    """The mistake is never trained; `system.loss_on: correction_only` trains nothing but the correction."""


class ComposeStage(Declaration):
    """Make the conversation, and decide its loss mask."""

    stage: Literal["compose"]
    name: str = "compose"
    kind: str
    turns: tuple[TurnSpec, ...] = Field(min_length=2)


Stage = Annotated[ChunkStage | JudgeStage | AskStage | CheckStage | ComposeStage, Field(discriminator="stage")]
ModelStage = JudgeStage | AskStage


class Pipeline(Declaration):
    """`Pipeline(name=..., stages=[...])`, or the same as a YAML file."""

    name: str
    about: str = ""
    stages: tuple[Stage, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_and_order(self) -> Pipeline:
        names = [stage.name for stage in self.stages]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two stages are named {', '.join(sorted(twice))}")
        kinds = [stage.stage for stage in self.stages]
        if kinds[-1] != "compose" or kinds.count("compose") != 1:
            raise ValueError("the last stage, and only it, must be 'compose'")
        if "chunk" in kinds[1:]:
            raise ValueError("'chunk' can only be the first stage")
        return self

    @property
    def model_stages(self) -> tuple[ModelStage, ...]:
        return tuple(stage for stage in self.stages if isinstance(stage, JudgeStage | AskStage))

    @property
    def roles(self) -> tuple[ModelRole, ...]:
        """The model roles it uses, in order of first use."""
        return tuple(dict.fromkeys(stage.model for stage in self.model_stages))

    def check_wiring(self, variables: dict[str, frozenset[str]]) -> Iterator[str]:
        """What is wrong between the stages, a line each. `variables` maps a prompt's name to what it reads."""
        written = set(SOURCE_FIELDS)
        for stage in self.stages:
            reads: set[str] = set()
            if isinstance(stage, JudgeStage | AskStage):
                missing = sorted(variables[stage.prompt] - written)
                if missing:
                    yield (
                        f"stage '{stage.name}': prompt '{stage.prompt}' reads {', '.join(missing)}, "
                        f"which nothing before it writes (there is: {', '.join(sorted(written))})"
                    )
                written |= set(stage.writes)
            if isinstance(stage, AskStage | CheckStage):
                reads |= {name for check in stage.checks for name in check.fields}
            if isinstance(stage, ComposeStage):
                reads |= {turn.text for turn in stage.turns}
            for name in sorted(reads - written):
                yield f"stage '{stage.name}' reads the field '{name}', which nothing before it writes"


def load_pipeline(path: Path) -> Pipeline:
    """Raises: ConfigError with file, line and remedy."""
    return validate_pipeline(read_yaml(path))


def validate_pipeline(file: YamlFile) -> Pipeline:
    if not isinstance(file.data, dict):
        raise ConfigError("a pipeline is a mapping with 'name' and 'stages'", file=file.path)
    return file.validate(Pipeline)
