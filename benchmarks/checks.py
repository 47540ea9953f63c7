"""How well the free checks see what is wrong: conversations with known faults, put together by program.

    python -m benchmarks.checks                    the held-out wordings and facts, as a Markdown table
    python -m benchmarks.checks --develop          those that the checks were tuned on
    python -m benchmarks.checks --json F --show    the figures as JSON; each wrong finding on a line

A check may fire on its own kind of fault alone: on a good row, and on a row with another fault, it is wrong. Rows that
truly have two faults (`ALSO`) are counted neither way for the second one, and shown.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from augment_correction.declarations import CheckSpec
from augment_correction.errors import Reject
from augment_correction.stages.checks import run_checks
from augment_correction.stages.checks.language import words_of
from augment_correction.stages.checks.wording import stems
from augment_correction.text.language import likeliest, probabilities
from benchmarks.checks_cases import CORRECT, DOUBT, FLAWED, QUESTION, Case, Fault, build

__all__ = ["Case", "Fault", "build"]

ALL = (QUESTION, FLAWED, DOUBT, CORRECT)
SPECS: dict[str, tuple[CheckSpec, Fault]] = {
    "differ": (CheckSpec(check="differ", fields=(FLAWED, CORRECT, QUESTION)), "paraphrase"),
    "stands_alone": (CheckSpec(check="stands_alone", fields=ALL), "mentions_text"),
    "no_links": (CheckSpec(check="no_links", fields=ALL), "has_link"),
    "no_tags": (CheckSpec(check="no_tags", fields=ALL), "leftover_tag"),
    "complete": (CheckSpec(check="complete", fields=(FLAWED, CORRECT)), "cut_off"),
    "no_refusal": (CheckSpec(check="no_refusal", fields=(FLAWED, CORRECT)), "refusal"),
    "language": (CheckSpec(check="language", fields=ALL), "wrong_language"),
    "no_giveaway": (CheckSpec(check="no_giveaway", fields=(DOUBT, CORRECT, FLAWED, QUESTION)), "gives_away"),
    "length": (CheckSpec(check="length", fields=(FLAWED, CORRECT), words=(2, 250)), "length"),
}
ALSO: dict[tuple[str, Fault], str] = {
    ("complete", "length"): 'an answer of "." is also not whole',
    ("complete", "leftover_tag"): "a tag at the end stands where the full stop was",
    ("differ", "cut_off"): "what differs may be what was cut off",
    ("differ", "length"): "an answer that only apologises says nothing that differs",
    ("differ", "refusal"): "a refusal says nothing that differs",
}


class Score(NamedTuple):
    right: int
    missed: int
    wrong_on_good: int
    wrong_on_other: int
    also: int

    @property
    def precision(self) -> float:
        fired = self.right + self.wrong_on_good + self.wrong_on_other
        return self.right / fired if fired else 0.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed)

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def fires(spec: CheckSpec, case: Case) -> str:
    try:
        run_checks([spec], case.fields)
    except Reject as reject:
        return reject.detail
    return ""


def measure(cases: Sequence[Case], show: bool) -> dict[str, Score]:
    scores: dict[str, Score] = {}
    for name, (spec, own) in SPECS.items():
        counts: Counter[str] = Counter()
        for case in cases:
            detail = fires(spec, case)
            outcome = _outcome(name, own, case, bool(detail))
            counts[outcome] += 1
            if show and outcome not in ("right", "quiet", "also"):
                print(
                    f"{name} {outcome} [{case.fault}, {case.language}] {detail or [case.fields[f] for f in spec.fields]}"
                )
        scores[name] = Score(*(counts[key] for key in ("right", "missed", "wrong_on_good", "wrong_on_other", "also")))
    return scores


def _outcome(name: str, own: Fault, case: Case, fired: bool) -> str:
    if case.fault == own:
        return "right" if fired else "missed"
    if not fired:
        return "quiet"
    if case.fault is None:
        return "wrong_on_good"
    return "also" if (name, case.fault) in ALSO else "wrong_on_other"


def microseconds(cases: Sequence[Case], names: Sequence[str]) -> float:
    """Processor time per conversation of all the named checks, none stopped by an earlier one, nothing remembered."""
    specs = [SPECS[name][0].model_copy(update={"at_least": 0.0}) for name in names]
    run_checks(specs, cases[0].fields)
    spent = 0.0
    for case in cases:
        for remembering in (stems, likeliest, probabilities, words_of):
            remembering.cache_clear()
        started = time.thread_time()
        run_checks(specs, case.fields)
        spent += time.thread_time() - started
    return spent / len(cases) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--develop", action="store_true")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    cases = build(chosen.seed, held_out=not chosen.develop)
    scores = measure(cases, chosen.show)
    faults = Counter(case.fault or "good" for case in cases)
    print(f"{len(cases)} conversations, {faults['good']} of them good: {dict(faults)}\n")
    print(
        "| check | fires on | precision | recall | F1 | caught | missed | wrong: good rows | wrong: other faults | also | us |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, score in scores.items():
        figures = f"{score.precision:.2f} | {score.recall:.2f} | {score.f1:.2f} | " + " | ".join(map(str, score))
        print(f"| {name} | {SPECS[name][1]} | {figures} | {microseconds(cases, [name]):.0f} |")
    rest = [name for name in SPECS if name != "language"]
    print(
        f"\nall but language: {microseconds(cases, rest):.0f} us a conversation; all: {microseconds(cases, list(SPECS)):.0f} us"
    )
    if chosen.json:
        chosen.json.write_text(
            json.dumps(
                {n: {**s._asdict(), "precision": s.precision, "recall": s.recall} for n, s in scores.items()}, indent=1
            )
        )


if __name__ == "__main__":
    main()
