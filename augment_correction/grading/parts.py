"""Parts of a whole in words: "four fifths", "deux tiers", "drei Viertel", "dos terceras partes", "two and a half", "anderthalb".

Most words for them mean other things, too: a third party, the third floor, le tiers état, a quarter of a town, of a year or of
an hour, halb neun, tres cuartos con baño. A part is `sure` where

- several are counted, in the plural where there is one ("two thirds", and not "two third-party tools");
- or one, of something ("a third of them", "un tiers des élèves"), or where the word means nothing else ("ein Drittel");
- or it stands after a whole number ("two and a half"), a million is parted, or one word holds both ("anderthalb").

Any other is doubtful: "half" is mostly roughly half.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache

from text_to_num import text2num

from augment_correction.grading.part_words import (
    AFTER_A_NUMBER,
    AND,
    ARTICLES,
    FINAL,
    HALVES,
    IS_OF,
    IS_TIME,
    KNOWN,
    ONES,
    PARTS,
    SCALES,
    WHOLE_WORDS,
    Word,
)
from augment_correction.grading.phrases import MONTHS

_SIGNS = str.maketrans(dict.fromkeys("-‐‑–—.,;:!?()[]\"'’“”„«»*_/", " "))
_COMPOUND = re.compile(r"(?<!\w)(?:(\w+?)(?:und)?einhalb(?:e[nrsm]?)?|(\w+?)[eë]nhal(?:f|ve))(?!\w)")
_NAMES = "|".join(SCALES)
_SCALE, _SCALE_OF = (re.compile(rf"{of}[\s-]({_NAMES})s?(?!\w)") for of in ("", r"(?:\s+of\s+an?|\s+an?)"))
_LARGE = re.compile(r"(?<!\w)(million|billion|trillion)$")
_LAST_WORD = re.compile(r"([^\W_]+(?:-[^\W\d_]+)*)([\s\u00a0]+|-)$")
_ONE_BEFORE = re.compile(r"([^\W\d_]+)(?:\s+|-)$")
_NUMERAL = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*$")
_LETTER = re.compile(r"\w")
_NUMERAL_AT = re.compile(r"\w+")
_NOUN = re.compile(r"\s+([^\W\d_]+)$")
_NEXT = re.compile(r"\s+(\w+)")
_PAST = re.compile(r"\s+(?:past\b|a\s+dozen)")
_ENDS = re.compile(r"\s*(?:[.,;:!?)\]]|$)")
_FRENCH_OF = re.compile(r"\s+d(?:u|es?|['’])")
_ANOTHER = re.compile(r"(?<!\w)another\W[^.!?]*\band\s+$")
""" "one of iron, another of gold, and a third of silver"."""
_QUARTERS_OF_A_YEAR = re.compile(
    r"(?<!\w)(?:(first|last|past|next|previous|latest|final)|consecutive|straight|successive|for|over|within|after|during|every|all)\s+$"
)
_IN_A_ROW = re.compile(r"\s+(?:in\s+a\s+row|running|straight|of\s+(?:the\s+year|(?:fiscal\s+)?\d{4}))(?!\w)")
_CLOCK = re.compile(r"(?<!\w)(?:las|la|le|alle|dalle|às|as)\s+$")
_JOINED = {language: re.compile(rf"[\s-]+{word}[\s-]+$") for language, word in AND.items()}
_HOURS = frozenset(["heure", "heures", "hora", "horas", "ora", "ore", "uur", "uren", "uhr", "time", "timer"])
_HALF = Fraction(1, 2)
_LONGEST = 5
"""Words up to which one whole number is looked for before a part: "mil doscientos treinta y dos"."""


@dataclass(frozen=True, slots=True)
class Part:
    """`text[start:end]` is the whole of it, with what it is a part of where that is a million."""

    value: Fraction
    start: int
    end: int
    sure: bool = True


Wholes = Mapping[int, tuple[int, Fraction]]
"""The numbers that were read already: where each begins and its value, by where it ends."""


def find_parts(text: str, wholes: Callable[[], Wholes]) -> list[Part]:
    """In order, none over another. `wholes` is only asked where a word for a part stands in the text."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text  # places must stay
    said = KNOWN.intersection(lowered.translate(_SIGNS).split())
    if not said and "nhal" not in lowered:
        return []
    kept: list[Part] = []
    for part in sorted(_Reading(text, lowered, wholes()).all(said), key=lambda each: (each.start, -each.end)):
        if not kept or part.start >= kept[-1].end:
            kept.append(part)
    return kept


@cache
def _any_of(words: frozenset[str]) -> re.Pattern[str]:
    # in front of them nothing is looked at here: with it the search takes five times as long
    return re.compile(rf"(?:{'|'.join(sorted(words, reverse=True))})(?![\w-])")


@lru_cache(maxsize=512)
def _count(words: str, language: str) -> int | None:
    try:
        return int(text2num(words, language))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Count:
    """A number in front of a part."""

    value: Fraction
    start: int
    said: str = ""
    """Its last word."""
    joined: str = " "
    """What stands between them."""


class _Reading:
    """One text, also in small letters, with its numbers."""

    def __init__(self, text: str, lowered: str, wholes: Wholes) -> None:
        self._original, self._text, self._wholes = text, lowered, wholes

    def all(self, said: frozenset[str]) -> Iterator[Part]:
        for match in _COMPOUND.finditer(self._text) if "nhal" in self._text else ():
            if whole := _count(match[1] or match[2], "de" if match[1] else "nl"):
                yield Part(whole + _HALF, match.start(), match.end())
        for match in _any_of(said).finditer(self._text) if said else ():
            word, (start, end) = match.group(), match.span()
            if start and _LETTER.match(self._text, start - 1):
                continue
            if word in WHOLE_WORDS:
                hour = word == "dreiviertel" and IS_TIME["de"].match(self._text, end)
                yield Part(WHOLE_WORDS[word], start, end, sure=not hour)
            elif word in PARTS:
                read = (self._part(each, start, end) for each in PARTS[word])
                yield from [part for part in read if part][:1]
            elif half := self._half(word, start, end):
                yield half

    # ------------------------------------------------------------------------------------------------------------ halves

    def _half(self, word: str, start: int, end: int) -> Part | None:
        for language in AFTER_A_NUMBER.get(word, ()):
            if mixed := self._mixed(_HALF, self._with_one(start, language), end, language, word):
                return mixed
        if word == "half":
            if scale := _SCALE.match(self._text, end) or _SCALE_OF.match(self._text, end):
                return Part(_HALF * SCALES[scale[1]], start, scale.end())
            if _PAST.match(self._text, end):
                return None
        return Part(_HALF, self._with_one(start, "en"), end, sure=False) if word in HALVES else None

    def _with_one(self, start: int, language: str) -> int:
        """Where "a half" begins, in the languages that say "two and a half"."""
        before = _ONE_BEFORE.search(self._text, max(0, start - 12), start)
        one = before and before[1] in ONES[language] and language in ("en", "de", "nl", "da")
        return before.start() if before and one else start

    # ------------------------------------------------------------------------------------------------------- other parts

    def _part(self, word: Word, start: int, end: int) -> Part | None:
        if word.noun:
            noun = _NEXT.match(self._text, end)
            if not noun or noun[1] != word.noun:
                return None
            end = noun.end()
        counted = self._counted(start, word)
        if not counted or FINAL.match(self._text, end):
            return None
        value, top = counted.value / word.bottom, abs(int(counted.value))
        if scaled := self._scaled(word, value, top, counted.start, end):
            return scaled
        if top > 1 or (word.bottom == 4 and not self._is_of(word, end)):
            mixed = self._mixed(value, counted.start, end, word.language, counted.said)
            if mixed:
                return mixed
        return Part(value, counted.start, end, self._is_sure(word, counted, end))

    def _counted(self, start: int, word: Word) -> _Count | None:
        """How many of the part are said before it; None where they make no part."""
        last = _LAST_WORD.search(self._text, max(0, start - 30), start)
        if not last:
            return None
        said, joined, language = last[1], last[2], word.language
        number = self._wholes.get(last.end(1)) if language == "en" or said.isdigit() else None
        if number:
            count = _Count(number[1], number[0], said, joined)
        elif said in ONES[language] or (
            said in ARTICLES.get(language, ()) and (word.noun or self._after_article(word, start))
        ):
            count = _Count(Fraction(1), last.start(), said, joined)
        elif language != "en" and (found := self._numeral(last.end(1), language)):
            count = _Count(Fraction(found[0]), found[1], said, joined)
        else:
            return None
        top = abs(count.value)
        hyphened = language == "en" and joined == "-" and (int(top), word.bottom) in ((2, 3), (3, 4))  # "three-quarter"
        if joined == "-" and word.bottom in (100, 1000) and top in (10, 100):
            return None  # "ten-thousandths"
        fits = word.one if top == 1 else word.more or hyphened
        return count if top.denominator == 1 and 0 < top < word.bottom and fits else None

    def _after_article(self, word: Word, start: int) -> bool:
        """ "le tiers des élèves", and not "le tiers état"."""
        end = _NUMERAL_AT.match(self._text, start)
        return bool(end and self._is_of(word, end.end()))

    def _scaled(self, word: Word, value: Fraction, top: int, start: int, end: int) -> Part | None:
        """ "a quarter million", "two thirds of a million", and not "a third million"."""
        if word.language != "en":
            return None
        scale = _SCALE_OF.match(self._text, end)
        if not scale and (top > 1 or word.bottom == 4):
            scale = _SCALE.match(self._text, end)
        return Part(value * SCALES[scale[1]], start, scale.end()) if scale else None

    def _is_of(self, word: Word, end: int) -> bool:
        found = IS_OF[word.language].match(self._text, end)
        following = _NEXT.match(self._original, found.end()) if found else None
        if following and word.language == "en" and following[1].lower() in MONTHS:
            return False  # "a Fourth of July parade"
        if following and word.bottom == 4 and word.language != "de" and following[1][0].isupper():
            return False  # "a quarter of Paris"
        return bool(found)

    def _is_sure(self, word: Word, count: _Count, end: int) -> bool:
        top, of = abs(int(count.value)), self._is_of(word, end)
        if count.said in ARTICLES.get(word.language, ()) or (count.joined == "-" and word.language != "en"):
            return False  # "trois-quarts" is a player
        if word.bottom == 4 and (top == 2 or IS_TIME[word.language].match(self._text, end)):
            return False
        if count.said.isdigit() and not self._is_sure_after_digits(word, end, of):
            return False
        if top > 1:
            return word.bottom != 4 or bool(word.noun) or self._are_sure_quarters(word.language, count.start, end, of)
        if word.language == "da" or (word.language == "de" and word.bottom != 4):
            return True
        if _ANOTHER.search(self._text, max(0, count.start - 60), count.start) or _IN_A_ROW.match(self._text, end):
            return False
        ends = count.joined == "-" or _ENDS.match(self._text, end)
        return of or (word.language == "en" and count.said == "one" and bool(ends))

    def _is_sure_after_digits(self, word: Word, end: int, of: bool) -> bool:
        if word.language == "nl":  # "artikel 2 derde lid"
            return of or self._text.startswith("n", end - 1)
        if word.language == "fr" and word.bottom in (3, 4):  # "2 quarts of milk", "3 tiers"
            return bool(_FRENCH_OF.match(self._text, end))
        return True

    def _are_sure_quarters(self, language: str, start: int, end: int, of: bool) -> bool:
        if language in ("es", "pt"):
            return of  # rooms are named so
        if language == "de":
            return of or self._text.startswith("n", end - 1)  # as are districts
        if language == "en":
            of_a_year = _QUARTERS_OF_A_YEAR.search(self._text, max(0, start - 14), start)
            return not ((of_a_year and (not of or of_a_year[1])) or _IN_A_ROW.match(self._text, end))
        return True

    # ----------------------------------------------------------------------------------------------------- whole numbers

    def _numeral(self, end: int, language: str) -> tuple[int, int] | None:
        """The number in words that ends there, and where it begins."""
        best, at = None, end
        for _ in range(_LONGEST):
            word = _NUMERAL.search(self._text, max(0, at - 40), at)
            count = _count(self._text[word.start() : end], language) if word else None
            if not word or (count is None and best is None):
                break
            at = word.start()
            best = (count, at) if count is not None else best
            if self._text[at - 1 : at] != " ":
                break
            at -= 1
        return best

    def _mixed(self, part: Fraction, begin: int, end: int, language: str, said: str) -> Part | None:
        """The part with the whole number before it."""
        joint = _JOINED[language].search(self._text, max(0, begin - 12), begin)
        if not joint:
            return None
        stop = joint.start()
        number = self._wholes.get(stop) if language == "en" or self._text[stop - 1 : stop].isdigit() else None
        if number:
            start, whole = number
        elif language != "en" and (found := self._numeral(stop, language)):
            start, whole = found[1], Fraction(found[0])
        else:
            return self._around_a_noun(part, stop) if language != "en" else None
        if whole.denominator > 1:
            return None
        if language == "en" and (large := _LARGE.search(self._text, start, stop)):
            part *= SCALES[large[1]]  # "a million and a half"
        scale = _SCALE.match(self._text, end) if language == "en" else None
        value = (whole + part if whole >= 0 else whole - part) * (SCALES[scale[1]] if scale else 1)
        hour = bool(_CLOCK.search(self._text, max(0, start - 6), start)) or said in ("media", "meia", "mezza")
        hour = hour or (part.denominator == 4 and bool(IS_TIME[language].match(self._text, end)))
        return Part(value, start, scale.end() if scale else end, sure=not hour)

    def _around_a_noun(self, part: Fraction, stop: int) -> Part | None:
        """ "2 ans et demi"; "2 heures et demie" may be a time of day. The noun is left to itself."""
        noun = _NOUN.search(self._text, max(0, stop - 24), stop)
        number = self._wholes.get(noun.start()) if noun else None
        if not noun or not number or number[1].denominator > 1 or not self._text[noun.start() - 1].isdigit():
            return None
        return Part(number[1] + part, number[0], noun.start(), sure=noun[1] not in _HOURS)
