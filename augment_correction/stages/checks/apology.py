"""The part of a correction that speaks of the mistake and not of the matter, in English, German, Spanish and French."""

from __future__ import annotations

import re
from functools import lru_cache

from augment_correction.stages.checks.contract import one_of

_CLAUSE = re.compile(r"(?<=[.!?:;。！？])\s+|\n+|(?<![^\S\n])\s{1,99}+[–—]\s+|(?<=[。！？])")
_ADMITS = re.compile(
    r"\b(?:sorry|apolog\w+|good (?:catch|point|question)|well spotted|thank(?:s| you)|you(?:'re|’re| are| were) "
    r"(?:absolutely |quite |completely )?(?:right|correct)"
    r"|(?:my|an?|the) (?:\w+ )?(?:mistake|error|slip|mix-up)"
    r"|(?:i|my|me|that|answer|this)\b[^.!?]{0,60}\b(?:wrong|mistaken|incorrect|inaccurate|false|error|mixed|confused|misremembered|misspoke|misstated))\b"
    r"|\b(?:entschuldig\w+|verzeih\w*|tut mir leid|(?:du hast|sie haben|da hast du) recht|(?:ich|mir|meine?|das|da)\b[^.!?]{0,60}"
    r"\b(?:geirrt|irrtum|fehler|falsch|verwechselt|daneben|vertan))\b"
    r"|\b(?:perdón|perdona|disculp\w+|lo siento|tienes razón|tiene razón|es verdad|me (?:equivoqué|confundí|he equivocado)"
    r"|(?:cometí|fue|era) un error|(?:dije|respuesta|eso)\b[^.!?]{0,40}\b(?:incorrect[oa]|fals[oa]|erróne[oa]))\b"
    r"|\b(?:désolée?|pardon|excuse\w*|(?:tu as|vous avez) (?:tout à fait )?raison|c'est vrai|je me suis trompée?"
    r"|j'ai (?:fait (?:une )?erreur|confondu)|(?:ma réponse|j'ai dit|c'était)\b[^.!?]{0,60}\b(?:fausse?|faux|erreur|inexacte?))\b",
    re.IGNORECASE,
)
# One of these stands in whatever the pattern finds; to look for them takes a thirtieth of its time.
_HINTS = [
    "sorry",
    "apolog",
    "catch",
    "point",
    "question",
    "spotted",
    "thank",
    "right",
    "correct",
    "mistake",
    "error",
    "slip",
    "mix",
    "wrong",
    "inaccurate",
    "false",
    "confused",
    "misremembered",
    "misspoke",
    "misstated",
    "entschuldig",
    "verzeih",
    "leid",
    "recht",
    "geirrt",
    "irrtum",
    "fehler",
    "falsch",
    "verwechselt",
    "daneben",
    "vertan",
    "perdón",
    "perdona",
    "disculp",
    "siento",
    "razón",
    "verdad",
    "equivoqué",
    "confundí",
    "equivocado",
    "fals",
    "erróne",
    "désol",
    "pardon",
    "excuse",
    "raison",
    "vrai",
    "trompé",
    "erreur",
    "confondu",
    "fauss",
    "faux",
    "inexact",
]


@lru_cache(maxsize=128)  # several checks read the same answer
def without_apology(text: str) -> str:
    """The text itself, where nothing else is in it ("It is seven and not nine, sorry.")."""
    clauses = _CLAUSE.split(text.replace("’", "'"))
    rest = " ".join(clause for clause in clauses if clause and not _admits(clause))
    return rest if re.search(r"\w", rest) else text


def _admits(clause: str) -> bool:
    folded = clause.casefold()
    return one_of(_HINTS, folded) and _ADMITS.search(clause) is not None
