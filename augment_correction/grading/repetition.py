"""Does a text run in circles? Holtzman et al. 2020 (arXiv:1904.09751) count a generation as repetitive that ends in a phrase
of two or more words said three times; here it may stand anywhere, and short phrases must stand more often, since people
write "ha ha ha" and "no, no, no", too."""

from __future__ import annotations

import re
from itertools import accumulate

from augment_correction.text.scripts import UNSPACED

LONGEST = 60
"""Words of a phrase that is looked for."""
OFTEN, TIMES = 12, 3
"""The repetitions of a phrase must fill OFTEN words, and it must stand TIMES times; one word as often as OFTEN."""

_WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")


def repeated_phrase(text: str) -> str:
    """The shortest phrase that stands several times in a row, in lower case; "" where there is none. Numbers alone are no
    phrase: digits of pi, and rows of a table, repeat."""
    said = _WORD.findall(text.casefold())
    lettered = [0, *accumulate(any(map(str.isalpha, word)) for word in said)]
    for length in range(1, min(LONGEST, len(said) // TIMES) + 1):
        run = 0
        for at in range(len(said) - length):
            run = run + 1 if said[at] == said[at + length] else 0
            if run + length >= max(TIMES * length, OFTEN) and lettered[at + 1 + length] > lettered[at + 1]:
                return " ".join(said[at + 1 : at + 1 + length])
    return ""
