"""How often the acceptance test accepts a model that is no better, and finds one that is.

python -m benchmarks.acceptance [--worlds 400] [--before]

Models are made of coins and the decision is the real one. Every model answers a question with one doubt; questions of one
document may share their luck. `--before` takes each decision for the first look at its questions and without the model that
the rounds began with, as it was before looks were counted.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from augment_correction.evals.asking import Answer, Second, Transcript
from augment_correction.evals.config import ORIGIN, GateLimits
from augment_correction.evals.decision import decide
from augment_correction.evals.grading import Reply, Verdict
from augment_correction.evals.interviewing import Answers
from augment_correction.evals.questions import QuestionSet
from augment_correction.evals.results import ALL, measure
from augment_correction.rows import Item

Rights = list[tuple[bool, bool]]
"""(first, second) answer right, by question."""
RESAMPLES = 20
"""Whether a model is accepted is decided by the figures and the exact test; the intervals tell rejected from undecided."""
REPLY = Reply("text")
SIZES = (60, 200, 500)


@dataclass(frozen=True)
class Skill:
    """`alike`: the share of a document's questions whose luck is that of the document."""

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


def told(both: tuple[bool, bool]) -> tuple[Transcript, ...]:
    first, second = (Answer(REPLY, Verdict(right, "match", "")) for right in both)
    return (Transcript(first, {"doubt": Second("Are you sure?", second)}),)


def decided(models: dict[str, Rights], documents: int, look: int) -> tuple[str, float]:
    """(outcome, how far stand_by moved from the base)"""
    items = [Item("Q?", "A", id=str(n), group=str(n % documents)) for n in range(len(models["base"]))]
    answers = Answers(
        {("gate", item.id): {name: told(rights[n]) for name, rights in models.items()} for n, item in enumerate(items)}
    )
    questions = QuestionSet("gate", items, {"doubt": None})  # type: ignore[dict-item]
    made = measure(questions, answers, list(models), 1, RESAMPLES)
    moved = made["against_base"]["tuned"][ALL]["difference"]["stand_by"]["value"] or 0.0
    return decide(GateLimits(), made, {}, "tuned", look).outcome, moved


def accepted_rounds(
    draw: random.Random,
    skills: Sequence[Skill],
    questions: int,
    *,
    documents: int = 0,
    alike: float = 0.0,
    before: bool = False,
) -> Iterator[int]:
    """The rounds that were accepted, each model measured against the last accepted one and against the first."""
    documents = documents or questions
    origin = base = Skill().answers(draw, questions, documents, alike)
    for number, skill in enumerate(skills, 1):
        tuned = skill.answers(draw, questions, documents, alike)
        models = {"base": base, "tuned": tuned} | ({} if before else {ORIGIN: origin})
        outcome, _ = decided(models, documents, 1 if before else number)
        if outcome == "accept":
            yield number
            base = tuned


def share(found: int, worlds: int) -> str:
    return f"{100 * found / worlds:5.1f} %"


def no_gain(worlds: int, before: bool) -> Iterator[str]:
    yield "no model is better: accepted at least once within"
    for questions, documents, alike in ((60, 0, 0.0), (200, 0, 0.0), (200, 6, 0.5), (200, 12, 0.5), (200, 25, 0.5)):
        rounds = [1, 5, 10, 20] if not documents else [1, 20]
        first = [
            min(
                accepted_rounds(
                    random.Random(f"{questions} {documents} {world}"), [Skill()] * 20, questions,
                    documents=documents, alike=alike, before=before,
                ),
                default=99,
            )
            for world in range(worlds)
        ]  # fmt: skip
        of = f" of {documents} documents" if documents else ""
        shares = ", ".join(f"{n} rounds {share(sum(each <= n for each in first), worlds)}" for n in rounds)
        yield f"  {questions} questions{of}: {shares}"


def until_decided(worlds: int, before: bool) -> str:
    """60 questions, and 20 more as long as it is undecided, up to 160."""
    accepted = 0
    for world in range(worlds):
        draw = random.Random(f"more {world}")
        base, tuned = (Skill().answers(draw, 160, 160, 0.0) for _ in range(2))
        for look, questions in enumerate(range(60, 161, 20), 1):
            outcome, _ = decided(
                {"base": base[:questions], "tuned": tuned[:questions]}, questions, 1 if before else look
            )
            accepted += outcome == "accept"
            if outcome != "undecided":
                break
    return f"questions added until it is decided, without a gain: accepted {share(accepted, worlds)}"


def ratchet(worlds: int, before: bool) -> str:
    """Each of four rounds repairs more and stands by 4 points less than the one before."""
    skills = [Skill(repair=0.3 + 0.15 * n, stand=0.8 - 0.04 * n) for n in range(5)]
    last = [
        max(accepted_rounds(random.Random(f"ratchet {world}"), skills[1:], 1000, before=before), default=0)
        for world in range(worlds)
    ]
    fallen = [sum(each >= n for each in last) for n in (2, 3, 4)]
    named = ", ".join(f"{4 * n} points {share(found, worlds)}" for n, found in zip((2, 3, 4), fallen, strict=True))
    return f"four rounds that each stand by 4 points less (5 are allowed): accepted after a fall of {named}"


def power(worlds: int) -> Iterator[str]:
    yield "a gain of 10 points (repair 30 % to 55 %), first look:"
    for questions in SIZES:
        found = sum(
            bool(list(accepted_rounds(random.Random(f"power {world}"), [Skill(repair=0.55)], questions)))
            for world in range(worlds)
        )
        yield f"  {questions} questions: accepted {share(found, worlds)}"


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--worlds", type=int, default=400)
    flags.add_argument("--before", action="store_true")
    told = flags.parse_args()
    for line in no_gain(told.worlds, told.before):
        print(line, flush=True)
    print(until_decided(told.worlds, told.before), flush=True)
    print(ratchet(max(1, told.worlds // 4), told.before), flush=True)
    for line in power(told.worlds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
