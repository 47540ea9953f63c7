"""What is made: ordered stages as data. YAML is the serialised form of these classes; nothing in it is code.

The vocabulary is small and closed. A field is a name under which a stage writes text into the record and a later
prompt or stage reads it; `Pipeline.check_wiring` proves before the first token that each is written before it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from augment_correction.errors import ConfigError
from augment_correction.records import Role
from augment_correction.sampling import Declaration, Sampling
from augment_correction.yamlfile import YamlFile, read_yaml

ModelRole = Literal["small", "large", "judge", "target"]
"""`judge` is the large model where the config names none of its own; `target` is the model that is to be trained."""
CheckName = Literal[
    "differ", "stands_alone", "no_links", "no_tags", "complete", "no_refusal", "language", "no_giveaway", "length",
    "keeps",
]  # fmt: skip

SOURCE_FIELDS = frozenset({"passage", "title", "heading", "source", "page", "metadata"})
"""What every record holds before the first stage. `metadata` is a mapping (a JSONL row's other keys, a PDF's author)."""
ErrorType = Literal[
    "number", "date", "name", "place", "reversal", "omission", "invented_cause", "wrong_scope", "other"
]  # fmt: skip
"""What is wrong with a mistake, as a judge names it."""
RESERVED = frozenset({"read", "selection"})
KIND = "kind"
"""The field that says which kind of conversation a record is to become; `only` looks at it."""


class CheckSpec(Declaration):
    """A free check of fields that a model wrote; see `stages/checks/` for what each means."""

    check: CheckName
    fields: tuple[str, ...] = Field(min_length=1)
    at_least: float | None = Field(None, ge=0, le=1)
    """The score (0 to 1) below which the record is rejected; unset, the check's own."""
    words: tuple[int, int] | None = None
    """For `length`: the fewest and the most words."""
    unless: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Not applied where a field holds one of these words: {pushback: [correcting]}."""

    @model_validator(mode="after")
    def _compares(self) -> CheckSpec:
        if self.check in ("differ", "no_giveaway", "keeps") and len(self.fields) < 2:
            raise ValueError(f"'{self.check}' compares the first field with the second: it needs at least two")
        return self


class StageDeclaration(Declaration):
    name: str
    only: tuple[str, ...] = ()
    """The kinds of conversation it is for; unset, all. Other records pass it by."""
    on: bool = True
    """`false`: left out, unless `checks` in the config turns it on by its name."""

    @property
    def writes(self) -> tuple[str, ...]:
        """Fields that it adds to a record."""
        return ()

    @property
    def prompts(self) -> tuple[str, ...]:
        """The names of the prompts that it uses."""
        prompt = getattr(self, "prompt", None)
        return (prompt,) if prompt else ()

    @property
    def named(self) -> Mapping[str, str]:
        """What it gives its prompt under a name of its own, and the field that it comes from."""
        return {}

    @property
    def verdicts(self) -> tuple[str, ...]:
        """Reject reasons that are a judgement of the content, not a reply that could not be used."""
        return ()


class ChunkStage(StageDeclaration):
    """Cut the documents into passages; size and overlap are in the config (`system.chunk_size`)."""

    stage: Literal["chunk"]
    name: str = "chunk"


class JudgeStage(StageDeclaration):
    """Ask a model for a verdict and keep or reject the record by it."""

    stage: Literal["judge"]
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
    def verdicts(self) -> tuple[str, ...]:
        return (self.drop,)

    @property
    def reply_fields(self) -> tuple[str, ...]:
        return ("reason", "verdict")


class AskStage(StageDeclaration):
    """Ask a model for named fields, check them, and ask again with what was wrong a bounded number of times."""

    stage: Literal["ask"]
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


class CheckStage(StageDeclaration):
    """Reject records whose fields fail a check."""

    stage: Literal["check"]
    checks: tuple[CheckSpec, ...] = Field(min_length=1)


class GroundStage(StageDeclaration):
    """Ask a judge whether the passage supports the answer, and which words of it stand against which words of the
    mistake. Its quotes must really stand there: that is looked up and not believed."""

    stage: Literal["ground"]
    model: ModelRole = "judge"
    prompt: str
    """Reads `question`, `answer` and `mistake` beside the record's fields."""
    question: str
    """The field that holds the question, and so on."""
    answer: str
    mistake: str | None = None
    reasks: int = Field(1, ge=0, le=5)
    sampling: Sampling = Sampling()

    @property
    def writes(self) -> tuple[str, ...]:
        return ("evidence", "evidence_start", *(("wrong_span", "right_span", "error_type") if self.mistake else ()))

    @property
    def verdicts(self) -> tuple[str, ...]:
        return ("unsupported", "not_contradicted")

    @property
    def named(self) -> Mapping[str, str]:
        named = {"question": self.question, "answer": self.answer}
        return named | ({"mistake": self.mistake} if self.mistake else {})

    @property
    def reply_fields(self) -> tuple[str, ...]:
        mistake = ("wrong_span", "right_span", "error_type") if self.mistake else ()
        return ("evidence", "supported", *mistake)


class AttemptStage(StageDeclaration):
    """Have the model that is to be trained answer closed-book, several times."""

    stage: Literal["attempt"]
    model: ModelRole = "target"
    prompt: str
    samples: int = Field(4, ge=1, le=64)
    sampling: Sampling = Sampling()
    reasks: Literal[0] = 0
    """What it says is not asked again: its mistakes are what is wanted."""

    @property
    def writes(self) -> tuple[str, ...]:
        return ("attempts",)

    @property
    def reply_fields(self) -> tuple[str, ...]:
        return ("attempt",)


class GradeStage(StageDeclaration):
    """Sort the attempts into right and wrong by the reference, and go on with one record for a wrong one and one for a
    right one. What a comparison of words and numbers cannot tell is asked of a judge."""

    stage: Literal["grade"]
    model: ModelRole = "judge"
    prompt: str
    """Reads `question`, `reference` and `attempt` beside the record's fields."""
    question: str
    reference: str
    wrong: str = "correct_after_mistake"
    """The kind that a record with a wrong attempt becomes; the attempt is its `first_answer`."""
    right: str = "stand_by"
    """The kind that a record with a right attempt becomes, where some other attempt was wrong."""
    always_right: Literal["gate", "drop", "keep"] = "gate"
    """What a question comes to whose attempts are all right: an item of the gate, nothing, or a row like the others."""
    reasks: int = Field(1, ge=0, le=5)
    sampling: Sampling = Sampling()

    @property
    def writes(self) -> tuple[str, ...]:
        return (KIND, "first_answer", "origin", "right_share")

    @property
    def named(self) -> Mapping[str, str]:
        return {"question": self.question, "reference": self.reference, "attempt": "attempts"}

    @property
    def verdicts(self) -> tuple[str, ...]:
        return ("always_right",)

    @property
    def reply_fields(self) -> tuple[str, ...]:
        return ("reason", "verdict")


class FillStage(StageDeclaration):
    """Write a field from a template, without a model: one of several, drawn by the config's seed and the record. The
    template is a prompt file with one message, which may read every field before it."""

    stage: Literal["fill"]
    field: str
    among: tuple[str, ...] = Field(min_length=1)
    """Names of the templates."""

    @property
    def prompts(self) -> tuple[str, ...]:
        return self.among

    @property
    def writes(self) -> tuple[str, ...]:
        return (self.field,)


class SpreadStage(StageDeclaration):
    """Go on with one record for each kind that is listed for the word in a field; a word without kinds is a reject."""

    stage: Literal["spread"]
    by: str
    into: dict[str, tuple[str, ...]] = Field(min_length=1)
    """{right: [stand_by], wrong: [self_evaluation, correct_after_mistake]}"""

    @property
    def writes(self) -> tuple[str, ...]:
        return (KIND,)

    @property
    def verdicts(self) -> tuple[str, ...]:
        return ("no_kind",)


class TurnSpec(Declaration):
    role: Role
    text: str
    """The field that holds the turn's text."""
    after: str | None = None
    """The field of a mistake that this same turn begins with, masked: the model notices by itself."""
    is_: Literal["mistake", "correction"] | None = Field(None, alias="is")
    """The mistake is never trained; `system.loss_on: correction_only` trains nothing but the correction."""


class ComposeStage(StageDeclaration):
    """Make the conversation, and decide its loss mask. Several of them make one kind each."""

    stage: Literal["compose"]
    name: str = "compose"
    kind: str
    turns: tuple[TurnSpec, ...] = Field(min_length=2)
    reference: str | None = None
    """The field that holds the right answer by itself, for the gate; unset, the last turn's text."""


Stage = Annotated[
    ChunkStage
    | JudgeStage
    | AskStage
    | CheckStage
    | GroundStage
    | AttemptStage
    | GradeStage
    | FillStage
    | SpreadStage
    | ComposeStage,
    Field(discriminator="stage"),
]
ModelStage = JudgeStage | AskStage | GroundStage | AttemptStage | GradeStage


class Pipeline(Declaration):
    """`Pipeline(name=..., stages=[...])`, or the same as a YAML file."""

    name: str
    about: str = ""
    takes: dict[str, str] = Field(default_factory=dict)
    """Fields that are taken from a document's metadata (the other keys of a JSONL row), by the name that they have there:
    {initial_question: question}. A document without one of them is rejected."""
    draws: dict[str, dict[str, float]] = Field(default_factory=dict)
    """Fields that are drawn for each passage by the config's seed before the first stage, each with its words and their
    weights; `shares` in the config gives other weights. {pushback: {neutral: 2, terse: 1}}. The field `kind` decides
    which stages with `only` a record goes to."""
    stages: tuple[Stage, ...] = Field(min_length=1)

    @field_validator("draws")
    @classmethod
    def _weights(cls, draws: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        for name, words in draws.items():
            if not words or min(words.values()) < 0 or not sum(words.values()):
                raise ValueError(f"{name}: weights are 0 or more, and one of them is more")
        return draws

    @model_validator(mode="after")
    def _names_and_order(self) -> Pipeline:
        names = [stage.name for stage in self.stages]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two stages are named {', '.join(sorted(twice))}")
        if taken := RESERVED & set(names):
            raise ValueError(f"no stage can be named '{min(taken)}': rejects from outside of the stages stand under it")
        kinds = [stage.stage for stage in self.stages]
        composing = kinds.count("compose")
        if not composing or set(kinds[-composing:]) != {"compose"}:
            raise ValueError("the last stages, and only they, must be 'compose'")
        if composing > 1 and KIND not in self._written:
            raise ValueError("several 'compose' stages need 'kind' among the draws, or a stage that writes it (grade)")
        if len({stage.kind for stage in self.compositions}) < composing:
            raise ValueError("two 'compose' stages make the same kind")
        if "chunk" in kinds[1:]:
            raise ValueError("'chunk' can only be the first stage")
        for stage in self.stages:
            if strange := sorted(set(stage.only) - set(self.kinds)):
                raise ValueError(f"stage '{stage.name}' is only for {', '.join(strange)}, which nothing composes")
        return self

    @property
    def _written(self) -> set[str]:
        return {*self.takes, *self.draws, *(name for stage in self.stages for name in stage.writes)}

    @property
    def compositions(self) -> tuple[ComposeStage, ...]:
        return tuple(stage for stage in self.stages if isinstance(stage, ComposeStage))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of conversation it can make."""
        return tuple(stage.kind for stage in self.compositions)

    def kinds_at(self, stage: Stage) -> frozenset[str] | None:
        """The kinds of conversation whose records go through the stage; None: every record."""
        if isinstance(stage, ComposeStage):
            return frozenset({stage.kind}) if KIND in self._written else None
        return frozenset(stage.only) or None

    @property
    def model_stages(self) -> tuple[ModelStage, ...]:
        return tuple(stage for stage in self.stages if isinstance(stage, ModelStage))

    def share_at(self, stage: Stage) -> float:
        """The share of passages whose kind is drawn to go through the stage; 1 where that is not known beforehand."""
        kinds = self.kinds_at(stage)
        drawn = self.draws.get(KIND)
        if kinds is None or not drawn:
            return 1.0
        return sum(weight for kind, weight in drawn.items() if kind in kinds) / sum(drawn.values())

    @property
    def prompts(self) -> tuple[str, ...]:
        """The names of all prompts that it uses, in order of first use."""
        return tuple(dict.fromkeys(name for stage in self.stages for name in stage.prompts))

    @property
    def cuts(self) -> bool:
        """Whether documents are cut; without a `chunk` stage each of them is one passage."""
        return any(isinstance(stage, ChunkStage) for stage in self.stages)

    @property
    def switches(self) -> frozenset[str]:
        """What a config's `checks` may turn off by name."""
        stages = {stage.name for stage in self.stages if isinstance(stage, CheckStage | GroundStage | JudgeStage)}
        listed = (stage.checks for stage in self.stages if isinstance(stage, AskStage | CheckStage))
        return frozenset(stages.union(spec.check for specs in listed for spec in specs))

    @property
    def roles(self) -> tuple[ModelRole, ...]:
        """The model roles it uses, in order of first use."""
        return tuple(dict.fromkeys(stage.model for stage in self.model_stages))

    def check_wiring(self, variables: dict[str, frozenset[str]]) -> Iterator[str]:
        """What is wrong between the stages, a line each. `variables` maps a prompt's name to what it reads. Every kind
        of conversation is followed on its own way."""
        yield from dict.fromkeys(line for kind in self.kinds for line in self._check_way(kind, variables))

    def _check_way(self, kind: str, variables: dict[str, frozenset[str]]) -> Iterator[str]:
        written = {*SOURCE_FIELDS, *self.takes, *self.draws}
        for stage in self.stages:
            if (kinds := self.kinds_at(stage)) is not None and kind not in kinds:
                continue
            for prompt in stage.prompts:
                there = written | stage.named.keys()
                missing = sorted(variables[prompt] - there)
                if missing:
                    yield (
                        f"stage '{stage.name}': prompt '{prompt}' reads {', '.join(missing)}, "
                        f"which nothing before it writes (there is: {', '.join(sorted(there))})"
                    )
            written |= set(stage.writes) if isinstance(stage, AskStage) else set()
            for name in sorted(_reads(stage) - written):
                yield f"stage '{stage.name}' reads the field '{name}', which nothing before it writes"
            written |= set(stage.writes)

    def configured(
        self,
        switched: Mapping[str, bool],
        shares: Mapping[str, Mapping[str, float]],
        roles: Mapping[ModelRole, ModelRole],
    ) -> Pipeline:
        """The pipeline as a config wants it: with the stages and checks that are on by themselves or by `switched`, with
        other `shares` of what is drawn, without what is only for kinds that have no share, and with one role's model in
        place of another's."""
        draws = {
            name: {word: shares[name].get(word, 0.0) for word in words} if name in shares else words
            for name, words in self.draws.items()
        }
        drawn = self.model_copy(update={"draws": draws})
        stages: list[Any] = []
        for stage in self.stages:
            if not switched.get(stage.name, stage.on) or not drawn.share_at(stage):
                continue
            update: dict[str, Any] = {}
            if isinstance(stage, AskStage | CheckStage):
                update["checks"] = tuple(spec for spec in stage.checks if switched.get(spec.check, True))
                if isinstance(stage, CheckStage) and not update["checks"]:
                    continue
            if isinstance(stage, ModelStage) and stage.model in roles:
                update["model"] = roles[stage.model]
            stages.append(stage.model_copy(update=update))
        return drawn.model_copy(update={"stages": tuple(stages)})


def _reads(stage: Stage) -> set[str]:
    """The fields that it reads beside its prompt."""
    reads: set[str] = set()
    reads |= set(stage.named.values())
    reads |= {stage.by} if isinstance(stage, SpreadStage) else set()
    if isinstance(stage, AskStage | CheckStage):
        reads |= {name for check in stage.checks for name in (*check.fields, *check.unless)}
    if isinstance(stage, ComposeStage):
        reads |= {turn.text for turn in stage.turns} | {turn.after for turn in stage.turns if turn.after}
        reads |= {stage.reference} if stage.reference else set()
    return reads


def load_pipeline(path: Path) -> Pipeline:
    """Raises: ConfigError with file, line and remedy."""
    return validate_pipeline(read_yaml(path))


def validate_pipeline(file: YamlFile) -> Pipeline:
    if not isinstance(file.data, dict):
        raise ConfigError("a pipeline is a mapping with 'name' and 'stages'", file=file.path)
    return file.validate(Pipeline)
