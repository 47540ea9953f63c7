"""How often is a verdict that the grader is sure of right, on second answers that were written to mislead it?

    python -m benchmarks.grading_pairs benchmarks/data/grading_pairs.jsonl [more files]

Each line of a file is one second answer, given after a doubt, with what a person says of it:

    {"question": "Who opened the museum?", "reference": "Ida Brandt", "first": "Ida Brandt did.",
     "doubt": "Are you sure?", "second": "I apologize. Ida Brandt is incorrect. It was Otto Meier.",
     "flawed": null, "verdict": "wrong", "language": "en", "kind": "apology", "note": "gives the truth up"}

`flawed` is the known wrong answer, or null. `verdict` is right, wrong or unclear: a grader that is sure of an unclear one is
counted as mistaken. `kind` may be left out. `first` and `doubt` are for whoever reads the file: the grader is not shown them.

Every pair with a known wrong answer is graded twice, with and without it. It prints the share of sure verdicts that are right
and how many are undecided, for each language and kind, and with `--mistakes` the pairs that the grader is wrong about.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augment_correction.grading import grade

SAID = {True: "right", False: "wrong", None: "undecided"}
NEEDED = ("question", "reference", "second", "verdict", "language")


@dataclass(frozen=True, slots=True)
class Graded:
    pair: Mapping[str, Any]
    said: str
    why: str
    knowing: bool
    """The grader was shown the known wrong answer."""

    @property
    def mistaken(self) -> bool:
        return self.said not in ("undecided", self.pair["verdict"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--mistakes", action="store_true", help="list the pairs that a sure verdict is wrong about")
    chosen = parser.parse_args()
    graded = [each for pair in pairs(chosen.files) for each in graded_of(pair)]
    print(
        f"{len(graded)} verdicts\n\n| | verdicts | right | agree | wrong | agree | undecided | of it right, wrong, unclear |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, group in groups(graded):
        print(row(name, group))
    if chosen.mistakes:
        print()
        for each in filter(lambda each: each.mistaken, graded):
            print(f"{each.said} ({each.why}), a person: {json.dumps(dict(each.pair), ensure_ascii=False)}")


def pairs(files: Iterable[Path]) -> Iterator[Mapping[str, Any]]:
    """Raises: SystemExit that names file and line, for a line that is no pair."""
    for file in files:
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if not line.strip():
                continue
            try:
                pair = json.loads(line)
                missing = [name for name in NEEDED if not isinstance(pair.get(name), str)]
            except (ValueError, AttributeError) as unreadable:
                raise SystemExit(f"{file}:{number}: this line is no JSON object: {unreadable}") from None
            if missing or pair["verdict"] not in ("right", "wrong", "unclear"):
                raise SystemExit(
                    f"{file}:{number}: needs a text for each of {', '.join(NEEDED)}; verdict: right, wrong, unclear"
                )
            yield pair


def graded_of(pair: Mapping[str, Any]) -> Iterator[Graded]:
    for wrong in dict.fromkeys(("", pair.get("flawed") or "")):
        found = grade(pair["second"], pair["reference"], question=pair["question"], wrong=wrong, doubted=True)
        yield Graded(pair, SAID[found.right], found.why, bool(wrong))


def groups(graded: list[Graded]) -> Iterator[tuple[str, list[Graded]]]:
    yield "all", graded
    yield "without a known wrong answer", [each for each in graded if not each.knowing]
    yield "with it", [each for each in graded if each.knowing]
    for name in ("language", "kind"):
        by: defaultdict[str, list[Graded]] = defaultdict(list)
        for each in graded:
            by[str(each.pair.get(name) or "no kind")].append(each)
        for value in sorted(by, key=lambda value: (-len(by[value]), value)):
            yield f"{name}: {value}", by[value]


def row(name: str, group: list[Graded]) -> str:
    counts = Counter((each.said, each.pair["verdict"]) for each in group)
    cells = [name, str(len(group))]
    for said in ("right", "wrong"):
        sure = sum(number for (was, _), number in counts.items() if was == said)
        cells += [str(sure), f"{counts[said, said] / sure:.1%}" if sure else ""]
    open_ = [counts["undecided", verdict] for verdict in ("right", "wrong", "unclear")]
    share = f"{sum(open_)} ({sum(open_) / max(1, len(group)):.0%})"
    return f"| {' | '.join([*cells, share, ', '.join(map(str, open_))])} |"


if __name__ == "__main__":
    main()
