"""Whether a question offers a choice, and which of its words do."""

from __future__ import annotations

from augment_correction.grading.phrases import CHOOSING, CHOOSING_IN, CHOOSING_SIGNS
from augment_correction.grading.spelt import language_of
from augment_correction.grading.text import words

AROUND_A_CHOICE = 3
"""So many words on both sides of an "or" in a question are what it offers."""


def offers_a_choice(question: str) -> bool:
    return bool(choosing(question)) or any(sign in question for sign in CHOOSING_SIGNS)


def beside_or(question: str) -> frozenset[str]:
    """Words of the question around each "or", with the "or" itself."""
    asked, either = words(question), choosing(question)
    return frozenset(
        word
        for at, here in enumerate(asked)
        if here in either
        for word in asked[max(0, at - AROUND_A_CHOICE) : at + AROUND_A_CHOICE + 1]
    )


def choosing(question: str) -> frozenset[str]:
    """The words for "or" in it. Dutch "of" and Italian "o" are other words elsewhere."""
    return (CHOOSING | CHOOSING_IN.get(language_of(question), frozenset())).intersection(words(question))
