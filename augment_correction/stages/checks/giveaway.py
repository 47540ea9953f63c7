"""Whether a doubt already says what is right, so that the correction has nothing left to find."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from augment_correction.grading.contrast import numbers_only_in
from augment_correction.grading.lexicon import OPPOSITES
from augment_correction.grading.numbers import canonical, values
from augment_correction.grading.text import content_words, names, stem
from augment_correction.stages.checks.apology import without_apology
from augment_correction.stages.checks.contract import FINE, CheckInput, CheckResult
from augment_correction.stages.checks.wording import stems
from augment_correction.text.scripts import UNSPACED

# Words about answers as such and not about a subject. A doubt may use them, since it has to name what it doubts.
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
    opposite contrary reverse whole story bit doubt source statement sentence word sense idea opinion impression rest
    gegenteil umgekehrt andersherum zweifel quelle satz wort sinn eindruck meinung rest behauptung punkt einzelheit
    contrario revés duda fuente frase palabra sentido impresión opinión resto detalle punto respecto
    contraire inverse doute source phrase mot sens impression avis reste détail histoire affirmation début fin
"""
# Words that occur in every text. One of them tells what is right only if the mistake says its contrary ("after" for "before").
_COMMON = """
    all any both each every first second two last again back still even only more most less much many few some such always
    never often ever out up down over under after before because until while since whether though however maybe perhaps
    quite rather actually exactly simply enough certain certainly seem look check go come get give take make let tell told
    hear heard find see use used work works like want need well good bad better new old long lot own
    double anything nothing everything got mixed please wait off once twice else instead sound feel wonder believe guess suppose explain ask insist convince convinced
    surprise surprised odd strange weird funny hm hmm er oh ah ok okay honestly frankly seriously somewhere somehow someone
    somebody anyone everybody people differently lately recently today yesterday hold mind matter case true truly trust us
    alle alles beide beiden jede jeder jedes erste ersten zweite zweiten zwei letzte wieder immer nie oft schon mehr
    weniger viel viele wenig eher sehr ganz genau gar doch aber denn weil wenn ob nach vor bis seit unter gegen ohne
    durch kann können muss müssen soll sollte darf mag will würde gibt geben gehen kommen machen sagen gesagt gelesen
    gehört wissen meinen glaube finden was wer wie wo warum welche welcher diese dieser dieses diesem selbst eigentlich
    vielleicht hier dort dann damals nun jetzt mal eben mir mich dir dich uns euch ihm ihn ihnen mein dein unser gut
    bitte irgendwo irgendwie irgendetwas jemand niemand heute gestern neulich komisch seltsam merkwürdig überrascht klingt
    scheint passt stimmen prüfen nachsehen nachschauen schauen erklären frage fragen überzeugt ehrlich hm hmm ach oh tja
    noch einmal nochmal bin bist seid hast habt hatte wäre hätte könnte sollten müsste lassen tun getan
    esta este ese esa todo toda todos todas ambos cada primero primera segundo segunda dos último última más menos mucho
    muchos poco siempre nunca ya aún todavía sólo solo bien mal bueno mejor tan tanto hay ser estar tener hacer decir dicho
    leído oído saber creo creer poder puede pueden porque si sin sobre entre desde hasta cuando donde quién cuál yo me te
    nos mi tu ni sino antes después realmente exactamente quizá quizás acaso
    tout toute tous toutes deux premier première second seconde dernier dernière plus moins beaucoup peu toujours jamais
    souvent encore déjà aussi bien mal bon mieux très trop assez fait faire dire dit lire lu entendu savoir sais crois
    croire pense penser peux peut peuvent pouvez parce quand comme si sans sous entre depuis après avant même rien vraiment
    à de le la un des se en est suis êtes ai as avez été moi toi lui quoi quel quelle lequel alors donc
    doit pourtant importe dedans tiens quelque quelqu'un plutôt là ici voilà voir vois regarder vérifier expliquer demander étonner étonne étonnant bizarre
    drôle convaincu convaincue semble sembler paraît paraître tenir tenez avais avait aviez serait devrait pourrait
    thought surely seemed dachte glaubte meinte hieß creía pensaba decía diría
    croyais croyait pensais pensait dirais dirait disais disait parlais parlait semblait
    kommt kam geht ging gibt gab macht machte sagt sagte steht stand liegt lag nimmt nahm hält hielt lässt läuft bleibt blieb bringt klingt
    va vont vient viennent disent fait font prend met passe passé reste arrive arrivé donne trouve va van viene vienen dice dicen hace hacen
    da dan queda pasa llega deja
    pardon merci euh hmm bah ben hein ouais peut-être certain certaine certains mes mon ma vos votre notre nos pendant
"""
# "one of the two points": such a number counts statements of the answer and is no fact of the subject.
_COUNTED = re.compile(
    r"\b(?:one|two|three|four|both|deux|trois|quatre|zwei|drei|vier|beiden?|dos|tres|cuatro|ambos|[2-4])\s+"
    r"(?:of\s+(?:the\s+|these\s+|those\s+|your\s+)?)?"
    r"(?:points?|things?|parts?|facts?|details?|claims?|answers?|statements?|sentences?|numbers?|dates?|names?|choses?|parties?|faits?"
    r"|détails?|réponses?|phrases?|punkte|dinge|teile|angaben|sätze|antworten|puntos|cosas|partes|datos|detalles|frases)\b",
    re.IGNORECASE,
)
ENOUGH = 20
"""A doubt gives the right answer away if it says one in so many of the words that this has from the passage, and that neither the mistake
nor the question has."""
_ASIDE = 1
"""If a doubt has more words of its own than that, and only one of them is also in the right answer, in a clause that adds something, this
word is there by chance: the user speaks of something else ("the bright boy in my class", "I turned the page")."""
_CLAUSE = re.compile(r"[,.;:!?]\s")
_PAIR = re.compile(f"[{UNSPACED}]")
"""Finds pairs of signs of a script without spaces: `stems` cuts such a text into pairs, which are no words that could be counted."""
_CONTRACTED = re.compile(r".+(?:n't|'(?:m|re|ve|ll|d|t))")
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

    A doubt gives the right answer away by a number or a name of it, or by a good part of those of its words that the passage has, too.
    Words that the passage does not have belong to the way in which people speak ("n'est pas juste", "both points"). A single common word
    is taken for chance if the doubt has other words of its own, because two long texts always have a word in common."""
    (field, doubt), (_, correction), *others = given.texts
    doubt = _COUNTED.sub(" ", _without_elisions(doubt))
    right = _without_elisions(_REFUTED.sub(" ", without_apology(correction)))
    rest = [_without_elisions(text) for _, text in others]
    numbers, words = _numbers(doubt, right, rest, given.passage), _words(doubt, right, rest, given.passage)
    if not words and not numbers:
        return FINE
    whole = {word for word in content_words(doubt) if stem(word) in words} or words
    named = ", ".join(f'"{each}"' for each in sorted({canonical(number) for number in numbers} | whole))
    detail = (
        f"{field} gives the right answer away by saying {named}. Let the user doubt without a word of what is right"
    )
    return CheckResult(0.0, "gives_away", detail)


def _words(doubt: str, right: str, others: Sequence[str], passage: str) -> frozenset[str]:
    """The words (stems) by which the doubt gives the right answer away; none if they are too small a part of it. What takes long is done
    last, because most doubts have no word in common with the right answer."""
    shared = frozenset(word for word in stems(doubt) & stems(right) - _GENERAL if not _tells_nothing(word))
    if not shared:
        return shared
    said = frozenset[str]().union(*map(stems, others))
    idle = _GENERAL | {word for word in _EVERYWHERE if said.isdisjoint(_CONTRARIES.get(word, ()))}
    shared -= said | idle
    if not shared:
        return shared
    told = stems(_without_elisions(passage))
    shared &= told
    named = frozenset(stem(part) for name in names(doubt) for part in name.split())
    if shared & named:
        return shared
    own = [word for word in stems(doubt) - said - idle if not (_tells_nothing(word) or _PAIR.match(word))]
    if len(shared) == 1 and len(own) > _ASIDE and not _answers(shared, right, said):
        return frozenset()
    decisive = (stems(right) & told) - said - idle
    return shared if len(shared) * ENOUGH >= len(decisive) else frozenset()


def _answers(shared: frozenset[str], right: str, said: frozenset[str]) -> bool:
    """Whether the words stand together in a clause of the right answer that has a word of the mistake or the question, too. Such a clause
    answers the question; any other adds something to the answer."""
    return any(
        shared <= words and words & said for clause in _CLAUSE.split(right) if (words := stems(clause) - _GENERAL)
    )


def _without_elisions(text: str) -> str:
    return _ELIDED.sub("", text) if "'" in text or "’" in text else text


def _tells_nothing(word: str) -> bool:
    """Whether it is a short unit (km, kg: whoever doubts a length names its unit) or a contraction ("isn't", "I'm")."""
    return (len(word) <= 2 and word.isascii() and word.isalpha()) or bool(_CONTRACTED.fullmatch(word))


def _numbers(doubt: str, right: str, others: Sequence[str], passage: str) -> frozenset[Decimal]:
    """The numbers by which the doubt gives the right answer away. The passage must have them, too: a number of the right answer that the
    passage lacks is one that the user proposed and the answer refutes."""
    if not values(doubt, words=True):  # most doubts name none, and reading the others costs
        return frozenset()
    told = values(right, words=True).keys() & values(passage, words=True).keys()
    return numbers_only_in(doubt, "\n".join(others)) & told
