"""From answers to figures: `evaluation.json` but for the decision. The same answers make the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from augment_correction.evals.config import ORIGIN
from augment_correction.evals.interview import GradedReply, Transcript
from augment_correction.evals.interviewing import Answers
from augment_correction.evals.measuring import Measured, apart, measured, rounded
from augment_correction.evals.metrics import (
    Pair,
    behaviour,
    count,
    discordant,
    gains_by_group,
    majority,
)
from augment_correction.evals.questions import QuestionSet
from augment_correction.evals.significance import RESAMPLES, agreement
from augment_correction.grading.flips import chance_of_gain, mcnemar
from augment_correction.grading.text import words

PROBLEMS = ("empty", "truncated", "refused")
ALL = "all"
"""The name under which the figures of all pushbacks together stand."""


@dataclass(frozen=True)
class Graded:
    """The conversations of one set that could be graded in every model, so that all are measured by the same ones."""

    pairs: Mapping[str, list[Pair]]
    asked: int
    ungraded: int
    failed: int


def graded(questions: QuestionSet, answers: Answers, models: Sequence[str]) -> Graded:
    pairs: dict[str, list[Pair]] = {model: [] for model in models}
    asked = ungraded = failed = 0
    for item in questions.items:
        told = answers.told.get((questions.name, item.id), {})
        if len(told) < len(models):
            failed += 1
            continue
        for conversations in zip(*(told[model] for model in models), strict=True):
            # Where nobody doubts, the first answer stands for the second.
            for pushback in conversations[0].second or ("",):
                asked += 1
                rights = [(one.first.verdict.right, last_right(one, pushback)) for one in conversations]
                if any(None in both for both in rights):
                    ungraded += 1
                    continue
                for model, (first, second) in zip(models, rights, strict=True):
                    pairs[model].append(Pair(item.id, item.group, pushback, bool(first), bool(second)))
    return Graded(pairs, asked, ungraded, failed)


def last_right(told: Transcript, pushback: str) -> bool | None:
    return (told.second[pushback].answer if pushback else told.first).verdict.right


def measure(
    questions: QuestionSet, answers: Answers, models: Sequence[str], seed: int, times: int = RESAMPLES
) -> dict[str, Any]:
    """The figures of each model, all pushbacks together and each of them, and of each tuned model against the base and,
    where there is one, against the origin. Intervals are made of so many `times` resampled."""
    made = graded(questions, answers, models)
    names = [ALL, *questions.pushbacks]
    samples = {(model, name): _of(made.pairs[model], name) for model in models for name in names}
    found = measured(samples, seed, times)
    groups = {pair.group for pair in made.pairs[models[0]]}
    items = {pair.item for pair in made.pairs[models[0]]}
    base = models[0]

    def against(first: str, model: str, name: str) -> dict[str, Any]:
        before, after = samples[first, name], samples[model, name]
        return {
            "difference": apart(found[first, name], found[model, name]),
            "mcnemar_t1": _mcnemar(before, after, second=False),
            "mcnemar_t2": _mcnemar(before, after, second=True),
            "by_chance_t2": {
                "gain": chance_of_gain(gains_by_group(before, after)),
                "loss": chance_of_gain(gains_by_group(after, before)),
            },
        }

    return {
        "questions": len(questions.items),
        "measured": len(items),
        "groups": len(groups),
        "conversations": {"asked": made.asked, "ungraded": made.ungraded},
        "failed": made.failed,
        "models": {
            model: {
                "figures": {name: shown(samples[model, name], found[model, name]) for name in names},
                "behaviour": {name: _behaviour(questions, answers, model, name) for name in names},
                "unusable": _unusable(questions, answers, model),
            }
            for model in models
        },
        "against_base": {model: {name: against(base, model, name) for name in names} for model in models[1:]},
        "against_origin": {
            model: {ALL: against(ORIGIN, model, ALL)} for model in models[1:] if ORIGIN in models and model != ORIGIN
        },
    }


def _of(pairs: Iterable[Pair], pushback: str) -> list[Pair]:
    return [pair for pair in pairs if pushback in (ALL, pair.pushback)]


def shown(sample: Sequence[Pair], found: Measured) -> dict[str, dict[str, Any]]:
    """Shares weigh every question the same; `count` and `of` are conversations."""
    parts = count(sample).parts()
    return {name: made | {"count": parts[name][0], "of": parts[name][1]} for name, made in found.bounds.items()}


def _mcnemar(base: Sequence[Pair], tuned: Sequence[Pair], *, second: bool) -> dict[str, float]:
    """By question: with several pushbacks or repeats, right is what more than half of them came to."""
    gained, lost = discordant(majority(base, second=second), majority(tuned, second=second))
    return {"gained": gained, "lost": lost, "p": mcnemar(gained, lost)}


# ------------------------------------------------------------------------------------------ how it was answered


def _told(questions: QuestionSet, answers: Answers, model: str) -> Iterable[Transcript]:
    for item in questions.items:
        yield from answers.told.get((questions.name, item.id), {}).get(model, ())


def _behaviour(questions: QuestionSet, answers: Answers, model: str, pushback: str) -> dict[str, float | None]:
    both = [
        (words(told.first.reply.text), words(second.answer.reply.text))
        for told in _told(questions, answers, model)
        for name, second in told.second.items()
        if pushback in (ALL, name) and not told.first.reply.problem and not second.answer.reply.problem
    ]
    made = behaviour(both)
    return {"changed": rounded(made.changed), "edit_ratio": rounded(made.edit_ratio)}


def _unusable(questions: QuestionSet, answers: Answers, model: str) -> dict[str, dict[str, int]]:
    """How many first and second answers could not be used; they count as wrong."""
    seen: dict[str, Counter[str | None]] = {"first": Counter(), "second": Counter()}
    for told in _told(questions, answers, model):
        seen["first"][told.first.reply.problem] += 1
        seen["second"].update(second.answer.reply.problem for second in told.second.values())
    return {turn: {problem: counts[problem] for problem in PROBLEMS} for turn, counts in seen.items()}


def agreed(answers: Answers) -> dict[str, Any] | None:
    """The judge against the match on the answers that both graded, the same words about an item once; None where there is
    none."""
    verdicts = {
        (key, answer.reply.text): (answer.verdict.match, answer.verdict.judge) for key, answer in _all_answers(answers)
    }
    both = [(match, judge) for match, judge in verdicts.values() if match is not None and judge is not None]
    made = agreement(both)
    return asdict(made) | {"graded": made.graded, "kappa": rounded(made.kappa)} if both else None


def graded_by(answers: Answers) -> dict[str, int]:
    """How many answers each grader decided; `form` where the held-out set has probes of their form."""
    counts = Counter(answer.verdict.by for _, answer in _all_answers(answers))
    formed = {"form": counts["form"]} if counts["form"] else {}
    return {by: counts[by] for by in ("match", "judge", "problem", "nobody")} | formed


def _all_answers(answers: Answers) -> Iterable[tuple[tuple[str, str], GradedReply]]:
    for key, by_model in answers.told.items():
        for told in (each for conversations in by_model.values() for each in conversations):
            yield key, told.first
            yield from ((key, second.answer) for second in told.second.values())
