"""Number words of seven languages as digits (text2num), so that "cent cinquante" is 150. English ones are read by
`numbers.py`, which keeps their places in the text and "3 million" in one piece."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from text_to_num import alpha2digit

from augment_correction.grading.numbers import parts_of
from augment_correction.grading.phrases import FRAMES

LANGUAGES = ("de", "fr", "es", "it", "pt", "nl", "da")
_WORD = re.compile(r"[^\W\d_]+")
_AT_HOME = {
    word: tuple(language for language, frame in FRAMES.items() if word in frame)
    for word in frozenset[str]().union(*FRAMES.values())
}
"""The languages that a common word is one of: thirty look-ups a word were a third of a whole comparison."""


def language_of(*texts: str) -> str:
    """The language most of whose commonest words stand in the texts; English where none is ahead."""
    hits = dict.fromkeys(FRAMES, 0)
    for text in texts:
        for word in _WORD.findall(text.casefold()):
            for language in _AT_HOME.get(word, ()):
                hits[language] += 1
    best = max(hits, key=lambda language: hits[language])
    return best if hits[best] > hits["en"] else "en"


@lru_cache(maxsize=512)  # one reference is looked at with many answers
def in_digits(text: str, language: str) -> str:
    """As it is in a language that text2num does not know. One to three stay words: most are articles, too. Of parts of a whole
    it would make ordinals ("4 5èmes")."""
    if language not in LANGUAGES or not _WORD.search(text):
        return text
    for part in reversed(parts_of(text)):
        if part.sure:
            text = text[: part.start] + _quotient(part.value) + text[part.end :]
    return str(alpha2digit(text, language))


def _quotient(value: Fraction) -> str:
    """ "2/3", and "2 1/2"."""
    whole, rest = divmod(value, 1)
    return f"{whole} {rest}" if whole and rest else str(value)
