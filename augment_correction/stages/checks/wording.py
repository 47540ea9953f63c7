"""Texts as sets of stemmed content words, for the checks that compare fields."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from augment_correction.grading.text import content_words, stem
from augment_correction.text.scripts import UNSPACED

_DENSE = re.compile(f"[{UNSPACED}]+")


# A passage is read by several checks, and again for each of its replies.
@lru_cache(maxsize=128)
def stems(text: str) -> frozenset[str]:
    """Of scripts without spaces the pairs of signs, since nothing here knows their words."""
    pairs = {one + other for run in _DENSE.findall(text) for one, other in pairwise(run)}
    return frozenset(pairs.union(stem(word) for word in content_words(_DENSE.sub(" ", text))))
