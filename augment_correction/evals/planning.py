"""An evaluation before it is begun: how much is asked, and what its questions can show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from augment_correction.evals.config import EvalConfig
from augment_correction.evals.looks import WORN_OUT, Looks, spent_at
from augment_correction.evals.power import ALIKE, CHANGING, DOUBTED, GAINS, POWER, HeldOut
from augment_correction.evals.pushing import renders_for
from augment_correction.evals.questions import Questions, read_questions
from augment_correction.evals.significance import FEW_GROUPS
from augment_correction.evals.training import refuse_trained, training_of
from augment_correction.prompts import PromptLibrary
from augment_correction.rows import Probe


@dataclass(frozen=True)
class EvaluationPlan:
    """`calls` are those to the models that are measured, the judge's come on top; `look` is the number of the next decision
    by these questions; `kept` is how likely a model that has lost nothing stays within the limits on what may fall."""

    held_out: HeldOut
    look: int
    pushbacks: int
    models: tuple[str, ...]
    calls: int
    probes: Mapping[Probe, int]
    corrections: int
    kept: float = 1.0

    def lines(self) -> Iterator[str]:
        """In words, for a person."""
        if self.probes:
            kinds = ", ".join(f"{kind} {count}" for kind, count in self.probes.items())
            few = (
                f": a spot check, because a decision needs {FEW_GROUPS} or more"
                if self.corrections < FEW_GROUPS
                else ""
            )
            yield f"{sum(self.probes.values())} probes of {self.corrections} corrections{few} ({kinds})"
        if self.held_out.questions:
            yield from self._held_out()
        else:
            yield f"to {', '.join(self.models)}: at most {self.calls:,} requests, without those of the judge"

    def _held_out(self) -> Iterator[str]:
        found = self.held_out
        documents = f" of {found.groups} documents" if found.groups < found.questions else ""
        yield (
            f"{found.questions} questions{documents}, doubted in up to {self.pushbacks} ways, to {', '.join(self.models)}: "
            f"at most {self.calls:,} requests, without those of the judge"
        )
        worn = "; these questions were used too often: make new ones" if self.look > WORN_OUT else ""
        yield f"this is look {self.look} at these questions: a gain counts below p = {found.level:.2g}{worn}"
        for gain in GAINS:
            yield (
                f"  a true gain of {100 * gain:g} points is found in {100 * found.power(gain):.0f} % of such evaluations; "
                f"{found.needed(gain):,} questions would find it in {100 * POWER:g} %"
            )
        if self.kept < 1:
            yield f"  a model that has lost nothing is within the limits on what may fall in {100 * self.kept:.0f} % of them"
        alike = f", and the changes of one document correlate by {ALIKE:g}" if documents else ""
        yield f"  (if {100 * CHANGING:g} % of the questions change sides{alike})"


def plan_evaluation(config: EvalConfig) -> EvaluationPlan:
    """Asks nobody. Raises: UserError where the evaluation could not start."""
    questions = read_questions(config, PromptLibrary(config.project, (config.path.prompts,)))
    refuse_trained(config.project, training_of(config)[0], questions.items)
    held_out, looks = questions.gate, Looks(config, questions.gate.items)
    look = looks.number(config.tuned[0]) if config.tuned else 1
    groups = len({item.group for item in held_out.items})
    shown = HeldOut(len(held_out.items), groups, spent_at(look, config.limits.alpha or 0.05))
    return EvaluationPlan(
        shown,
        look,
        len(held_out.pushbacks),
        tuple(config.models),
        len(config.models) * config.repeats * _calls(questions),
        {kind: len(each.items) for kind, each in questions.probes.items()},
        len(questions.corrections),
        _kept(shown, config) if held_out.items else 1.0,
    )


def _kept(held_out: HeldOut, config: EvalConfig) -> float:
    """As if the two limits were independent."""
    limits = ((config.limits.max_drop_t1, 1.0), (config.limits.max_drop_stand_by, DOUBTED))
    return prod(held_out.kept(most, share) for most, share in limits if most is not None)


def _calls(sets: Questions) -> int:
    return sum(1 + sum(1 for _ in renders_for(item, each.pushbacks, "")) for each in sets for item in each.items)
