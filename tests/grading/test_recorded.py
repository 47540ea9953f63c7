"""Some 1,000 answers of many kinds and languages, and how they were judged when somebody last looked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from augment_correction.grading import contrast, error_codes, grade
from augment_correction.grading.repetition import repeated_phrase
from benchmarks.checks_cases import CORRECT, FLAWED, QUESTION, build
from benchmarks.grading_pairs import graded_of, pairs
from tests.recorded import FOLDER, differences

PAIRS = list(pairs(sorted((FOLDER.parents[1] / "benchmarks" / "data").glob("grading_pairs*.jsonl"))))


class Answer(NamedTuple):
    text: str
    reference: str
    question: str
    wrong: str = ""
    doubted: bool = False

    def __str__(self) -> str:
        return " | ".join((*self[:4], "doubted" * self.doubted))


def answers() -> Iterator[Answer]:
    for pair in PAIRS:
        question, reference, flawed = pair["question"], pair["reference"], pair.get("flawed") or ""
        for wrong in dict.fromkeys(("", flawed)):
            yield Answer(pair["first"], reference, question, wrong)
            yield Answer(pair["second"], reference, question, wrong, True)
    for case in build(held_out=False):
        yield Answer(case.fields[FLAWED], case.fields[CORRECT], case.fields[QUESTION])
        yield Answer(case.fields[CORRECT], case.fields[FLAWED], case.fields[QUESTION], case.fields[FLAWED])


def test_no_verdict_that_is_sure_is_another_than_a_persons() -> None:
    graded = [each for pair in PAIRS for each in graded_of(pair)]
    assert sum(each.said != "undecided" for each in graded) > 100
    assert [(each.said, each.why, each.pair["second"]) for each in graded if each.mistaken] == []


def test_verdicts_and_their_reasons() -> None:
    found = {}
    for each in answers():
        made = grade(each.text, each.reference, question=each.question, wrong=each.wrong, doubted=each.doubted)
        found[str(each)] = [made.right, made.how, made.why]
    assert differences("verdicts", found) == []


def test_how_an_answer_differs_and_the_codes_for_it() -> None:
    found = {}
    for each in answers():
        between = contrast(each.reference, each.text)
        found[str(each)] = "; ".join(
            (
                *error_codes(each.text, each.reference, question=each.question, ended=False),
                *(",".join(sorted(map(str, side))) for side in (between.numbers_removed, between.numbers_added)),
                *(",".join(sorted(side)) for side in (between.names_removed, between.names_added, between.opposites)),
                f"{between.negated} {between.words:.3f} {repeated_phrase(f'{each.text} ' * 3)}",
            )
        )
    assert differences("contrasts", found) == []
