"""How often the acceptance test accepts a model that is no better, and finds one that is.

python -m benchmarks.acceptance [--worlds 400]

Models are made of coins and the decision is the real one. Every model answers a question with one doubt; questions of one
document may share their luck. `before` takes each decision for the first look at its questions and without the model that
the rounds began with, as it was before looks were counted. A decision whose exact test is not passed is not worked out: it
accepts nothing whatever the limits say. 400 worlds take about three minutes of one core.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from augment_correction.evals.config import ORIGIN, GateLimits
from augment_correction.evals.decision import decide
from augment_correction.evals.grading import Reply, Verdict
from augment_correction.evals.interview import GradedReply, Second, Transcript
from augment_correction.evals.interviewing import Answers
from augment_correction.evals.looks import spent_at
from augment_correction.evals.measuring import apart, measured
from augment_correction.evals.metrics import Pair
from augment_correction.evals.probes import measure_probes
from augment_correction.evals.questions import Questions, QuestionSet
from augment_correction.evals.results import measure
from augment_correction.grading.flips import chance_of_gain
from augment_correction.rows import Item

Rights = list[tuple[bool, bool]]
"""(first, second) answer right, by question."""
RESAMPLES = 20
"""Whether a model is accepted is decided by the figures and the exact test; the intervals tell rejected from undecided."""
COVERING = 400
"""Draws where the interval itself is looked at."""
REPLY = Reply("text")
ROUNDS = (1, 5, 10, 20)
SETS = ((60, 60, 0.0), (200, 200, 0.0), (200, 6, 0.5), (200, 12, 0.5), (200, 25, 0.5), (200, 12, 0.9))
"""(questions, documents, share of a document's questions whose luck is that of the document)"""
LIMITS = GateLimits()


@dataclass(frozen=True)
class Skill:
    first: float = 0.6
    repair: float = 0.3
    stand: float = 0.8

    def answers(self, draw: random.Random, questions: int, documents: int, alike: float) -> Rights:
        made: Rights = []
        luck = [[draw.random() for _ in range(2)] for _ in range(documents)]
        for number in range(questions):
            shared = draw.random() < alike
            one, two = luck[number % documents] if shared else (draw.random(), draw.random())
            right = one < self.first
            made.append((right, two < (self.stand if right else self.repair)))
        return made


@cache
def told(both: tuple[bool, bool]) -> tuple[Transcript, ...]:
    first, second = (GradedReply(REPLY, Verdict(right, "match", "")) for right in both)
    return (Transcript(first, {"doubt": Second("Are you sure?", second)}),)


def outcome_of(models: dict[str, Rights], documents: int, look: int) -> str:
    """`undecided` without more where the exact test is not passed: `accept` is what is counted."""
    sums = [0] * documents
    for number, (before, after) in enumerate(zip(models["base"], models["tuned"], strict=True)):
        sums[number % documents] += after[1] - before[1]
    if chance_of_gain(sums) >= spent_at(look, LIMITS.alpha or 1.0):
        return "undecided"
    items = [Item("Q?", "A", id=str(n), group=str(n % documents)) for n in range(len(models["base"]))]
    answers = Answers(
        {("gate", item.id): {name: told(rights[n]) for name, rights in models.items()} for n, item in enumerate(items)}
    )
    questions = QuestionSet("gate", items, {"doubt": None})  # type: ignore[dict-item]
    made = measure(questions, answers, list(models), 1, RESAMPLES)
    return decide(LIMITS, made, {}, "tuned", look).outcome


def accepted_rounds(
    draw: random.Random, skills: Sequence[Skill], questions: int, documents: int, alike: float, *, before: bool
) -> Iterator[int]:
    """The rounds that were accepted, each model measured against the last accepted one and against the first."""
    origin = base = Skill().answers(draw, questions, documents, alike)
    for number, skill in enumerate(skills, 1):
        tuned = skill.answers(draw, questions, documents, alike)
        models = {"base": base, "tuned": tuned} | ({} if before else {ORIGIN: origin})
        if outcome_of(models, documents, 1 if before else number) == "accept":
            yield number
            base = tuned


def share(found: int, worlds: int) -> str:
    return f"{100 * found / worlds:.1f} %"


def table(title: str, header: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    yield f"\n{title}\n"
    yield f"| {' | '.join(header)} |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def no_gain(worlds: int) -> Iterator[Sequence[str]]:
    for questions, documents, alike in SETS:
        for before in (True, False):
            first = []
            for world in range(worlds):
                draw = random.Random(f"{questions} {documents} {alike} {world}")
                rounds = accepted_rounds(draw, [Skill()] * ROUNDS[-1], questions, documents, alike, before=before)
                first.append(next(rounds, 99))
            of = f", {documents} documents, {100 * alike:g} % alike" if alike else ""
            counted = "each look taken for the first" if before else "looks counted"
            yield (
                f"{questions} questions{of}, {counted}",
                *(share(sum(each <= n for each in first), worlds) for n in ROUNDS),
            )


def until_decided(worlds: int) -> Iterator[Sequence[str]]:
    """60 questions, and 20 more as long as it is not accepted, up to 160."""
    for before in (True, False):
        accepted = 0
        for world in range(worlds):
            draw = random.Random(f"more {world}")
            base, tuned = (Skill().answers(draw, 160, 160, 0.0) for _ in range(2))
            looks = enumerate(range(60, 161, 20), 1)
            accepted += any(
                outcome_of({"base": base[:count], "tuned": tuned[:count]}, count, 1 if before else look) == "accept"
                for look, count in looks
            )
        yield "each look taken for the first" if before else "looks counted", share(accepted, worlds)


def ratchet(worlds: int) -> Iterator[Sequence[str]]:
    """Each of four rounds repairs more and stands by 4 points less than the one before."""
    skills = [Skill(repair=0.3 + 0.15 * n, stand=0.8 - 0.04 * n) for n in range(1, 5)]
    for before in (True, False):
        last = [
            max(accepted_rounds(random.Random(f"ratchet {world}"), skills, 1000, 1000, 0.0, before=before), default=0)
            for world in range(worlds)
        ]
        fallen = (sum(each >= n for each in last) for n in (1, 2, 3, 4))
        yield (
            "against the parent alone" if before else "and against the first",
            *(share(each, worlds) for each in fallen),
        )


def power(worlds: int) -> Iterator[Sequence[str]]:
    for questions, documents, alike in ((60, 60, 0.0), (200, 200, 0.0), (200, 25, 0.5), (500, 500, 0.0)):
        shares = []
        for repair, look in ((0.425, 1), (0.55, 1), (0.55, 5), (0.8, 1)):
            found = 0
            for world in range(worlds):
                draw = random.Random(f"power {questions} {documents} {world}")
                base, tuned = (
                    skill.answers(draw, questions, documents, alike) for skill in (Skill(), Skill(repair=repair))
                )
                found += outcome_of({"base": base, "tuned": tuned}, documents, look) == "accept"
            shares.append(share(found, worlds))
        of = f", {documents} documents" if documents < questions else ""
        yield f"{questions} questions{of}", *shares


def coverage(worlds: int) -> Iterator[Sequence[str]]:
    """Two models of one skill: their difference is nothing, and the interval should hold that in 95 of 100."""
    for documents in (5, 6, 10, 19, 20, 40):
        held = 0
        for world in range(worlds):
            draw = random.Random(f"coverage {documents} {world}")
            samples = {
                name: [
                    Pair(str(number), str(number % documents), "doubt", *both)
                    for number, both in enumerate(Skill().answers(draw, 10 * documents, documents, 0.5))
                ]
                for name in ("base", "tuned")
            }
            found = measured(samples, world, COVERING)
            gap = apart(found["base"], found["tuned"])["accuracy_t2"]
            low, high = gap["low"], gap["high"]
            held += low is not None and high is not None and low <= 0 <= high
        yield f"{documents} documents of 10 questions", share(held, worlds)


def probes(worlds: int) -> Iterator[Sequence[str]]:
    """Paraphrases of each correction, three of each, half of the luck that of the correction; the limit is min_rate 0.8."""
    for corrections in (5, 10, 20, 50):
        shares = []
        for skill in (0.95, 0.8, 0.7, 0.5):
            outcomes = [
                _probed(random.Random(f"probes {corrections} {skill} {n}"), corrections, skill) for n in range(worlds)
            ]
            shares.append(f"{share(outcomes.count('accept'), worlds)}, {share(outcomes.count('reject'), worlds)}")
        yield f"{corrections} corrections", *shares


def _probed(draw: random.Random, corrections: int, skill: float) -> str:
    items = [
        Item(f"{n} {k}?", "A", probe="paraphrase", correction=str(n)) for n in range(corrections) for k in range(3)
    ]
    luck = [draw.random() for _ in range(corrections)]
    rights = [(luck[n] if draw.random() < 0.5 else draw.random()) < skill for n in range(corrections) for _ in range(3)]
    asked = QuestionSet("probe: paraphrase", items, {})
    answers = Answers({
        (asked.name, item.id): {"base": _first(False), "tuned": _first(right)}
        for item, right in zip(items, rights, strict=True)
    })  # fmt: skip
    found = measure_probes(
        Questions(QuestionSet("gate", (), {}), {}, {"paraphrase": asked}), answers, ["base", "tuned"], 1, 200
    )
    empty = measure(QuestionSet("gate", (), {}), answers, ["base", "tuned"], 1, 1)
    reasons = decide(LIMITS, empty, {}, "tuned", probes=found).reasons
    holds = next(reason.holds for reason in reasons if reason.text.startswith("paraphrase: "))
    return {True: "accept", False: "reject", None: "undecided"}[holds]


@cache
def _first(right: bool) -> tuple[Transcript, ...]:
    return (Transcript(GradedReply(REPLY, Verdict(right, "match", ""))),)


def tables(worlds: int) -> Iterator[str]:
    few = max(1, worlds // 4)
    of = f"({worlds} worlds)"
    rounds = [f"round {n}" for n in ROUNDS]
    yield from table(f"No model is better; accepted at least once up to {of}:", ("", *rounds), no_gain(worlds))
    yield from table(
        f"20 questions added until it is accepted, without a gain {of}:", ("", "accepted"), until_decided(worlds)
    )
    fallen = [f"round {n}: {4 * n} points" for n in (1, 2, 3, 4)]
    yield from table(
        f"Each round stands by 4 points less, 5 are allowed; accepted as far as ({few} worlds):",
        ("", *fallen),
        ratchet(few),
    )
    gains = ("", "gain of 5 points", "10 points", "10 points, look 5", "20 points")
    yield from table(f"A true gain of right second answers, accepted {of}:", gains, power(worlds))
    yield from table(
        f"The 95 % interval of a difference holds the truth, half of the luck that of the document {of}:",
        ("", "held"),
        coverage(worlds),
    )
    rates = ("", "true rate 95 %", "80 %", "70 %", "50 %")
    yield from table(f"A limit of 80 % on a kind of probe: held, broken ({few} worlds):", rates, probes(few))


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--worlds", type=int, default=400)
    told = flags.parse_args()
    began = time.process_time()
    for line in tables(told.worlds):
        print(line, flush=True)
    print(f"\n{time.process_time() - began:.0f} seconds of one core")


if __name__ == "__main__":
    main()
