"""Whether a question offers a choice, and which of its words do."""

from __future__ import annotations

from augment_correction.grading.phrases import CHOOSING, CHOOSING_IN
from augment_correction.grading.spelt import language_of
from augment_correction.grading.text import words


def choosing(question: str) -> frozenset[str]:
    """The words for "or" in it. Dutch "of" and Italian "o" are other words elsewhere."""
    return (CHOOSING | CHOOSING_IN.get(language_of(question), frozenset())).intersection(words(question))
