"""The words for parts of a whole in eight languages: data for `parts.py`, which reads them, and for `part_sense.py`.

Neither text2num, which reads the numerators, nor Babel's part of the CLDR knows fractions.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from augment_correction.grading.lexicon import as_set

_STEMS: Mapping[str, str] = {
    "en": "3 third 4 fourth 4 quarter 5 fifth 6 sixth 7 seventh 8 eighth 9 ninth 10 tenth 12 twelfth 16 sixteenth 20 twentieth "
    "100 hundredth 1000 thousandth",
    "de": "3 drit 4 vier 5 fünf 6 sechs 7 sieb 7 sieben 8 ach 9 neun 10 zehn 12 zwölf 20 zwanzigs 100 hunderts 1000 tausends",
    "fr": "5 cinqu 6 six 7 sept 8 huit 9 neuv 10 dix 12 douz 20 vingt 100 cent 1000 mill",
    "es": "3 terci 4 cuart 5 quint 6 sext 7 séptim 8 octav 9 noven 10 décim 20 vigésim 100 centésim 1000 milésim",
    "it": "3 terz 4 quart 5 quint 6 sest 7 settim 8 ottav 9 non 10 decim 20 ventesim 100 centesim 1000 millesim",
    "pt": "3 terç 4 quart 5 quint 6 sext 7 sétim 8 oitav 9 non 10 décim 20 vigésim 100 centésim 1000 milésim",
    "nl": "3 derde 4 vierde 5 vijfde 6 zesde 7 zevende 8 achtste 9 negende 10 tiende 100 honderdste 1000 duizendste",
    "da": "3 tredje 4 fjerde 5 femte 6 sjette 7 syvende 8 ottende 9 niende 10 tiende 100 hundrede 1000 tusinde",
}
_ENDINGS: Mapping[str, tuple[str, str]] = {
    "en": ("", "s"), "de": ("tel tels teln", "tel teln"), "fr": ("ième", "ièmes"), "es": ("o", "os"), "it": ("o", "i"),
    "pt": ("o", "os"), "nl": ("", " n"), "da": ("del", "dele"),
}  # fmt: skip
"""Of one part, and of several."""


@dataclass(frozen=True, slots=True)
class Word:
    language: str
    bottom: int
    one: bool
    """It can be said of one part."""
    more: bool
    """It can be said of several."""
    noun: str = ""
    """What must follow, because it is an ordinal else: "parte", "partes"."""


def _words() -> Iterator[tuple[str, Word]]:
    for language, listed in _STEMS.items():
        pieces = listed.split()
        for bottom, stem in zip(map(int, pieces[::2]), pieces[1::2], strict=True):
            yield from _inflected(
                language, bottom, *([stem + end for end in ends.split(" ")] for ends in _ENDINGS[language])
            )
            if language in ("es", "pt"):  # "dos terceras partes", "tres décimas"
                stem = "tercer" if stem == "terci" else stem
                yield f"{stem}a", Word(language, bottom, True, False, "parte" if bottom < 10 else "")
                yield f"{stem}as", Word(language, bottom, False, True, "partes" if bottom < 10 else "")
    yield from _inflected("fr", 3, ["tiers"], ["tiers"])
    yield from _inflected("fr", 4, ["quart"], ["quarts"])
    yield from _inflected("nl", 4, ["kwart"], ["kwart"])
    yield from _inflected("da", 4, ["kvart"], [])


def _inflected(language: str, bottom: int, ones: Iterable[str], more: Iterable[str]) -> Iterator[tuple[str, Word]]:
    for word in dict.fromkeys([*ones, *more]):
        yield word, Word(language, bottom, word in [*ones], word in [*more])


PARTS: dict[str, list[Word]] = defaultdict(list)
for _name, _word in _words():
    PARTS[_name].append(_word)
WHOLE_WORDS: Mapping[str, Fraction] = {
    **dict.fromkeys(("anderthalb", "halvanden", "halvandet", "anderhalf", "anderhalve"), Fraction(3, 2)),
    **dict.fromkeys(("dreiviertel", "driekwart"), Fraction(3, 4)),
    "zweidrittel": Fraction(2, 3),
}
HALVES = as_set("half hälfte moitié mitad metà metade helft halvdel halvdelen")
AFTER_A_NUMBER: Mapping[str, tuple[str, ...]] = {
    "half": ("en", "nl"), **dict.fromkeys(("demi", "demie"), ("fr",)), **dict.fromkeys(("medio", "media"), ("es",)),
    **dict.fromkeys(("mezzo", "mezza"), ("it",)), **dict.fromkeys(("meio", "meia"), ("pt",)), "halve": ("nl",),
    **dict.fromkeys(("halb", "halbe", "halber", "halbes", "halben"), ("de",)), **dict.fromkeys(("halv", "halvt"), ("da",)),
}  # fmt: skip
"""They are a half after a whole number alone: what "halb" stands before may be an hour."""
KNOWN = frozenset([*PARTS, *WHOLE_WORDS, *HALVES, *AFTER_A_NUMBER])

ONES: Mapping[str, frozenset[str]] = {
    "en": as_set("a an one"), "de": as_set("ein eine einen einem einer eines"), "fr": as_set("un"), "es": as_set("un una"),
    "it": as_set("un uno"), "pt": as_set("um uma"), "nl": as_set("een één"), "da": as_set("en et"),
}  # fmt: skip
ARTICLES: Mapping[str, frozenset[str]] = {"fr": as_set("le"), "es": as_set("la"), "pt": as_set("a")}
"""With them the part may be counted: "le tiers des élèves", "la tercera parte de la novela"."""
AND = {"en": "and", "de": "und", "fr": "et", "es": "y", "it": "e", "pt": "e", "nl": "en", "da": "og"}
FINAL = re.compile(r"\s+d[ei]\s+finale?(?!\w)")
""" "quart de finale", "octavos de final"."""
SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
