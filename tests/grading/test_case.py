"""What an answer says beyond its reference, its question and the words of plain statements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.grading import phrases
from augment_correction.grading.case import Case

CAPITAL = "What is the capital of France?"


@pytest.mark.parametrize(
    ("answer", "question", "beyond"),
    [
        ("The answer is Paris.", "", []),
        ("The capital of France is Paris.", CAPITAL, []),
        ("La capitale est Paris.", CAPITAL, []),
        ("The capital of France is Paris.", "", ["capital", "france"]),
        ("It is hardly Paris.", CAPITAL, ["hardly"]),
        ("It was Paris.", CAPITAL, ["was"]),
        ("It was Paris.", "What was the capital of France?", []),
        ("It is not Paris.", "What is not the capital of France?", ["not"]),
        ("Paris, Lyon", "Is it Paris or Lyon?", ["lyon"]),
        ("It is Paris, 5 of 7", "Which of the 7?", ["5"]),
        ("Austrians say Paris", "Who are the Australians?", ["austrians", "say"]),
    ],
)
def test_what_nothing_accounts_for_is_named(answer: str, question: str, beyond: list[str]) -> None:
    assert Case(answer, "Paris", question, "").beyond(answer) == beyond


@pytest.mark.parametrize(
    ("sentence", "left"),
    [
        ("It is Paris, not Lyon.", "It is Paris "),
        ("not Lyon but Paris", "  Paris"),
        ("It is Paris, not it.", "It is Paris, not it."),
        ("Paris is not Lyon", "Paris is not Lyon"),
        ("It is Lyon, not Paris.", "It is Lyon, not Paris."),
        ("It is 9, not 7.5", "It is 9 "),
    ],
)
def test_only_a_rival_that_is_denied_is_taken_away(sentence: str, left: str) -> None:
    reference = "9" if "9" in sentence else "Paris"
    assert Case(sentence, reference, "", "").without_rivals(sentence).split() == left.split()


def test_no_word_of_a_plain_statement_denies_or_offers_a_choice() -> None:
    plain = phrases.FRAME | phrases.STATING
    assert not plain & phrases.DENIALS
    articles = {"en", "et", "i"}  # in Scandinavian languages, and no rival has ever hidden behind one alone
    assert not plain & (phrases.CHOOSING | (phrases.AND - articles) | {"said", "from", "than", "until", "but"})


@given(answer=st.text(), reference=st.text(), question=st.text())
def test_of_the_reference_itself_nothing_is_beyond(answer: str, reference: str, question: str) -> None:
    case = Case(answer, reference, question, "")
    assert not set(case.beyond(reference)) - case.offered


@pytest.mark.parametrize(("question", "denies"), [("Which city is not the capital?", True), ("Which is it?", False)])
def test_a_question_may_deny(question: str, denies: bool) -> None:
    assert Case("Lyon", "Lyon", question, "").denies is denies
