"""Whether a doubt already says what is right, so that the correction has nothing left to find."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from augment_correction.grading.contrast import numbers_only_in
from augment_correction.grading.numbers import canonical, values
from augment_correction.grading.text import content_words, stem
from augment_correction.stages.checks.apology import without_apology
from augment_correction.stages.checks.contract import FINE, CheckInput, CheckResult
from augment_correction.stages.checks.wording import stems

# Words about answers and not about their matter; a doubt may name what it doubts.
_ABOUT_ANSWERS = """
    answer question reason date year name number place part detail order fact point thing way time kind something other
    another different same right wrong mistake error sure really think remember read say said mean know not no yes one
    claim true false correct cause value figure amount length height size
    antwort frage grund datum jahr name zahl ort teil stelle sache art richtig falsch fehler nicht kein anders wirklich
    sicher ja nein stimmt etwas andere jahreszahl angabe aussage
    respuesta pregunta razón fecha año nombre número lugar parte cosa forma correcto incorrecto error no sí otro otra algo
    seguro verdad dato cifra eso esto
    réponse question raison date année nom nombre lieu partie chose façon correct faux erreur pas non oui autre vrai sûr
    chiffre cela ça
"""
_GENERAL = frozenset(map(stem, _ABOUT_ANSWERS.split()))
# "..., not seventeen years apart": what a correction refutes may well be what the doubt said.
_REFUTED = re.compile(
    r"(?:,\s*(?:(?:and|und|y|et)\s+)?|\b(?:and|und|y|et)\s+)(?:not|nicht|no|non|pas)\s+(?:(?!but|sondern|sino|mais)[^,.;])*",
    re.IGNORECASE,
)
IN_PASSAGE, ELSEWHERE = 1.0, 0.5
"""What a shared word costs: one of the passage's is the answer itself; of others it takes two."""


def no_giveaway(given: CheckInput) -> CheckResult:
    """The first field is the doubt, the second the right answer, the rest is what a doubt may repeat."""
    (field, doubt), (_, correction), *others = given.texts
    right = _REFUTED.sub(" ", without_apology(correction))
    known = _GENERAL.union(*(stems(text) for _, text in others))
    words = {word for word in stems(doubt) & stems(right) - known if not _is_unit(word)}
    numbers = _numbers(doubt, right, [text for _, text in others])
    if not words and not numbers:
        return FINE
    passage = stems(given.passage)
    cost = len(numbers) + sum(IN_PASSAGE if word in passage else ELSEWHERE for word in words)
    whole = {word for word in content_words(doubt) if stem(word) in words} or words
    named = ", ".join(sorted({canonical(number) for number in numbers} | whole))
    detail = f"{field} gives the right answer away ({named}); doubt without saying what is right"
    return CheckResult(max(0.0, 1.0 - cost), "gives_away", detail)


def _is_unit(word: str) -> bool:
    """km, kg: whoever doubts a length names its unit."""
    return len(word) <= 2 and word.isascii() and word.isalpha()


def _numbers(doubt: str, right: str, others: Sequence[str]) -> frozenset[Decimal]:
    if not values(doubt, words=True):  # most doubts name none, and reading the others costs
        return frozenset()
    return numbers_only_in(doubt, "\n".join(others)) & values(right, words=True).keys()
