"""What in a reference is evidence."""

from __future__ import annotations

import pytest

from augment_correction.grading.keys import key_of

PARIS = "The capital of France is Paris."


@pytest.mark.parametrize(
    ("reference", "question", "wrong", "tokens"),
    [
        (PARIS, "What is the capital of France?", "", ("pari",)),
        (PARIS, "", "", ("pari",)),
        ("Paris", "Is Paris or Lyon the capital?", "", ("pari",)),
        ("2+2 equals 4. This is basic addition.", "What is 2+2?", "", ("4",)),
        ("Built in 1889 for the fair.", "", "Built in 1899 for the fair.", ("1889",)),
        ("It is Paris", "Is Paris or Lyon the capital?", "", ("pari",)),
        ("12", "How many of the 12 eggs?", "", ()),
        ("Who", "", "", ("who",)),
        ("!", "", "", ()),
    ],
)
def test_question_and_wrong_answer_are_taken_away(
    reference: str, question: str, wrong: str, tokens: tuple[str, ...]
) -> None:
    assert key_of(reference, question, wrong).tokens == tokens


def test_numbers_and_names_are_marked() -> None:
    assert key_of("It opened in 1889").named
    assert key_of("They met in Lyon", "Where did they meet?").named
    assert not key_of("heart attack").named
