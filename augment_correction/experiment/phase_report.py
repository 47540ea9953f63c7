"""What a person is told while an experiment runs: six phases, their figures, the verdict with its reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from augment_correction.evals.decision import marked
from augment_correction.experiment.config import TARGETED
from augment_correction.text.excerpts import counted

PHASES = {
    1: "Baseline Evaluation",
    2: "Identify Model Weaknesses",
    3: "Generate Targeted Training Data",
    4: "Train on Error-Driven Data",
    5: "Post-Training Evaluation",
    6: "Decide",
}
WORDS = {"accept": "ACCEPT", "reject": "REJECT", "undecided": "UNDECIDED"}


class PhaseReport:
    """`say` prints one line of the result, `tell` one of the progress."""

    def __init__(self, say: Callable[[str], None], tell: Callable[[str], None], weak_by: str, threshold: float) -> None:
        self._say, self._tell = say, tell
        self._weak_by = f"perplexity > {threshold:g}" if weak_by == "perplexity" else weak_by
        self._rounds = 1
        self._seconds: dict[str, float] = {}
        self._before: Mapping[str, Any] = {}

    def __call__(self, name: str, figures: Mapping[str, Any]) -> None:
        handler = getattr(self, f"_{name}", None)
        if handler is not None:
            handler(figures)

    def _sealed(self, sealed: Mapping[str, Any]) -> None:
        self._rounds = sealed["rounds"]
        sets = ", ".join(f"{name} {each['items']}" for name, each in sealed["sets"].items())
        self._say(f"Hypothesis: {sealed['hypothesis']}")
        self._say(
            f"Sealed: {sets} questions; decided by {sealed['primary_figure']}, alpha {sealed['alpha_of_each_round']:.3g} a round"
        )

    def _phase(self, figures: Mapping[str, Any]) -> None:
        number, of = figures["number"], figures["round"]
        if number == 1 and self._rounds > 1:
            self._say(f"\nRound {of} of {self._rounds}")
        self._say(f"\nPhase {number}: {PHASES[number]}")

    def _baseline(self, base: Mapping[str, Any]) -> None:
        self._before = base
        if base["perplexity"] is not None:
            self._say(f"   Test Perplexity: {base['perplexity']:.2f}")
        self._say(f"   Right answers: {base['right']} of {base['graded']}")
        if base["diversity"]:
            self._say(f"   Diversity (distinct-2): {base['diversity']['distinct_2']:.2f}")

    def _weak(self, found: Mapping[str, Any]) -> None:
        self._say(
            f"   Found {counted(len(found['areas']), 'weak area')}: {found['weak']} of {found['probed']} items are weak ({self._weak_by})"
        )
        for each in found["areas"]:
            self._say(f"     {each['name']}: {each['weak']} of {each['items']}")
        if found["bad_references"]:
            self._say(
                f"   {found['bad_references']} reference answers are unlikely even beside their passage: reported, not trained"
            )

    def _data(self, made: Mapping[str, Any]) -> None:
        for name, each in made["arms"].items():
            what = "targeted" if name == TARGETED else name
            self._say(
                f"   Generated {each['generated']} {what} examples, {each['rows']} trained ({each['tokens']:,} tokens)"
            )
        if made["in_both_arms"]:
            self._say(f"   {made['in_both_arms']} rows are in both arms: a larger pool (sets.pool) keeps them apart")
        if made["lost"]:
            self._say(
                "   left out: " + ", ".join(f"{count} {reason}" for reason, count in sorted(made["lost"].items()))
            )

    def _training(self, figures: Mapping[str, Any]) -> None:
        self._tell(f"training {figures['arm']}, seed {figures['seed']}")

    def _trained(self, figures: Mapping[str, Any]) -> None:
        arm = figures["arm"]
        self._say(f"   Training of {arm} (seed {figures['seed']}) completed in {figures['seconds']:.0f} s")

    def _after(self, figures: Mapping[str, Any]) -> None:
        for title, base, arms in (("", "base", "arms"), (" on weak areas", "weak_base", "weak_arms")):
            before = figures[base]
            for arm, after in figures[arms].items():
                self._compare(f"{arm}{title}", before, after)

    def _compare(self, what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        if before["accuracy"] is not None and after["accuracy"] is not None:
            self._say(f"   {what}: right answers {100 * before['accuracy']:.1f} % -> {100 * after['accuracy']:.1f} %")
        if before["perplexity"] is None or after["perplexity"] is None:
            return
        self._say(f"   {what}: Test Perplexity: {before['perplexity']:.2f} -> {after['perplexity']:.2f}")
        percent = 100 * (1 - after["perplexity"] / before["perplexity"])
        word = "improved" if percent >= 0 else "got worse"
        self._say(f"     Perplexity {word} by {abs(percent):.1f} %")

    def _judged(self, judged: Mapping[str, Any]) -> None:
        for reason in judged["reasons"]:
            self._say(f"   {marked(reason)}")
        self._say(f"   Decision about the model: {WORDS[judged['model']]}")
        for reason in judged["guards"]:
            self._say(f"   {marked(reason)}")

    def _ended(self, figures: Mapping[str, Any]) -> None:
        self._say(f"\nNo further round: {figures['why']}")

    def _concluded(self, report: Mapping[str, Any]) -> None:
        if report["unverified"]:
            self._say("\nThe student wrote its training data itself, and no other model verified them.")
        if final := report["final"]:
            self._say(f"\nFinal set, opened once ({final['items']} questions of the weak areas):")
            for name, each in final["differences"].items():
                self._say(f"   {name}: {each['value']:+.4f}" if each else f"   {name}: not known")
        found = report["hypothesis"]
        self._say(f"\nHYPOTHESIS {found['outcome']}\n  {found['why']}")
