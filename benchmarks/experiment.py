"""How often does an experiment say SUPPORTED where nothing is to be supported, and where something is?

    .venv/bin/python -m benchmarks.experiment                  # 40 experiments in each line: 10 minutes
    .venv/bin/python -m benchmarks.experiment --worlds 200

A planted world (tests/experiment/world.py): five topics, of which the student is weak at one. What is made up is the student alone:
how much a row teaches it, and by how much two trainings on the same rows differ. The split, the weak areas, the arms, the matching,
the bootstrap, the guards and the verdict are the program's own, so the table says how they behave together.

identical: a row teaches every topic as much, so the arms have identical data but for their words. targeted: a row teaches its topic.

What it does not show: that targeting helps a real model. That is what `experiment run` is for.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.experiment.world import config_of, run_planted

OUTCOMES = ("SUPPORTED", "NOT SUPPORTED", "UNDECIDED")
LINES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("identical, 3 seeds", {"topical": False}, {}),
    ("identical, 3 seeds, 3 rounds", {"topical": False}, {"iterations": 3}),
    ("identical, 5 seeds", {"topical": False}, {"seeds": 5}),
    ("identical, trainings differ by 10 points", {"topical": False, "noise": 0.1}, {}),
    ("targeted, 14 weak dev items", {}, {"per_topic": 40}),
    ("targeted, 28 weak dev items", {}, {"per_topic": 80}),
    ("targeted, 28 items, a third as effective", {"half": 90}, {"per_topic": 80}),
    ("targeted, 28 items, 10 points between trainings", {"noise": 0.1}, {"per_topic": 80}),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=40, help="experiments in each line")
    parser.add_argument("--lines", type=int, default=len(LINES), help="only the first so many lines")
    chosen = parser.parse_args()
    begun = time.process_time()
    print("| world | SUPPORTED | NOT SUPPORTED | UNDECIDED | the weak topic was found |\n|---|---|---|---|---|")
    for name, world, config in LINES[: chosen.lines]:
        counts, found = outcomes(chosen.worlds, world, config)
        shares = " | ".join(f"{100 * counts[outcome] / chosen.worlds:.0f} %" for outcome in OUTCOMES)
        print(f"| {name} | {shares} | {100 * found / chosen.worlds:.0f} % |", flush=True)
    print(f"{chosen.worlds} experiments a line, {time.process_time() - begun:.0f} s of CPU")


def outcomes(worlds: int, world: dict[str, Any], config: dict[str, Any]) -> tuple[Counter[str], int]:
    counts, found = Counter[str](), 0
    for number in range(worlds):
        with tempfile.TemporaryDirectory() as folder:
            made, _ = run_planted(config_of(Path(folder), **config), world=number, **world)
        counts[made.report["hypothesis"]["outcome"]] += 1
        first = made.report["rounds"][0]["areas"]
        found += [each["name"] for each in first if each["chosen"]] == ["hives"]
    return counts, found


if __name__ == "__main__":
    main()
