"""Parts of a whole in words: "four fifths", "deux tiers", "drei Viertel", "dos terceras partes", "two and a half", "anderthalb".

Whether a word for one is meant as a part, or as a third party or the third floor: `part_sense.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache

from text_to_num import text2num

from augment_correction.grading.part_sense import NEXT, Count, Surroundings
from augment_correction.grading.part_words import (
    AFTER_A_NUMBER,
    AND,
    ARTICLES,
    FINAL,
    HALVES,
    KNOWN,
    ONES,
    PARTS,
    SCALES,
    WHOLE_WORDS,
    Word,
)

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
_PAST = re.compile(r"\s+(?:past\b|a\s+dozen)")
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


class _Reading:
    """One text, also in small letters, with its numbers."""

    def __init__(self, text: str, lowered: str, wholes: Wholes) -> None:
        self._text, self._wholes = lowered, wholes
        self._beside = Surroundings(text, lowered)

    def all(self, said: frozenset[str]) -> Iterator[Part]:
        for match in _COMPOUND.finditer(self._text) if "nhal" in self._text else ():
            if whole := _count(match[1] or match[2], "de" if match[1] else "nl"):
                yield Part(whole + _HALF, match.start(), match.end())
        for match in _any_of(said).finditer(self._text) if said else ():
            word, (start, end) = match.group(), match.span()
            if start and _LETTER.match(self._text, start - 1):
                continue
            if word in WHOLE_WORDS:
                hour = word == "dreiviertel" and self._beside.is_time("de", end)
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
            noun = NEXT.match(self._text, end)
            if not noun or noun[1] != word.noun:
                return None
            end = noun.end()
        counted = self._counted(start, word)
        if not counted or FINAL.match(self._text, end):
            return None
        value, top = counted.value / word.bottom, abs(int(counted.value))
        if scaled := self._scaled(word, value, top, counted.start, end):
            return scaled
        if top > 1 or (word.bottom == 4 and not self._beside.is_of(word, end)):
            mixed = self._mixed(value, counted.start, end, word.language, counted.said)
            if mixed:
                return mixed
        return Part(value, counted.start, end, self._beside.is_sure(word, counted, end))

    def _counted(self, start: int, word: Word) -> Count | None:
        """How many of the part are said before it; None where they make no part."""
        last = _LAST_WORD.search(self._text, max(0, start - 30), start)
        if not last:
            return None
        said, joined, language = last[1], last[2], word.language
        number = self._wholes.get(last.end(1)) if language == "en" or said.isdigit() else None
        if number:
            count = Count(number[1], number[0], said, joined)
        elif said in ONES[language] or (
            said in ARTICLES.get(language, ()) and (word.noun or self._after_article(word, start))
        ):
            count = Count(Fraction(1), last.start(), said, joined)
        elif language != "en" and (found := self._numeral(last.end(1), language)):
            count = Count(Fraction(found[0]), found[1], said, joined)
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
        return bool(end and self._beside.is_of(word, end.end()))

    def _scaled(self, word: Word, value: Fraction, top: int, start: int, end: int) -> Part | None:
        """ "a quarter million", "two thirds of a million", and not "a third million"."""
        if word.language != "en":
            return None
        scale = _SCALE_OF.match(self._text, end)
        if not scale and (top > 1 or word.bottom == 4):
            scale = _SCALE.match(self._text, end)
        return Part(value * SCALES[scale[1]], start, scale.end()) if scale else None

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
        hour = hour or (part.denominator == 4 and self._beside.is_time(language, end))
        return Part(value, start, scale.end() if scale else end, sure=not hour)

    def _around_a_noun(self, part: Fraction, stop: int) -> Part | None:
        """ "2 ans et demi"; "2 heures et demie" may be a time of day. The noun is left to itself."""
        noun = _NOUN.search(self._text, max(0, stop - 24), stop)
        number = self._wholes.get(noun.start()) if noun else None
        if not noun or not number or number[1].denominator > 1 or not self._text[noun.start() - 1].isdigit():
            return None
        return Part(number[1] + part, number[0], noun.start(), sure=noun[1] not in _HOURS)
