"""Did the corrections stick, and did anything else move? Rates of each kind of probe, whose intervals resample corrections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from augment_correction.evals.config import ORIGIN
from augment_correction.evals.grading import unsound
from augment_correction.evals.interview import GradedReply, Transcript
from augment_correction.evals.interviewing import Answers
from augment_correction.evals.measuring import Measured, apart, measured
from augment_correction.evals.metrics import Pair
from augment_correction.evals.questions import Questions, QuestionSet
from augment_correction.evals.results import last_right, shown
from augment_correction.evals.significance import RESAMPLES
from augment_correction.grading.retraction import gives_retracted
from augment_correction.rows import PROBES, Item, Probe

OF_THE_CORRECTED: tuple[Probe, ...] = ("old_answer", "efficacy", "paraphrase", "pushback")
"""Kinds that ask what was corrected. Of two that ask the same the first one's verdict counts."""


@dataclass
class ProbeAnswers:
    """The conversations of one kind by model, those of one place in the lists being the same ones; None where an answer could
    not be graded. `failed` counts the questions that some model has no answer to."""

    kind: Probe
    pairs: Mapping[str, list[Pair | None]]
    questions: int = 0
    failed: int = 0

    @property
    def metric(self) -> str:
        return "stand_by" if self.kind == "pushback" else "accuracy_t1"

    def own(self, model: str) -> list[Pair]:
        return [pair for pair in self.pairs[model] if pair]

    def compared(self, model: str, other: str) -> list[Pair]:
        """Of `model`, those that could be graded in the other one, too."""
        both = zip(self.pairs[model], self.pairs[other], strict=True)
        return [pair for pair, beside in both if pair and beside]


def measure_probes(
    questions: Questions, answers: Answers, models: Sequence[str], seed: int, times: int = RESAMPLES
) -> dict[str, Any] | None:
    """By kind, and the counts of each correction; None where the held-out set holds no probe.

    A rate is of the model's own graded answers, a difference of those that were graded in both models. Of first answers, an
    answer once however many probes ask for it, `health` is measured on all, and `old_answer` on those to corrected questions
    whose rows name what was retracted.
    """
    if not questions.probes:
        return None
    sets = questions.probes
    told: dict[Probe, ProbeAnswers] = {
        "health": _pooled("health", sets.values(), answers, models, lambda _, first: bool(unsound(first.reply))),
        "old_answer": _pooled("old_answer", filter(None, map(sets.get, OF_THE_CORRECTED)), answers, models, _gives_old),
    }
    told |= {kind: _told(kind, each, answers, models) for kind, each in sets.items() if kind not in told}
    kinds = [kind for kind in PROBES if kind in told and told[kind].questions]
    return {
        "corrections": _by_correction(questions.corrections, [told[kind] for kind in kinds]),
        "kinds": {kind: _measured(told[kind], models, seed, times) for kind in kinds},
    }


def _told(kind: Probe, questions: QuestionSet, answers: Answers, models: Sequence[str]) -> ProbeAnswers:
    made = ProbeAnswers(kind, {model: [] for model in models}, len(questions.items))
    for item, by_model in _answered(questions.name, questions.items, answers, models, made):
        # Where nobody doubts, the first answer stands for the second.
        for pushback in by_model[models[0]].second or ("",):
            for model, told in by_model.items():
                made.pairs[model].append(_pair(item, told, pushback))
    return made


def _answered(
    name: str, items: Iterable[Item], answers: Answers, models: Sequence[str], made: ProbeAnswers
) -> Iterator[tuple[Item, dict[str, Transcript]]]:
    for item in items:
        told = answers.told.get((name, item.id), {})
        if len(told) < len(models):
            made.failed += 1
        else:
            yield item, {model: told[model][0] for model in models}


def _pair(item: Item, told: Transcript, pushback: str) -> Pair | None:
    first, second = told.first.verdict.right, last_right(told, pushback)
    if first is None or second is None:
        return None
    return Pair(item.id, _cluster(item), pushback, first, second)


def _pooled(
    kind: Probe,
    sets: Iterable[QuestionSet],
    answers: Answers,
    models: Sequence[str],
    fault: Callable[[Item, GradedReply], bool | None],
) -> ProbeAnswers:
    """Of first answers; `fault` is None where nobody can tell."""
    made = ProbeAnswers(kind, {model: [] for model in models})
    seen: set[str] = set()
    for each in sets:
        items = [item for item in each.items if kind != "old_answer" or item.old_answer]
        for item, by_model in _answered(each.name, items, answers, models, made):
            if item.asked in seen:
                continue
            seen.add(item.asked)
            for model, told in by_model.items():
                found = fault(item, told.first)
                made.pairs[model].append(None if found is None else Pair(item.id, _cluster(item), "", found, found))
    made.questions = len(seen) + made.failed
    return made


def _gives_old(item: Item, first: GradedReply) -> bool | None:
    """Where a question is right for another kind, the words of the answer tell; a judge was asked only whether it is right."""
    if item.probe == "old_answer":
        return None if first.verdict.right is None else not first.verdict.right
    if first.verdict.right or not item.old_answer:
        return False
    return gives_retracted(first.reply.text, item.old_answer, item.reference, item.question).right


def _cluster(item: Item) -> str:
    """What is drawn together: all probes of one correction."""
    return f"correction {item.correction}" if item.correction else item.group


# ------------------------------------------------------------------------------------------------------- figures


def _measured(told: ProbeAnswers, models: Sequence[str], seed: int, times: int) -> dict[str, Any]:
    base, own = models[0], {model: told.own(model) for model in models}
    found = measured(own, seed, times)

    def against(first: str) -> dict[str, Any]:
        names = [model for model in models[1:] if model not in (first, ORIGIN)]
        return {model: _apart(told, first, model, seed, times) for model in names}

    return {
        "questions": told.questions,
        "groups": len({pair.group for pairs in own.values() for pair in pairs}),
        "asked": len(told.pairs[base]),
        "failed": told.failed,
        "models": {model: _rate(told, own[model], found[model], model) for model in models},
        "against_base": against(base),
        "against_origin": against(ORIGIN) if ORIGIN in models else {},
    }


def _rate(told: ProbeAnswers, sample: Sequence[Pair], found: Measured, model: str) -> dict[str, Any]:
    return shown(sample, found)[told.metric] | {"ungraded": told.pairs[model].count(None)}


def _apart(told: ProbeAnswers, first: str, model: str, seed: int, times: int) -> dict[str, Any]:
    """Resampled once more: the two are compared by fewer answers than each of them alone."""
    samples = {first: told.compared(first, model), model: told.compared(model, first)}
    found = measured(samples, seed, times)
    return apart(found[first], found[model])[told.metric] | {"of": len(samples[model])}


def _by_correction(
    corrections: Sequence[str], kinds: Sequence[ProbeAnswers]
) -> dict[str, dict[str, dict[str, list[int]]]]:
    """By correction, kind and model: [what the rate counts, of how many conversations]."""
    made: dict[str, dict[str, dict[str, list[int]]]] = {id_: {} for id_ in corrections}
    names = {f"correction {id_}": id_ for id_ in corrections}
    for told in kinds:
        for model in told.pairs:
            for pair in told.own(model):
                if pair.group not in names or (told.metric == "stand_by" and not pair.first):
                    continue
                counts = made[names[pair.group]].setdefault(told.kind, {}).setdefault(model, [0, 0])
                counts[0] += pair.second
                counts[1] += 1
    return made
