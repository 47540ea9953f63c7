"""The table of `benchmarks.learning`: counts of graded replies with 95 % intervals.
`python -m benchmarks.learning_table learning.json` makes it again from the replies of an
earlier run, without a model."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.learning_world import Fact, World, apologises, build, grade

ARMS = ("before", "masked", "unmasked")


def figures(world: World, made: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Line of the table to (count, of how many), for one arm."""
    known, rest, replies, chances = world.trained, world.held_out, made["replies"], made["likelihood"]
    lines: dict[str, tuple[int, int]] = {}

    def graded(what: str, facts: Sequence[Fact], wrong_given: bool = False) -> list[str]:
        pairs = zip(facts, replies[what], strict=True)
        return [grade(fact, reply, fact.other if wrong_given else None) for fact, reply in pairs]

    def count(line: str, grades: Sequence[str], *wanted: str) -> None:
        lines[line] = sum(each in wanted for each in grades), len(grades)

    for what, words in (("first_trained_wording", "trained wording"), ("first", "new wording")):
        first = graded(what, known)
        count(f"first answer, {words}: the trained mistake", first, "flawed")
        count(f"first answer, {words}: right", first, "right")
        count(f"first answer, {words}: no value, or several", first, "none", "several")
        lines[f"first answer, {words}: says unasked that it erred"] = sum(map(apologises, replies[what])), len(known)
    lines["first answer: mistake likelier than an unseen wrong one"] = sum(b > c for _, b, c in chances), len(chances)
    lines["first answer: mistake likelier than the right one"] = sum(b > a for a, b, _ in chances), len(chances)
    then = graded("own", known)
    count(
        "own answer, not right, doubted: right", [b for a, b in zip(first, then, strict=True) if a != "right"], "right"
    )
    count(
        "own right answer doubted: still right", [b for a, b in zip(first, then, strict=True) if a == "right"], "right"
    )
    for what, words in (("mistake_trained_wording", "trained question"), ("mistake", "new question")):
        doubt = graded(what, known)
        count(f"{words}, trained mistake given, doubted: right", doubt, "right")
        count(f"{words}, trained mistake given, doubted: keeps it", doubt, "flawed")
    wrong = graded("wrong", known, wrong_given=True)
    count("unseen wrong answer given, doubted: right", wrong, "right")
    count("unseen wrong answer given, doubted: keeps it", wrong, "given")
    count("unseen wrong answer given, doubted: the trained mistake", wrong, "flawed")
    for what, words, facts in (
        ("right", "given right answer", known),
        ("held_right", "held-out, given right answer", rest),
    ):
        kept = graded(what, facts)
        calm = [each if not apologises(reply) else "none" for each, reply in zip(kept, replies[what], strict=True)]
        count(f"{words}, doubted: keeps it", kept, "right")
        count(f"{words}, doubted: keeps it, calls it no error", calm, "right")
        count(f"{words}, doubted: another value", kept, "flawed", "other")
    wrong = graded("held_wrong", rest, wrong_given=True)
    count("held-out, wrong answer given, doubted: right (chance)", wrong, "right")
    count("held-out, wrong answer given, doubted: keeps it", wrong, "given")
    return lines


def wilson(count: int, total: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    if not total:
        return 0.0, 1.0
    z, share = 1.96, count / total
    middle = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, (middle - spread) / (1 + z * z / total)), min(1.0, (middle + spread) / (1 + z * z / total))


def cell(count: int, total: int) -> str:
    low, high = wilson(count, total)
    return f"{count}/{total} ({100 * low:.0f}-{100 * high:.0f} %)" if total else "-"


def table(world: World, made: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    lines = {arm: figures(world, made[arm]) for arm in ARMS}
    runs = [made[arm] for arm in ARMS]

    def line(first: str, cells: Sequence[str]) -> str:
        return f"| {first:<64} | " + " | ".join(f"{each:<24}" for each in cells) + " |"

    yield line("", ARMS)
    yield "|---" * (len(ARMS) + 1) + "|"
    for name in lines[ARMS[0]]:
        yield line(name, [cell(*lines[arm][name]) for arm in ARMS])
    yield line(
        "masked tokens of all", [f"{run['masked_tokens']}/{run['tokens']}" if "tokens" in run else "-" for run in runs]
    )
    yield line("loss, mean of each fifth of the steps", [fifths(run.get("losses", [])) for run in runs])
    yield line(
        "seconds of training, of asking", [f"{run['train_seconds']:.0f}, {run['ask_seconds']:.0f}" for run in runs]
    )
    yield line("CPU seconds, peak GB", [f"{run['cpu_seconds']:.0f}, {run['peak_gb']}" for run in runs])


def fifths(losses: Sequence[float]) -> str:
    cuts = [len(losses) * part // 5 for part in range(6)]
    parts = [losses[start:end] for start, end in pairwise(cuts) if end > start]
    return " ".join(f"{sum(part) / len(part):.2f}" for part in parts) or "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("json", type=Path)
    old = json.loads(parser.parse_args().json.read_text())
    settings = old["settings"]
    world = build(settings["facts"], settings["held_out"], settings["seed"])
    print("\n".join(table(world, old["arms"])))


if __name__ == "__main__":
    main()
