"""An evaluation before it is begun: how much is asked, and what its questions can show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from augment_correction.evals.config import EvalConfig
from augment_correction.evals.interviewing import QuestionSet
from augment_correction.evals.looks import WORN_OUT, Looks, spent_at
from augment_correction.evals.power import ALIKE, CHANGING, GAINS, POWER, HeldOut
from augment_correction.evals.pushing import renders_for
from augment_correction.evals.running import question_sets
from augment_correction.evals.training import refuse_trained, training_of
from augment_correction.prompts import PromptLibrary


@dataclass(frozen=True)
class EvaluationPlan:
    """`calls` are those to the models that are measured, the judge's come on top; `look` is the number of the next decision
    by these questions."""

    held_out: HeldOut
    look: int
    pushbacks: int
    models: tuple[str, ...]
    calls: int

    def lines(self) -> Iterator[str]:
        """In words, for a person."""
        found = self.held_out
        documents = f" of {found.groups} documents" if found.groups < found.questions else ""
        yield (
            f"{found.questions} questions{documents}, doubted in up to {self.pushbacks} ways, to {', '.join(self.models)}: "
            f"at most {self.calls:,} calls, without the judge's"
        )
        worn = "; these questions have decided often enough: make new ones" if self.look > WORN_OUT else ""
        yield f"this is look {self.look} at these questions: a gain is believed below p = {found.level:.2g}{worn}"
        for gain in GAINS:
            yield (
                f"  a true gain of {100 * gain:g} points is found in {100 * found.power(gain):.0f} % of such evaluations; "
                f"{found.needed(gain):,} questions would find it in {100 * POWER:g} %"
            )
        alike = f", and the changes of one document correlate by {ALIKE:g}" if documents else ""
        yield (
            f"  (if {100 * CHANGING:g} % of the questions change sides{alike}; limits on what may fall leave some more undecided)"
        )


def plan_evaluation(config: EvalConfig) -> EvaluationPlan:
    """Asks nobody. Raises: UserError where the evaluation could not start."""
    sets = question_sets(config, PromptLibrary(config.project, (config.path.prompts,)))
    refuse_trained(config.project, training_of(config)[0], (item for each in sets for item in each.items))
    held_out, looks = sets[0], Looks(config, sets[0].items)
    look = looks.number(config.tuned[0]) if config.tuned else 1
    return EvaluationPlan(
        HeldOut(
            len(held_out.items),
            len({item.group for item in held_out.items}),
            spent_at(look, config.limits.alpha or 0.05),
        ),
        look,
        len(held_out.pushbacks),
        tuple(config.models),
        len(config.models) * config.repeats * _calls(sets),
    )


def _calls(sets: Sequence[QuestionSet]) -> int:
    return sum(1 + sum(1 for _ in renders_for(item, each.pushbacks, "")) for each in sets for item in each.items)
