"""Times, dates, shares, measures and countries that say the same in another way: "9 pm" and 21:00, "4 March 1956" and 1956-03-04,
"75 %" and three quarters, 5 km and 5,000 m, the UK and the United Kingdom.

Only what is surely equal counts. What may be two things is none of them: 3/4/1956, 9:30 without its half of the day, 33 % for
a third.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from augment_correction.grading import cldr, phrases
from augment_correction.grading.numbers import PERCENT_SIGN, find_numbers, parts_of
from augment_correction.grading.spelt import language_of
from augment_correction.grading.text import words

Value = tuple[object, ...]
"""Its kind, and what it comes to."""
ROUNDED = Fraction(1, 5)
"""A share of the larger of two values by which they may differ and still be roundings of one."""
DISPUTED = (
    frozenset(["CN", "TW", "HK", "MO"]),
    frozenset(["IL", "PS"]),
    frozenset(["CD", "CG"]),
    frozenset(["KP", "KR"]),
)
"""Countries whose names are given to each other."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What `text[start:end]` means; equal meanings are equal values."""

    value: Value
    start: int
    end: int


Languages = tuple[str, ...]
Finder = Callable[[str, Languages], Iterator[Meaning]]


def in_words_of(answer: str, reference: str, question: str = "") -> str:
    """The answer with the reference's own words in place of what says the same; the answer itself where nothing does."""
    languages = _languages(question, reference, answer)
    for find in FINDERS:
        meant = {said.value: reference[said.start : said.end] for said in find(reference, languages)}
        if meant:
            found = [said for said in find(answer, languages) if said.value in meant]
            for said in sorted(found, key=lambda each: -each.start):
                answer = answer[: said.start] + meant[said.value] + answer[said.end :]
    return answer


@dataclass(frozen=True, slots=True)
class Rival:
    """`text` is the answer with the reference in place of what it says instead."""

    said: str
    text: str


def rival_of(answer: str, reference: str, question: str = "") -> Rival | None:
    """Where the whole reference is such a value, and the answer holds one of the same kind that is surely another, and not
    one of the question. Of dates none is sure: one thing is signed, proclaimed and celebrated on three of them."""
    languages = _languages(question, reference, answer)
    for find in () if "?" in answer else (times, shares, measures, countries):
        asked = {said.value for text in (question, question.title()) for said in find(text, languages)}
        meant = list(find(reference, languages))
        given = [said for said in find(answer, languages) if said.value not in asked] if meant else []
        if len(meant) == len(given) == 1 and _is_all(meant[0], reference) and _clash(meant[0].value, given[0].value):
            said = answer[given[0].start : given[0].end]
            return Rival(said, answer[: given[0].start] + reference.strip(" .") + answer[given[0].end :])
    return None


def others_of(text: str, reference: str, question: str) -> list[str]:
    """What the text says besides that is of the reference's kind, surely another, and not of the question."""
    languages = _languages(question, reference, text)
    for find in FINDERS:
        if meant := {said.value for said in find(reference, languages)}:
            known = meant | {said.value for said in find(question, languages)}
            return [
                text[said.start : said.end]
                for said in find(text, languages)
                if said.value not in known and all(_clash(each, said.value) for each in meant)
            ]
    return []


def _languages(*texts: str) -> Languages:
    return tuple(dict.fromkeys(("en", *map(language_of, texts))))


def _is_all(said: Meaning, text: str) -> bool:
    rest = words(text[: said.start] + " " + text[said.end :])
    return not set(rest) - phrases.FRAME


def _clash(one: Value, other: Value) -> bool:
    """Not where the one may be a rounding of the other, or a matter of opinion."""
    if one[0] != other[0] or one == other:
        return False
    if one[0] == "country":
        return not any({one[1], other[1]} <= disputed for disputed in DISPUTED)
    if isinstance(one[1], Fraction) and isinstance(other[1], Fraction):
        return abs(one[1] - other[1]) > ROUNDED * max(abs(one[1]), abs(other[1]))
    return True


# ------------------------------------------------------------------------------------------------------ times of day

_HALF = r"(?P<half>[ap]\.?\s?m\b\.?|(?:o['’]clock\s+)?(?:in\s+the\s+(?:morning|afternoon|evening)|at\s+night))"
_TIME = re.compile(
    rf"(?<![\d:.,/])(?:(?P<hour>[01]?\d|2[0-4])(?:[:.h](?P<minute>[0-5]\d))?(?![\d:]|[.,/]\d)\s*(?:{_HALF}|(?P<full>Uhr|uhr))?"
    r"|(?P<named>noon|midday|midnight)\b)(?:\s+(?:Uhr|uhr))?",
    re.IGNORECASE,
)
NOON = 12 * 60


def times(text: str, languages: Languages) -> Iterator[Meaning]:
    for match in _TIME.finditer(text):
        minutes = _minutes(match)
        if minutes is not None:
            yield Meaning(("time", minutes % (24 * 60)), match.start(), match.end())


def _minutes(match: re.Match[str]) -> int | None:
    """Since midnight; None where the half of the day is open, or it is a plain number."""
    if named := match["named"]:
        return 0 if named.casefold() == "midnight" else NOON
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), (match["half"] or "").casefold()
    if half:
        if not 1 <= hour <= 12:
            return hour * 60 + minute if hour > 12 and "a" not in half[:1] else None
        late = half[0] == "p" or "afternoon" in half or "evening" in half or ("night" in half and 6 <= hour < 12)
        return (hour % 12) * 60 + minute + (NOON if late else 0)
    if match["minute"] is None:
        return hour * 60 if match["full"] and hour > 12 else None
    if "." in match.group() and not match["full"]:
        return None  # 21.30 is a number
    sure = hour > 12 or hour == 0 or match["hour"].startswith("0")
    return hour * 60 + minute if sure else None


# ------------------------------------------------------------------------------------------------------------- dates

_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|ª|\.)?"
_MONTH = r"(?P<month>[^\W\d_]{3,})\.?"
_OF = r"(?:\s+(?:of|de|del|di)\s+|[\s-]+)"
_YEAR = r"[\s,-]+(?:(?:de|del|of)\s+)?(?P<year>[12]\d{3})(?!\d)"
_DATES = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?<![\w.-])(?:the\s+)?{_DAY}{_OF}{_MONTH}{_YEAR}",
        rf"(?<!\w){_MONTH}\s+(?:the\s+)?{_DAY}{_YEAR}",
        r"(?<![\d-])(?P<year>[12]\d{3})-(?P<month>[01]\d)-(?P<day>[0-3]\d)(?![\d-])",
        r"(?<![\d.])(?P<day>[0-3]?\d)\.\s?(?P<month>[01]?\d)\.\s?(?P<year>[12]\d{3})(?!\d)",
        r"(?P<year>[12]\d{3})\s?[年년]\s?(?P<month>[01]?\d)\s?[月월]\s?(?P<day>[0-3]?\d)\s?[日일]",
    )
)


def dates(text: str, languages: Languages) -> Iterator[Meaning]:
    if not re.search(r"[12]\d{3}", text):
        return
    for match in (found for form in _DATES for found in form.finditer(text)):
        named = match["month"]
        month = int(named) if named.isdigit() else _month(named.casefold(), languages)
        if month and 1 <= month <= 12 and 1 <= int(match["day"]) <= 31:
            yield Meaning(("date", int(match["year"]), month, int(match["day"])), match.start(), match.end())


def _month(name: str, languages: Languages) -> int | None:
    return cldr.months(languages).get(name) or cldr.months(cldr.LANGUAGES).get(name)


# ------------------------------------------------------------------------------------------------------------ shares

_FRACTION = re.compile(r"(?<![\w/.,])(\d{1,4})\s?[/⁄]\s?([1-9]\d{0,3})(?![\w/]|[.,]\d)")


def shares(text: str, languages: Languages) -> Iterator[Meaning]:
    for number in find_numbers(text, words=True):
        after = PERCENT_SIGN.match(text, number.end)
        if after:
            yield Meaning(("share", Fraction(number.value) / 100), number.start, after.end())
    for match in _FRACTION.finditer(text):
        if not PERCENT_SIGN.match(text, match.end()):
            yield Meaning(("share", Fraction(int(match[1]), int(match[2]))), match.start(), match.end())
    for part in parts_of(text):
        if 0 < part.value < 1 and not PERCENT_SIGN.match(text, part.end):
            yield Meaning(("share", part.value), part.start, part.end)


# ---------------------------------------------------------------------------------------------------------- measures

_UNIT = re.compile(
    r"[\s\u00a0-]?((?:degrees?\s+)?[^\W\d_]+(?:\s[^\W\d_]+)?[²³]?|°\s?[CFK]\b|[^\W\d_]+[²³]?)", re.IGNORECASE
)
ZERO = {
    "temperature-celsius": Fraction("273.15"),
    "temperature-fahrenheit": Fraction("459.67"),
    "temperature-kelvin": Fraction(0),
}


def measures(text: str, languages: Languages) -> Iterator[Meaning]:
    for number in find_numbers(text, words=True):
        unit, end = _unit_at(text, number.end, languages)
        if unit:
            kind, factor = cldr.FACTORS[unit]
            value = Fraction(number.value)
            if kind == "temperature":
                value = (value + ZERO[unit]) * (Fraction(5, 9) if "fahrenheit" in unit else 1)
            yield Meaning((kind, value * factor), number.start, end)


def _unit_at(text: str, start: int, languages: Languages) -> tuple[str, int]:
    """The longest unit that stands there, and where it ends."""
    match = _UNIT.match(text, start)
    while match:
        word = match[1].replace("\u00a0", " ")
        known = cldr.units(languages)
        spelt = re.sub(r"°\s+", "°", word)
        found = known.get(spelt) or (known.get(spelt.casefold()) if len(spelt) > 3 else None)
        if found:
            return found, match.end()
        shorter = word.rpartition(" ")[0]
        match = re.compile(r"[\s\u00a0-]?(" + re.escape(shorter) + ")").match(text, start) if shorter else None
    return "", start


# --------------------------------------------------------------------------------------------------------- countries


def is_country(text: str) -> bool:
    return any(_is_all(said, text) for said in countries(text, ("en",)))


_NAME = re.compile(r"[^\W\d_][^\W\d_.'’-]*(?:[.'’-][^\W\d_]*)*")


def countries(text: str, languages: Languages) -> Iterator[Meaning]:
    """Where the whole text is one, or names stand in it: the longest first, with a capital where its script has them."""
    known = cldr.countries(cldr.LANGUAGES)
    found = [*_NAME.finditer(text)]
    at = 0
    while at < len(found):
        length = next(
            (n for n in range(min(6, len(found) - at), 0, -1) if _country(text, found[at : at + n], known)), 0
        )
        if length:
            start, end = found[at].start(), found[at + length - 1].end()
            yield Meaning(("country", _country(text, found[at : at + length], known)), start, end)
        at += length or 1


def _country(text: str, words: Sequence[re.Match[str]], known: Mapping[str, str]) -> str | None:
    said = text[words[0].start() : words[-1].end()]
    plain = said.replace("’", "'").casefold()
    code = known.get(plain) or known.get(plain.rstrip("."))
    if code is None or said[:1].islower():
        return None
    if plain.replace(".", "") in cldr.WITH_CAPITALS and not said.replace(".", "").isupper():
        return None
    return code


FINDERS: tuple[Finder, ...] = (times, dates, shares, measures, countries)
