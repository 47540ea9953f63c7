"""The vocabulary of a pipeline: every stage that it may name, as data. What a stage does is in `stages/`.

The vocabulary grows by registration: `STAGES` and `FEWEST_FIELDS` hold the words that a pipeline's YAML may use, ours and those
of installed plugins and of the program that runs.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache, reduce
from operator import or_
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from augment_correction.plugins import load_plugins
from augment_correction.records import Role
from augment_correction.sampling import Declaration, Sampling

ModelRole = Literal["small", "large", "judge", "target"]
"""`judge` is the large model where the config names none of its own; `target` is the model that is to be trained."""
FEWEST_FIELDS: dict[str, int] = {
    "differ": 2, "stands_alone": 1, "no_links": 1, "no_tags": 1, "complete": 1, "no_refusal": 1, "language": 1,
    "no_giveaway": 2, "length": 1, "keeps": 2,
}  # fmt: skip
"""Every check by its name, with how many fields it needs: one that compares the first with the second needs two."""
OURS = frozenset(FEWEST_FIELDS)

SOURCE_FIELDS = frozenset({"passage", "title", "heading", "language", "source", "page", "metadata"})
"""What every record holds before the first stage. `language` is the English name of the one that most of the passage is in, or
empty; `metadata` is a mapping (a JSONL row's other keys, a PDF's author)."""
ErrorType = Literal[
    "number", "date", "name", "place", "reversal", "negation", "omission", "invented_cause", "wrong_scope", "other"
]  # fmt: skip
"""What is wrong with a mistake, as a judge names it."""
DoubtSays = Literal["nothing", "right", "wrong"]
"""What a user's doubt says would be right, as a judge sees it: nothing, what is right by the passage, something else."""
RESERVED = frozenset({"read", "selection"})
ITEMS = "items"
"""Under which a reply of `several` holds its list."""
KIND = "kind"
"""The field that says which kind of conversation a record is to become; `only` looks at it."""


class CheckSpec(Declaration):
    """A free check of fields that a model wrote: `stages/checks/` says what each of ours means, and `register_check` adds
    others.

    Raises: ValidationError where no check has that name, or it needs more fields.

    >>> CheckSpec(check="length", fields=("answer",), words=(5, 200)).words
    (5, 200)
    """

    check: str
    fields: tuple[str, ...] = Field(min_length=1)
    at_least: float | None = Field(None, ge=0, le=1)
    """The score (0 to 1) below which the record is rejected. Default: the check's own threshold."""
    words: tuple[int, int] | None = None
    """For `length`: the smallest and the largest number of words. A check of your own may read it, too; others refuse it."""
    unless: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """The check is skipped if a field has one of these words: {pushback: [correcting]}."""

    @field_validator("check")
    @classmethod
    def _known(cls, check: str) -> str:
        if check not in FEWEST_FIELDS:
            load_plugins()
        if check not in FEWEST_FIELDS:
            raise ValueError(
                f"no check is named '{check}'{_nearest(check, FEWEST_FIELDS)} (known: {', '.join(FEWEST_FIELDS)}); "
                "install or import the plugin that brings it"
            )
        return check

    @model_validator(mode="after")
    def _compares(self) -> CheckSpec:
        if len(self.fields) < FEWEST_FIELDS[self.check]:
            raise ValueError(f"'{self.check}' compares the first field with the second: it needs at least two")
        if self.words is not None and self.check in OURS and self.check != "length":
            raise ValueError(f"'{self.check}' reads no words: they are for the check 'length'")
        return self


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.75)
    return f": did you mean '{close[0]}'?" if close else ""


def _read_by(checks: tuple[CheckSpec, ...]) -> tuple[str, ...]:
    return tuple(name for check in checks for name in (*check.fields, *check.unless))


class StageDeclaration(Declaration):
    """Base of all stages: what a pipeline's YAML says of one, as data. A stage of your own subclasses it (or `ModelStage`)
    with a word for `stage` and its own keys, tells which fields it reads and writes, and is given to `register_stage`
    together with what it does.

    >>> class KeepStart(StageDeclaration):
    ...     stage: Literal["keep_start"] = "keep_start"
    ...     field: str
    ...     letters: int = 200
    ...
    ...     @property
    ...     def reads(self) -> tuple[str, ...]:
    ...         return (self.field,)
    >>> KeepStart(name="short", field="answer").reads
    ('answer',)
    """

    SWITCHED: ClassVar[bool] = False
    """Whether `checks` in a config may turn it on and off by its name."""

    name: str
    only: tuple[str, ...] = ()
    """The kinds of conversation to which the stage applies. Default: all. Other records skip it."""
    on: bool = True
    """`false`: the stage is off unless `checks` in the config turns it on by its name."""
    stage: str
    """The name of the stage in YAML."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Fields that it reads beside its prompts; a pipeline in which no stage writes one of them is refused."""
        return tuple(self.named.values())

    @property
    def given(self) -> tuple[str, ...]:
        """Further names that it gives its prompts, empty where the pipeline names no field for them."""
        return ()

    @property
    def may_read(self) -> tuple[str, ...]:
        """Fields that it reads where a record has them; a pipeline that never writes one of them is refused."""
        return ()

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


class ModelStage(StageDeclaration):
    """Base of the stages that ask a model: its role, the prompt, how often it is asked again, the sampling. A stage of your
    own that asks subclasses it and asks by a `ModelCall`.

    >>> class Translate(ModelStage):
    ...     stage: Literal["translate"] = "translate"
    ...
    ...     @property
    ...     def writes(self) -> tuple[str, ...]:
    ...         return ("translation",)
    >>> Translate(name="german", model="large", prompt="translate").reply_fields
    ('translation',)
    """

    model: ModelRole
    prompt: str
    """The name of a file in `prompts/`, without its ending."""
    reasks: int = Field(1, ge=0, le=5)
    """How often the model is asked again, with a note on what was wrong with its reply."""
    sampling: Sampling = Sampling()

    @property
    def reply_fields(self) -> tuple[str, ...]:
        """What a reply holds, by name."""
        return self.writes


class ChunkStage(StageDeclaration):
    """Split the documents into passages; size and overlap are in the config (`system.chunk_size`).

    >>> ChunkStage().name
    'chunk'
    """

    stage: Literal["chunk"] = "chunk"
    name: str = "chunk"


class JudgeStage(ModelStage):
    """Ask a model for a verdict and keep or reject the record by it.

    >>> JudgeStage(name="judgement", model="small", prompt="filter").writes
    ('judgement_reason',)
    """

    SWITCHED: ClassVar[bool] = True

    stage: Literal["judge"] = "judge"
    keep: str = "suitable"
    """The word that keeps the record."""
    drop: str = "unsuitable"
    """The word that rejects the record. It becomes the reason of the reject."""
    reply: Literal["text", "json"] = "text"
    """`json` asks the server to enforce {reason, verdict}, where it can; both spellings are understood in any case."""

    @property
    def writes(self) -> tuple[str, ...]:
        return (f"{self.name}_reason",)

    @property
    def verdicts(self) -> tuple[str, ...]:
        return (self.drop,)

    @property
    def reply_fields(self) -> tuple[str, ...]:
        return ("reason", "verdict")


class AskStage(ModelStage):
    """Ask a model for named fields, check them, and ask again with what was wrong a bounded number of times.

    >>> AskStage(name="write", model="large", prompt="conversation", fields=("question", "answer")).writes
    ('question', 'answer')
    """

    stage: Literal["ask"] = "ask"
    fields: tuple[str, ...] = Field(min_length=1)
    reply: Literal["tags", "json"] = "tags"
    checks: tuple[CheckSpec, ...] = ()
    reasks: int = Field(2, ge=0, le=5)

    @property
    def reads(self) -> tuple[str, ...]:
        """What its checks compare, which may be its own fields."""
        return _read_by(self.checks)

    @property
    def writes(self) -> tuple[str, ...]:
        return self.fields


class SeveralStage(ModelStage):
    """Ask a model for several of something in one reply, and go on with one record for each: a question in other words, an
    answer said otherwise. Two that say the same are one; one that fails a check is left out.

    >>> SeveralStage(name="wordings", model="large", prompt="chat/wordings", fields=("wording",), count=8).writes
    ('wording',)
    """

    stage: Literal["several"] = "several"
    fields: tuple[str, ...] = Field(min_length=1)
    """The fields of each entry; the first field tells the entries apart."""
    count: int = Field(ge=1, le=64)
    """The number of entries to ask for, which the prompt may read."""
    also: dict[str, str] = Field(default_factory=dict)
    """One more record, made from existing fields: {wording: initial_question}."""
    checks: tuple[CheckSpec, ...] = ()
    reasks: int = Field(2, ge=0, le=5)

    @property
    def reads(self) -> tuple[str, ...]:
        return (*_read_by(self.checks), *self.also.values())

    @property
    def writes(self) -> tuple[str, ...]:
        return self.fields

    @property
    def verdicts(self) -> tuple[str, ...]:
        return ("none_usable",)

    @property
    def given(self) -> tuple[str, ...]:
        return ("count",)

    @property
    def reply_fields(self) -> tuple[str, ...]:
        return (ITEMS,)

    @model_validator(mode="after")
    def _whole(self) -> SeveralStage:
        if self.also and set(self.also) != set(self.fields):
            raise ValueError(f"'also' must name {', '.join(self.fields)}")
        return self


class CheckStage(StageDeclaration):
    """Reject records whose fields fail a check.

    >>> CheckStage(name="brief", checks=(CheckSpec(check="length", fields=("answer",), words=(1, 80)),)).reads
    ('answer',)
    """

    SWITCHED: ClassVar[bool] = True

    stage: Literal["check"] = "check"
    checks: tuple[CheckSpec, ...] = Field(min_length=1)

    @property
    def reads(self) -> tuple[str, ...]:
        return _read_by(self.checks)


class GroundStage(ModelStage):
    """Ask a judge whether the passage supports the answer, and which words of it stand against which words of the
    mistake. The program looks its quotes up in the passage and does not take the judge's word for them.

    >>> GroundStage(name="grounded", prompt="checks/ground", question="question", answer="answer").writes
    ('evidence', 'evidence_start')
    """

    SWITCHED: ClassVar[bool] = True

    stage: Literal["ground"] = "ground"
    model: ModelRole = "judge"
    prompt: str
    """Reads `question`, `answer`, `mistake`, `first` and `doubt` beside the record's fields."""
    question: str
    """The field with the question; likewise the following keys."""
    answer: str
    """The reply that ends the conversation."""
    mistake: str | None = None
    """A first answer that is wrong."""
    first: str | None = None
    """A first answer that is right: it is judged by itself."""
    doubt: str | None = None
    """What the user says to the first answer; a record may be without it."""
    doubt_says: dict[str, dict[str, tuple[DoubtSays, ...]]] = Field(default_factory=dict)
    """What the user's doubt may claim to be right, by a field and its word, if that is not `nothing` or `wrong`:
    {pushback: {correcting: [nothing, right]}}."""
    rest_right: tuple[str, ...] = ()
    """The kinds of conversation whose mistake must be right in everything else."""
    reply: Literal["text", "list"] = "text"
    """`list`: quotes are lists, `supported` may be `inferred`, and question, doubt, first answer and the rest of a mistake are
    judged, too, as the shipped prompts ask. `text` is how prompts asked before."""

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the later keys where a pipeline does not use them: what it is by its dump decides whether a run is resumed."""
        said: dict[str, Any] = handler(self)
        later = {"first", "doubt", "doubt_says", "rest_right", "reply"} - self.model_fields_set
        return {name: value for name, value in said.items() if name not in later}

    @property
    def writes(self) -> tuple[str, ...]:
        mistake = ("wrong_span", "right_span", "error_type") if self.mistake else ()
        marks = ("supported", *(("doubt_says",) if self.doubt else ())) if self.reply == "list" else ()
        return ("evidence", "evidence_start", *mistake, *marks)

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(field for name, field in self.named.items() if name != "doubt") + tuple(self.doubt_says)

    @property
    def given(self) -> tuple[str, ...]:
        return ("mistake", "first", "doubt")

    @property
    def may_read(self) -> tuple[str, ...]:
        return (self.doubt,) if self.doubt else ()

    @property
    def verdicts(self) -> tuple[str, ...]:
        judged = ("unclear_question", "unanswered_question", "unsupported_first", "unsupported_rest", "unfit_doubt")
        return ("unsupported", "not_contradicted", *(judged if self.reply == "list" else ()))

    @property
    def named(self) -> Mapping[str, str]:
        fields = {
            "question": self.question,
            "answer": self.answer,
            "mistake": self.mistake,
            "first": self.first,
            "doubt": self.doubt,
        }
        return {name: field for name, field in fields.items() if field}

    @property
    def reply_fields(self) -> tuple[str, ...]:
        mistake = ("wrong_span", "right_span", "error_type") if self.mistake else ()
        if self.reply == "text":
            return ("evidence", "supported", *mistake)
        rest = ("rest",) if self.mistake else ()
        first, doubt = (("first",) if self.first else ()), (("doubt",) if self.doubt else ())
        return ("question", "evidence", "supported", *first, *mistake, *rest, *doubt)


class AttemptStage(ModelStage):
    """Let the model to be trained answer the question several times without the passage (closed-book).

    >>> AttemptStage(name="tries", prompt="attempt", samples=8).model
    'target'
    """

    stage: Literal["attempt"] = "attempt"
    model: ModelRole = "target"
    samples: int = Field(4, ge=1, le=64)
    reasks: Literal[0] = 0
    """Its replies are not asked again, because its mistakes are the purpose."""

    @property
    def writes(self) -> tuple[str, ...]:
        return ("attempts",)

    @property
    def reply_fields(self) -> tuple[str, ...]:
        return ("attempt",)


class GradeStage(ModelStage):
    """Sort the attempts into right and wrong by the reference, and go on with one record for a wrong one and one for a
    right one. Answers that matching cannot grade are graded by a judge model.

    >>> GradeStage(name="graded", prompt="checks/grade", question="question", reference="answer").always_right
    'gate'
    """

    stage: Literal["grade"] = "grade"
    model: ModelRole = "judge"
    prompt: str
    """Reads `question`, `reference` and `attempt` beside the record's fields."""
    question: str
    reference: str
    wrong: str = "correct_after_mistake"
    """The kind of a record with a wrong attempt, which is its `first_answer`."""
    right: str = "stand_by"
    """The kind of a record with a right attempt, if another attempt was wrong."""
    always_right: Literal["gate", "drop", "keep"] = "gate"
    """What to do with a question whose attempts are all right: put it into the held-out set, drop it, or keep it as a row."""

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
    template is a prompt file with one message, which may read every field before it.

    >>> FillStage(name="doubt", field="doubt", among=("doubt_terse", "doubt_polite")).writes
    ('doubt',)
    """

    stage: Literal["fill"] = "fill"
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
    """Continue with one record for each kind that is listed for the word in a field; a word without kinds is a reject.

    >>> SpreadStage(name="kinds", by="verdict", into={"wrong": ("correct_after_mistake",)}).reads
    ('verdict',)
    """

    stage: Literal["spread"] = "spread"
    by: str
    into: dict[str, tuple[str, ...]] = Field(min_length=1)
    """{right: [stand_by], wrong: [self_evaluation, correct_after_mistake]}"""

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.by,)

    @property
    def writes(self) -> tuple[str, ...]:
        return (KIND,)

    @property
    def verdicts(self) -> tuple[str, ...]:
        return ("no_kind",)


class TurnSpec(Declaration):
    """One message of the conversation that a `ComposeStage` makes: who speaks, which field it says, and what it is to the
    loss mask. In Python the key `is` is spelled `is_`.

    >>> TurnSpec(role="assistant", text="flawed_answer", is_="mistake").is_
    'mistake'
    """

    model_config = ConfigDict(populate_by_name=True)

    role: Role
    text: str
    """The field that holds the turn's text."""
    after: str | None = None
    """The field with a mistake that begins this same turn and is masked: the model notices its mistake by itself."""
    is_: Literal["mistake", "correction"] | None = Field(None, alias="is")
    """The role of the turn for the loss mask. The mistake is never trained; with `system.loss_on: correction_only` only the correction is."""


class ComposeStage(StageDeclaration):
    """Make the conversation, and decide its loss mask. Several of them make one kind each.

    >>> ComposeStage(kind="plain", turns=(
    ...     TurnSpec(role="user", text="question"), TurnSpec(role="assistant", text="answer", is_="correction"),
    ... )).reads
    ('question', 'answer')
    """

    stage: Literal["compose"] = "compose"
    name: str = "compose"
    kind: str
    turns: tuple[TurnSpec, ...] = Field(min_length=2)
    reference: str | None = None
    """The field with the right answer, for the held-out set. Default: the text of the last turn."""

    @property
    def reads(self) -> tuple[str, ...]:
        texts = (name for turn in self.turns for name in (turn.text, turn.after) if name)
        return (*texts, self.reference) if self.reference else tuple(texts)


STAGES: dict[str, type[StageDeclaration]] = {
    kind.model_fields["stage"].default: kind
    for kind in (
        ChunkStage,
        JudgeStage,
        AskStage,
        SeveralStage,
        CheckStage,
        GroundStage,
        AttemptStage,
        GradeStage,
        FillStage,
        SpreadStage,
        ComposeStage,
    )
}
"""Every stage that a pipeline may name, by its word; `stages/building.py` adds those that are registered."""


@lru_cache(maxsize=1)
def _any_of(kinds: tuple[type[StageDeclaration], ...]) -> TypeAdapter[StageDeclaration]:
    union: Any = Annotated[reduce(or_, kinds), Field(discriminator="stage")]
    return TypeAdapter(union)


def _declared(given: Any) -> Any:
    """An entry of a pipeline's `stages`: an object as it is, a mapping as the class that its `stage` names."""
    if isinstance(given, StageDeclaration):
        if STAGES.get(given.stage) is not type(given):
            raise ValueError(f"{type(given).__name__} is not registered: call register_stage before it is used")
        return given
    if isinstance(given, Mapping) and given.get("stage") not in STAGES:
        load_plugins()
        if isinstance(word := given.get("stage"), str) and word not in STAGES:
            told = (
                f"no stage is named '{word}'{_nearest(word, STAGES)} (known: {', '.join(STAGES)}); "
                "install or import the plugin that brings it"
            )
            problem = InitErrorDetails(
                type=PydanticCustomError("unknown_stage", "{told}", {"told": told}), loc=("stage",), input=word
            )
            raise ValidationError.from_exception_data("stage", [problem])
    return _any_of(tuple(STAGES.values())).validate_python(given)


Stage = Annotated[SerializeAsAny[StageDeclaration], BeforeValidator(_declared)]
"""In a `Pipeline`: any registered stage, checked against its own class."""
