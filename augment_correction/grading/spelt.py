"""Number words of seven languages as digits (text2num), so that "cent cinquante" is 150. English ones are read by
`numbers.py`, which keeps their places in the text and "3 million" in one piece."""

from __future__ import annotations

import re
from functools import lru_cache

from text_to_num import alpha2digit

from augment_correction.grading.frames import FRAMES

LANGUAGES = ("de", "fr", "es", "it", "pt", "nl", "da")
_WORD = re.compile(r"[^\W\d_]+")


def language_of(*texts: str) -> str:
    """The language most of whose commonest words stand in the texts; English where none is ahead."""
    found = [word for text in texts for word in _WORD.findall(text.casefold())]
    hits = {language: sum(word in frame for word in found) for language, frame in FRAMES.items()}
    best = max(hits, key=lambda language: hits[language])
    return best if hits[best] > hits["en"] else "en"


@lru_cache(maxsize=512)  # one reference is looked at with many answers
def in_digits(text: str, language: str) -> str:
    """As it is in a language that text2num does not know. One to three stay words: most are articles, too."""
    return str(alpha2digit(text, language)) if language in LANGUAGES and _WORD.search(text) else text
