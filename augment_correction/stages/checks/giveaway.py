"""Whether a doubt already says what is right, so that the correction has nothing left to find."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from augment_correction.grading.contrast import numbers_only_in
from augment_correction.grading.lexicon import OPPOSITES
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
    sicher ja nein stimmt etwas andere anderen anderer anderes jahreszahl angabe aussage
    respuesta pregunta razón fecha año nombre número lugar parte cosa forma correcto incorrecto error no sí otro otra algo
    seguro segura verdad dato cifra eso esto
    réponse question raison date année nom nombre lieu partie chose façon correct faux erreur pas non oui autre vrai sûr
    sûre chiffre cela ça juste exact exacte fausse vraie point points
"""
# Words that every text has; one of them says what is right only where the mistake says its contrary.
_COMMON = """
    all any both each every first second two last again back still even only more most less much many few some such always
    never often ever out up down over under after before because until while since whether though however maybe perhaps
    quite rather actually exactly simply enough certain certainly seem look check go come get give take make let tell told
    hear heard find see use used work works like want need well good bad better new old long lot own
    alle alles beide beiden jede jeder jedes erste ersten zweite zweiten zwei letzte wieder immer nie oft schon mehr
    weniger viel viele wenig eher sehr ganz genau gar doch aber denn weil wenn ob nach vor bis seit unter gegen ohne
    durch kann können muss müssen soll sollte darf mag will würde gibt geben gehen kommen machen sagen gesagt gelesen
    gehört wissen meinen glaube finden was wer wie wo warum welche welcher diese dieser dieses diesem selbst eigentlich
    vielleicht hier dort dann damals nun jetzt mal eben mir mich dir dich uns euch ihm ihn ihnen mein dein unser gut
    esta este ese esa todo toda todos todas ambos cada primero primera segundo segunda dos último última más menos mucho
    muchos poco siempre nunca ya aún todavía sólo solo bien mal bueno mejor tan tanto hay ser estar tener hacer decir dicho
    leído oído saber creo creer poder puede pueden porque si sin sobre entre desde hasta cuando donde quién cuál yo me te
    nos mi tu ni sino antes después realmente exactamente quizá quizás acaso
    tout toute tous toutes deux premier première second seconde dernier dernière plus moins beaucoup peu toujours jamais
    souvent encore déjà aussi bien mal bon mieux très trop assez fait faire dire dit lire lu entendu savoir sais crois
    croire pense penser peux peut peuvent pouvez parce quand comme si sans sous entre depuis après avant même rien vraiment
    à de le la un des se en est suis êtes ai as avez été moi toi lui quoi quel quelle lequel alors donc
"""
_GENERAL, _EVERYWHERE = (frozenset(map(stem, words.split())) for words in (_ABOUT_ANSWERS, _COMMON))
_CONTRARIES: dict[str, set[str]] = {}
for one, other in OPPOSITES:
    _CONTRARIES.setdefault(stem(one), set()).add(stem(other))
    _CONTRARIES.setdefault(stem(other), set()).add(stem(one))
# "l'église", "n'est", "dell'acqua": the word is what follows.
_ELIDED = re.compile(
    r"(?<!\w)(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|(?:d|n|s)?[eau]ll|un)['’](?=\w)", re.IGNORECASE
)
# "..., not seventeen years apart": what a correction refutes may well be what the doubt said.
_REFUTED = re.compile(
    r"(?:,\s*(?:(?:and|und|y|et)\s+)?|\b(?:and|und|y|et)\s+)(?:not|nicht|no|non|pas)\s+(?:(?!but|sondern|sino|mais)[^,.;])*",
    re.IGNORECASE,
)


def no_giveaway(given: CheckInput) -> CheckResult:
    """The first field is the doubt, the second the right answer, the rest is what a doubt may repeat.

    What gives it away is a number of the right answer, or a word of it that the passage has, too: the others are the
    way in which two people speak ("n'est pas juste", "both points")."""
    (field, doubt), (_, correction), *others = given.texts
    doubt, right = _without_elisions(doubt), _without_elisions(_REFUTED.sub(" ", without_apology(correction)))
    words = {word for word in stems(doubt) & stems(right) - _GENERAL if not _is_unit(word)}
    if words:  # mostly there are none, and reading the others costs
        said = frozenset[str]().union(*(stems(_without_elisions(text)) for _, text in others))
        idle = {word for word in words & _EVERYWHERE if said.isdisjoint(_CONTRARIES.get(word, ()))}
        words = words - said - idle
    words &= stems(_without_elisions(given.passage)) if words else words
    numbers = _numbers(doubt, right, [text for _, text in others])
    if not words and not numbers:
        return FINE
    whole = {word for word in content_words(doubt) if stem(word) in words} or words
    named = ", ".join(f'"{each}"' for each in sorted({canonical(number) for number in numbers} | whole))
    detail = (
        f"{field} gives the right answer away by saying {named}. Let the user doubt without a word of what is right"
    )
    return CheckResult(0.0, "gives_away", detail)


def _without_elisions(text: str) -> str:
    return _ELIDED.sub("", text)


def _is_unit(word: str) -> bool:
    """km, kg: whoever doubts a length names its unit."""
    return len(word) <= 2 and word.isascii() and word.isalpha()


def _numbers(doubt: str, right: str, others: Sequence[str]) -> frozenset[Decimal]:
    if not values(doubt, words=True):  # most doubts name none, and reading the others costs
        return frozenset()
    return numbers_only_in(doubt, "\n".join(others)) & values(right, words=True).keys()
