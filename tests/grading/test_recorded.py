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


ASKED = [
    ("When does it open?", "9 pm", "9 am"), ("When does it open?", "21:30", "9:30 pm"), ("Wann?", "13 Uhr", "1 pm"),
    ("How long is it?", "1.5 km", "1,500 m"), ("How long is it?", "12 m", "13 m"), ("How heavy is it?", "5 kg", "5 miles"),
    ("How many arches has it?", "150", "1,500"), ("How many arches has it?", "twelve", "a dozen"), ("How many?", "99", "98"),
    ("How many people?", "3 million", "3"), ("What does it cost?", "$1,200", "$12,000"), ("What is 2 - 7?", "-5", "5"),
    ("Which share?", "75 %", "three quarters"), ("Which share?", "1/3", "33 %"), ("Which version?", "1.1", "1.10"),
    ("When was it?", "4 March 1956", "1956-03-04"), ("When was it?", "March 1956", "1965"), ("In which year?", "1889", "1890"),
    ("Who built it?", "Ida Brandt", "Otto Meier"), ("Who was her teacher?", "Brandt", "Brandt's pupil"), ("Where?", "Lyon", "Paris"),
    ("Which country is it?", "UK", "the United Kingdom"), ("Which country is it?", "Netherlands", "Belgium"),
    ("Is it of iron?", "yes", "no"), ("Is it of iron or of copper?", "iron", "copper"), ("Is the gate open?", "true", "false"),
    ("What is it made of?", "iron oxide", "iron"), ("What was the score?", "2:1", "1:2"), ("Which two?", "Lyon and Paris", "Paris and Lyon"),
    ("What are its parts?", '["a", 1]', '["a", 2]'), ("Which city is not the capital?", "York", "New York"),
    ("Wer baute es?", "Ida Brandt", "Otto Meier"), ("Wie viele sind es?", "fünfzehn", "15"), ("Combien sont-ils ?", "cent cinquante", "150"),
    ("¿Quién lo hizo?", "Ida Brandt", "Otto Meier"), ("首都はどこですか。", "東京", "大阪"), ("Кто это?", "Ида Брандт", "Отто Майер"),
]  # fmt: skip
STATE = ["{}", "It is {}.", "It's {}, not {other}.", "Sorry, it is {}.", "You are right, it is {}.", "**{}**", "Answer: {}", "Es ist {}.",
         "C'est {}, pas {other}.", "{} is the answer, and I never said {other}."]  # fmt: skip
STATE_THE_OTHER = ["It is not {}, it is {other}.", "I said {}, but it is {other}."]
STATE_NEITHER = ["Not {}.", "{} or {other}", "the {}-{other} line", "Some say {}, others {other}.", "I think {} is wrong.",
                 "Nein, nicht {}.", "No es {}."]  # fmt: skip
SAID = [
    *STATE, *STATE_THE_OTHER, *STATE_NEITHER, "{} and {other}", "{}, {other}", "about {}", "more than {}", "New {}", "{} Town",
    "{} ({other})", "It was {} until 1950; now it is {other}.", "{}'s house", "{other}. {}.", "{}. It was {other}.", "Yes, {}.",
    "No, {}.", "{} 5 {other}",
]  # fmt: skip
SAME = {
    "21:30",
    "13 Uhr",
    "1.5 km",
    "twelve",
    "75 %",
    "4 March 1956",
    "UK",
    "Lyon and Paris",
    "fünfzehn",
    "cent cinquante",
}
"""References whose other value means the same."""


def spoken() -> Iterator[Answer]:
    """Every value in every frame, the right one and the other, in place of each other."""
    for question, one, another in ASKED:
        for frame in SAID:
            yield Answer(frame.format(one, other=another), one, question, "", frame[0] in "INY")
            yield Answer(frame.format(another, other=one), one, question, another)


def test_no_verdict_that_is_sure_is_another_than_a_persons() -> None:
    graded = [each for pair in PAIRS for each in graded_of(pair)]
    assert sum(each.said != "undecided" for each in graded) > 100
    assert [(each.said, each.why, each.pair["second"]) for each in graded if each.mistaken] == []


def test_no_verdict_that_is_sure_is_against_what_is_said() -> None:
    wrong = []
    for question, one, another in ASKED:
        for frame in (*STATE, *STATE_THE_OTHER, *STATE_NEITHER):
            for value, other in ((one, another), (another, one)):
                stated = "" if frame in STATE_NEITHER else other if frame in STATE_THE_OTHER else value
                right = stated == one or bool(stated and one in SAME)
                made = grade(frame.format(value, other=other), one, question=question)
                if made.right is not None and made.right != right:
                    wrong.append((frame.format(value, other=other), one, made))
    assert wrong == []


def test_verdicts_and_their_reasons() -> None:
    found = {}
    for each in (*answers(), *spoken()):
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
