"""The vocabulary of a pipeline: every stage that it may name, as data. What a stage does is in `stages/`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from augment_correction.records import Role
from augment_correction.sampling import Declaration, Sampling

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
