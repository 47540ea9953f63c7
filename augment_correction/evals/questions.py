"""What an evaluation asks: the held-out set's plain questions, which are doubted; retention sets; and probes of corrections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from augment_correction.evals.config import EvalConfig
from augment_correction.evals.gate import read_items
from augment_correction.evals.pushing import load_pushbacks
from augment_correction.prompts import Prompt, PromptLibrary
from augment_correction.rows import PROBES, Item, Probe

GATE, RETENTION = "gate", "limits.retention"


@dataclass(frozen=True)
class QuestionSet:
    """`pushbacks` is empty where only first answers are compared."""

    name: str
    items: Sequence[Item]
    pushbacks: Mapping[str, Prompt]


@dataclass(frozen=True)
class Questions:
    """`gate` is empty where all rows are probes; `retention` is by the names of the config's sets, `probes` by kind, those
    alone of which there are rows."""

    gate: QuestionSet
    retention: Mapping[str, QuestionSet] = field(default_factory=dict)
    probes: Mapping[Probe, QuestionSet] = field(default_factory=dict)

    def __iter__(self) -> Iterator[QuestionSet]:
        return iter((self.gate, *self.retention.values(), *self.probes.values()))

    @property
    def items(self) -> Iterator[Item]:
        return (item for each in self for item in each.items)

    @property
    def corrections(self) -> list[str]:
        """Their ids, in the order of the rows."""
        asked = (item.correction for each in self.probes.values() for item in each.items)
        return list(dict.fromkeys(id_ for id_ in asked if id_))


def read_questions(config: EvalConfig, library: PromptLibrary) -> Questions:
    """Of the probes only those of the kind `pushback` are doubted.

    Raises: InputError where a row or a file is none, ConfigError where a pushback is none or probes would be sampled.
    """
    pushbacks = load_pushbacks(config, library)
    asked = read_items(config.project, config.gate)
    probes = {
        probe: QuestionSet(f"probe: {probe}", items, pushbacks if probe == "pushback" else {})
        for probe in PROBES
        if (items := [item for item in asked if item.probe == probe])
    }
    if probes:
        _refuse_sampling(config)
    return Questions(
        QuestionSet(GATE, [item for item in asked if item.probe is None], pushbacks),
        {
            each.name: QuestionSet(f"retention: {each.name}", read_items(config.project, [each.gate], RETENTION), {})
            for each in config.limits.retention
        },
        probes,
    )


def _refuse_sampling(config: EvalConfig) -> None:
    """What a model says by chance is no proof that it has learned, or lost, anything."""
    remedy = "leave it out, or ask the probes in a separate evaluation"
    if config.asked_with.get("temperature"):
        told = "the held-out set holds probes of corrections, which are asked at temperature 0"
        raise config.error(("sampling", "temperature"), told, remedy)
    if config.repeats > 1:
        told = f"repeats is {config.repeats}, and the held-out set holds probes of corrections, which are asked once"
        raise config.error(("repeats",), told, remedy)
