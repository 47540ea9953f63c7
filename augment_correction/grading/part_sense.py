"""Whether a word for a part of a whole is meant as one.

Most words for them mean other things, too: a third party, the third floor, le tiers état, a quarter of a town, of a year or of
an hour, halb neun, tres cuartos con baño. A part is `sure` where

- several are counted, in the plural where there is one ("two thirds", and not "two third-party tools");
- or one, of something ("a third of them", "un tiers des élèves"), or where the word means nothing else ("ein Drittel");
- or it stands after a whole number ("two and a half"), a million is parted, or one word holds both ("anderthalb").

Any other is doubtful: "half" is mostly roughly half.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from augment_correction.grading.part_words import ARTICLES, Word
from augment_correction.grading.phrases import MONTHS

_OF = {
    "en": r"of",
    "de": r"der|des|aller|dieser|dieses|davon|seine[rs]|ihre[rs]|unsere[rs]",
    "fr": r"du|des|d['’]entre|de\s+(?:la|l['’]|ces?|cette|ses|sa|son|leurs?|nos|tou[st]|toutes)",
    "es": r"del|de\s+(?:la|las|los|el|sus?|est[aeo]s?|tod[ao]s?|ell[ao]s)",
    "it": r"del|dell['’oae]|della|delle|dei|degli|di\s+(?:tutt[ie]|quest[oaie])",
    "pt": r"d[oa]s?|dess[ea]s?|dest[ea]s?|de\s+tod[ao]s",
    "nl": r"van",
    "da": r"af",
}
_IS_OF = {language: re.compile(rf"\s+(?:{of})(?!\w)") for language, of in _OF.items()}
"""What one part must be of: "un tiers des élèves", and not "un tiers de confiance"."""
_TIMES = {
    "en": r"(?:of\s+)?(?:an?\s+)?(?:hour|century)|of\s+(?:the\s+)?(?:old\s+)?(?:town|city)",
    "de": r"stunden?|jahrhunderts?|eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|\d+|der\s+(?:\w+\s+)?stadt",
    "fr": r"d['’]\s?heures?|de\s+siècle|de\s+la\s+ville",
    "es": r"de\s+(?:hora|siglo)|de\s+la\s+ciudad",
    "it": r"d['’]\s?ora|di\s+secolo|della\s+città",
    "pt": r"de\s+(?:hora|século)|da\s+cidade",
    "nl": r"uur|van\s+(?:een\s+uur|de\s+stad)|eeuw",
    "da": r"time|af\s+(?:en\s+time|byen)",
}
_IS_TIME = {language: re.compile(rf"\s+(?:{after})(?!\w)") for language, after in _TIMES.items()}
"""After a quarter: of an hour, eight o'clock, of a town."""
_ENDS = re.compile(r"\s*(?:[.,;:!?)\]]|$)")
_FRENCH_OF = re.compile(r"\s+d(?:u|es?|['’])")
_ANOTHER = re.compile(r"(?<!\w)another\W[^.!?]*\band\s+$")
""" "one of iron, another of gold, and a third of silver"."""
_QUARTERS_OF_A_YEAR = re.compile(
    r"(?<!\w)(?:(first|last|past|next|previous|latest|final)|consecutive|straight|successive|for|over|within|after|during|every|all)\s+$"
)
_IN_A_ROW = re.compile(r"\s+(?:in\s+a\s+row|running|straight|of\s+(?:the\s+year|(?:fiscal\s+)?\d{4}))(?!\w)")
NEXT = re.compile(r"\s+(\w+)")


@dataclass(frozen=True, slots=True)
class Count:
    """A number in front of a part."""

    value: Fraction
    start: int
    said: str
    """Its last word."""
    joined: str
    """What stands between them."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands beside a word for a part that ends at `end` in a text, which is known in small letters, too."""

    original: str
    text: str

    def is_time(self, language: str, end: int) -> bool:
        return bool(_IS_TIME[language].match(self.text, end))

    def is_of(self, word: Word, end: int) -> bool:
        found = _IS_OF[word.language].match(self.text, end)
        following = NEXT.match(self.original, found.end()) if found else None
        if following and word.language == "en" and following[1].lower() in MONTHS:
            return False  # "a Fourth of July parade"
        if following and word.bottom == 4 and word.language != "de" and following[1][0].isupper():
            return False  # "a quarter of Paris"
        return bool(found)

    def is_sure(self, word: Word, count: Count, end: int) -> bool:
        top, of = abs(int(count.value)), self.is_of(word, end)
        if count.said in ARTICLES.get(word.language, ()) or (count.joined == "-" and word.language != "en"):
            return False  # "trois-quarts" is a player
        if word.bottom == 4 and (top == 2 or self.is_time(word.language, end)):
            return False
        if count.said.isdigit() and not self._is_sure_after_digits(word, end, of):
            return False
        if top > 1:
            return word.bottom != 4 or bool(word.noun) or self._are_sure_quarters(word.language, count.start, end, of)
        if word.language == "da" or (word.language == "de" and word.bottom != 4):
            return True
        if _ANOTHER.search(self.text, max(0, count.start - 60), count.start) or _IN_A_ROW.match(self.text, end):
            return False
        ends = count.joined == "-" or _ENDS.match(self.text, end)
        return of or (word.language == "en" and count.said == "one" and bool(ends))

    def _is_sure_after_digits(self, word: Word, end: int, of: bool) -> bool:
        if word.language == "nl":  # "artikel 2 derde lid"
            return of or self.text.startswith("n", end - 1)
        if word.language == "fr" and word.bottom in (3, 4):  # "2 quarts of milk", "3 tiers"
            return bool(_FRENCH_OF.match(self.text, end))
        return True

    def _are_sure_quarters(self, language: str, start: int, end: int, of: bool) -> bool:
        if language in ("es", "pt"):
            return of  # rooms are named so
        if language == "de":
            return of or self.text.startswith("n", end - 1)  # as are districts
        if language == "en":
            of_a_year = _QUARTERS_OF_A_YEAR.search(self.text, max(0, start - 14), start)
            return not ((of_a_year and (not of or of_a_year[1])) or _IN_A_ROW.match(self.text, end))
        return True
