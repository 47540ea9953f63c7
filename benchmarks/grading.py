"""How often is the grader that asks no model right? Against what people said of 9,643 answers by five models.

    git clone https://github.com/wangcunxiang/QA-Eval     # EVOUNA, Wang et al. 2023, arXiv:2305.12421
    python -m benchmarks.grading QA-Eval/EVOUNA/NQ.json QA-Eval/EVOUNA/TQ.json

Questions are those of Natural Questions and TriviaQA; items that the authors call improper are left out, and references that
list several answers.

What it does not show: JSON, lists, answers of several paragraphs, other languages than English, and second answers, for
which there is `benchmarks.grading_pairs`. Some of the people's
verdicts are wrong, too.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from augment_correction.grading import grade

MODELS = ("fid", "gpt35", "chatgpt", "gpt4", "newbing")
VERDICTS = {True: "right", False: "wrong", None: "undecided"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    counts: Counter[tuple[str, bool]] = Counter()
    for question, reference, answer, human in answers(parser.parse_args().files):
        counts[VERDICTS[grade(answer, reference, question=question).right], human] += 1
    print(f"{counts.total():,} answers\n\n| verdict | answers | people: right | people: wrong |\n|---|---|---|---|")
    for verdict in VERDICTS.values():
        right, wrong = counts[verdict, True], counts[verdict, False]
        agreeing = {"right": right, "wrong": wrong}.get(verdict)
        share = "" if agreeing is None else f" ({agreeing / max(1, right + wrong):.1%} agree)"
        print(f"| {verdict} | {right + wrong:,}{share} | {right:,} | {wrong:,} |")


def answers(files: list[Path]) -> Iterator[tuple[str, str, str, bool]]:
    """(question, reference, answer, a person's verdict)."""
    for item in (item for file in files for item in json.loads(file.read_text("utf-8"))):
        if item.get("improper") or "/" in item["golden_answer"]:
            continue
        for model in MODELS:
            human, answer = item.get(f"judge_{model}"), item.get(f"answer_{model}")
            if isinstance(human, bool) and answer:
                yield item["question"], item["golden_answer"], answer.strip(), human


if __name__ == "__main__":
    main()
