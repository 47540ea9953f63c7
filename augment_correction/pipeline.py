"""What is made: ordered stages as data. YAML is the serialised form of these classes; nothing in it is code.

The vocabulary is small, and what is not ours is registered by name. A field is a name under which a stage writes text into the record and a later
prompt or stage reads it; `Pipeline.check_wiring` proves before the first token that each is written before it is read.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from augment_correction.declarations import (
    KIND,
    RESERVED,
    SOURCE_FIELDS,
    AskStage,
    CheckStage,
    ChunkStage,
    ComposeStage,
    ModelRole,
    ModelStage,
    SeveralStage,
    SpreadStage,
    Stage,
)
from augment_correction.errors import ConfigError
from augment_correction.sampling import Declaration
from augment_correction.yamlfile import YamlFile, read_yaml

FED = frozenset({"passage", "metadata"})
"""Fields that differ from passage to passage; what is made from them does, too."""
WRITES_AND_CHECKS = (AskStage, SeveralStage)
"""Stages whose checks may look at what they write themselves."""
CHECKED = (*WRITES_AND_CHECKS, CheckStage)


@dataclass(frozen=True)
class Unwired:
    """Something that does not fit between the stages. `prompt` and `variable` where a prompt reads what is not there."""

    stage: str
    message: str
    hint: str | None = None
    prompt: str | None = None
    variable: str | None = None


class Pipeline(Declaration):
    """What is made from each passage: `Pipeline(name=..., stages=[...])`, or the same as a YAML file. The last stages compose the
    conversations. A run of the same stages has the same fingerprint, wherever they were written, and goes on where another
    one stopped.

    Raises: ValidationError (a ValueError) where the stages do not fit together.

    >>> pipeline = Pipeline(name="doubt", stages=[
    ...     AskStage(name="write", model="large", prompt="conversation", fields=("question", "wrong", "doubt", "right")),
    ...     ComposeStage(kind="correct_after_mistake", turns=(
    ...         TurnSpec(role="user", text="question"),
    ...         TurnSpec(role="assistant", text="wrong", is_="mistake"),
    ...         TurnSpec(role="user", text="doubt"),
    ...         TurnSpec(role="assistant", text="right", is_="correction"),
    ...     )),
    ... ])
    >>> pipeline.roles, pipeline.kinds
    (('large',), ('correct_after_mistake',))
    """

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
                raise ValueError(f"{name}: weights must be 0 or more, and at least one of them above 0")
        return draws

    @model_validator(mode="after")
    def _names_and_order(self) -> Pipeline:
        names = [stage.name for stage in self.stages]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two stages are named {', '.join(sorted(twice))}")
        if taken := RESERVED & set(names):
            raise ValueError(f"no stage can be named '{min(taken)}': the program uses this name for its own rejects")
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
                raise ValueError(
                    f"stage '{stage.name}' is only for {', '.join(strange)}, but no compose stage makes that kind"
                )
            if missing := sorted({*stage.may_read} - self._written):
                raise ValueError(f"stage '{stage.name}' reads the field '{missing[0]}', which no stage writes")
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

    def records_at(self, stage: Stage) -> int:
        """The most records of one passage that come to the stage at the first try: a stage before it may go on with one for each
        kind, or with several."""
        before = self.stages[: [each.name for each in self.stages].index(stage.name)]
        kinds = self.kinds_at(stage)
        spread = next((each for each in before if isinstance(each, SpreadStage)), None)
        if spread is None:
            return max(_copies(self, before, kind) for kind in kinds or (None,))
        ways = [[kind for kind in made if kinds is None or kind in kinds] for made in spread.into.values()]
        return max(sum(_copies(self, before, kind) for kind in way) for way in ways)

    @property
    def prompts(self) -> tuple[str, ...]:
        """The names of all prompts that it uses, in order of first use."""
        return tuple(dict.fromkeys(name for stage in self.stages for name in stage.prompts))

    @property
    def cuts(self) -> bool:
        """Whether documents are split; without a `chunk` stage each document is one passage."""
        return any(isinstance(stage, ChunkStage) for stage in self.stages)

    @property
    def switches(self) -> frozenset[str]:
        """What a config's `checks` may turn off by name."""
        return self.checks.union(stage.name for stage in self.stages if stage.SWITCHED)

    @property
    def checks(self) -> frozenset[str]:
        """The names of all checks that it uses."""
        listed = (stage.checks for stage in self.stages if isinstance(stage, CHECKED))
        return frozenset(spec.check for specs in listed for spec in specs)

    @property
    def roles(self) -> tuple[ModelRole, ...]:
        """The model roles it uses, in order of first use."""
        return tuple(dict.fromkeys(stage.model for stage in self.model_stages))

    def check_wiring(self, variables: Mapping[str, frozenset[str]]) -> Iterator[Unwired]:
        """The mistakes in the wiring of the stages. `variables` maps a prompt's name to what it reads. Every kind of conversation is
        followed on its own way."""
        yield from dict.fromkeys(problem for kind in self.kinds for problem in self._check_way(kind, variables))

    def _check_way(self, kind: str, variables: Mapping[str, frozenset[str]]) -> Iterator[Unwired]:
        written = {*SOURCE_FIELDS, *self.takes, *self.draws}
        fed = {*FED, *self.takes}
        for stage in self.stages:
            if (kinds := self.kinds_at(stage)) is not None and kind not in kinds:
                continue
            there = written.union(stage.named, stage.given)
            for prompt in stage.prompts:
                yield from _unknown(stage, prompt, variables[prompt], there)
            read = {stage.named.get(name, name) for prompt in stage.prompts for name in variables[prompt]}
            if isinstance(stage, ModelStage) and read <= there and not read & fed:
                yield _asks_always_the_same(stage)
            written |= set(stage.writes) if isinstance(stage, WRITES_AND_CHECKS) else set()
            for name in sorted({*stage.reads} - written):
                yield Unwired(
                    stage.name, f"stage '{stage.name}' reads the field '{name}', which no earlier stage writes"
                )
            written |= set(stage.writes)
            fed |= set(stage.writes) if read & fed or not stage.prompts else set()

    def configured(
        self,
        switched: Mapping[str, bool],
        shares: Mapping[str, Mapping[str, float]],
        roles: Mapping[ModelRole, ModelRole],
        also: Collection[str] = (),
    ) -> Pipeline:
        """The pipeline as a config wants it: with the stages and checks that are on by themselves or by `switched`, with
        other `shares` of what is drawn, without what is only for kinds that have no share (and are not among the kinds that
        come `also`), and with one role's model in place of another's."""
        draws = {
            name: {word: shares[name].get(word, 0.0) for word in words} if name in shares else words
            for name, words in self.draws.items()
        }
        drawn = self.model_copy(update={"draws": draws})
        stages: list[Any] = []
        for stage in self.stages:
            if not switched.get(stage.name, stage.on):
                continue
            if not drawn.share_at(stage) and not (drawn.kinds_at(stage) or frozenset()) & {*also}:
                continue
            update: dict[str, Any] = {}
            if isinstance(stage, CHECKED):
                update["checks"] = tuple(spec for spec in stage.checks if switched.get(spec.check, True))
                if isinstance(stage, CheckStage) and not update["checks"]:
                    continue
            if isinstance(stage, ModelStage) and stage.model in roles:
                update["model"] = roles[stage.model]
            stages.append(stage.model_copy(update=update))
        return drawn.model_copy(update={"stages": tuple(stages)})


def _copies(pipeline: Pipeline, stages: Iterable[Stage], kind: str | None) -> int:
    """Records that stages which go on with several make of one of this kind; None: of any."""
    made = 1
    for stage in stages:
        if isinstance(stage, SeveralStage):
            kinds = pipeline.kinds_at(stage)
            made *= stage.count + bool(stage.also) if kinds is None or kind is None or kind in kinds else 1
    return made


def _unknown(stage: Stage, prompt: str, variables: frozenset[str], there: Collection[str]) -> Iterator[Unwired]:
    for name in sorted(variables - set(there)):
        close = difflib.get_close_matches(name, there, n=1, cutoff=0.6)
        yield Unwired(
            stage.name,
            f"stage '{stage.name}': prompt '{prompt}' reads {name}, which no earlier stage writes "
            f"(known: {', '.join(sorted(there))})",
            f"did you mean '{close[0]}'?" if close else None,
            prompt,
            name,
        )


def _asks_always_the_same(stage: ModelStage) -> Unwired:
    return Unwired(
        stage.name,
        f"stage '{stage.name}': prompt '{stage.prompt}' reads neither the passage nor anything that was made from it: every "
        "passage would be asked the same",
        "write {{ passage }} into it ({text} in a YAML prompt)",
        stage.prompt,
    )


def load_pipeline(path: Path) -> Pipeline:
    """The pipeline of a YAML file.

    Raises: ConfigError with file, line and remedy.

    >>> load_pipeline(Path("pipelines/short_doubt.yaml")).kinds
    ('correct_after_mistake',)
    """
    return validate_pipeline(read_yaml(path))


def validate_pipeline(file: YamlFile) -> Pipeline:
    if not isinstance(file.data, dict):
        raise ConfigError("a pipeline is a mapping with 'name' and 'stages'", file=file.path)
    return file.validate(Pipeline)
