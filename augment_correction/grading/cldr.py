"""Names of months, countries and units in the languages that the grader knows, from the Unicode CLDR (Babel). Loaded where one
is looked for: all languages together take a second."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cache

from augment_correction.grading.phrases import FRAMES

WIDTHS = ("wide", "abbreviated")
ALSO: Mapping[str, str] = {
    **dict.fromkeys(("uk", "u.k.", "united kingdom of great britain and northern ireland"), "GB"),
    **dict.fromkeys(("usa", "us", "u.s.", "u.s.a.", "united states of america"), "US"),
    **dict.fromkeys(("uae",), "AE"), **dict.fromkeys(("czech republic",), "CZ"), **dict.fromkeys(("ivory coast",), "CI"),
    **dict.fromkeys(("democratic republic of the congo", "dr congo", "drc"), "CD"),
    **dict.fromkeys(("republic of the congo",), "CG"), **dict.fromkeys(("russian federation",), "RU"),
    **dict.fromkeys(("republic of korea",), "KR"), **dict.fromkeys(("people's republic of china",), "CN"),
    **dict.fromkeys(("republic of ireland",), "IE"), **dict.fromkeys(("east timor",), "TL"),
    **dict.fromkeys(("swaziland",), "SZ"), **dict.fromkeys(("cape verde",), "CV"), **dict.fromkeys(("turkey",), "TR"),
    **dict.fromkeys(("macedonia",), "MK"), **dict.fromkeys(("vatican",), "VA"),
    **dict.fromkeys(("federal republic of germany",), "DE"), **dict.fromkeys(("hellenic republic",), "GR"),
}  # fmt: skip
"""Names of countries that the CLDR does not list first, by their codes."""
WITH_CAPITALS = frozenset(["us", "uk", "uae", "usa", "drc"])
"""Written small they are other words."""
FACTORS: Mapping[str, tuple[str, Fraction]] = {
    name: (kind, Fraction(factor))
    for kind, units in {
        "length": {"kilometer": "1000", "meter": "1", "decimeter": "0.1", "centimeter": "0.01", "millimeter": "0.001",
                   "micrometer": "0.000001", "nanometer": "0.000000001", "mile": "1609.344", "yard": "0.9144",
                   "foot": "0.3048", "inch": "0.0254"},
        "mass": {"tonne": "1000", "kilogram": "1", "gram": "0.001", "milligram": "0.000001", "pound": "0.45359237",
                 "ounce": "0.028349523125"},
        "duration": {"week": "604800", "day": "86400", "hour": "3600", "minute": "60", "second": "1",
                     "millisecond": "0.001"},
        "area": {"square-kilometer": "1000000", "hectare": "10000", "square-meter": "1", "square-centimeter": "0.0001"},
        "volume": {"cubic-meter": "1000", "hectoliter": "100", "liter": "1", "deciliter": "0.1", "centiliter": "0.01",
                   "milliliter": "0.001", "cubic-centimeter": "0.001"},
        "digital": {"terabyte": "1e12", "gigabyte": "1e9", "megabyte": "1e6", "kilobyte": "1000", "byte": "1"},
        "power": {"gigawatt": "1e9", "megawatt": "1e6", "kilowatt": "1000", "watt": "1"},
        "frequency": {"gigahertz": "1e9", "megahertz": "1e6", "kilohertz": "1000", "hertz": "1"},
        "temperature": {"celsius": "1", "fahrenheit": "1", "kelvin": "1"},
    }.items()
    for name, factor in {f"{kind}-{unit}": factor for unit, factor in units.items()}.items()
}  # fmt: skip
"""By the CLDR's name: what it measures, and how many of that kind's first unit one is (temperatures: see `units.py`)."""
SPELT_OTHERWISE: Mapping[str, str] = {"kilometre": "kilometer", "metre": "meter", "litre": "liter", "gramme": "gram"}


@cache
def months(languages: tuple[str, ...]) -> Mapping[str, int]:
    """Names and abbreviations, in small letters without their full stops; none that mean two months in two languages."""
    from babel import Locale

    named: dict[str, set[int]] = defaultdict(set)
    for language in languages:
        locale = Locale(language)
        for number, name in (
            (number, str(name))
            for form in ("format", "stand-alone")
            for width in WIDTHS
            for number, name in locale.months[form][width].items()
        ):
            named[name.casefold().rstrip(".")].add(number)
    return {name: min(numbers) for name, numbers in named.items() if len(numbers) == 1 and not name.isdigit()}


@cache
def countries(languages: tuple[str, ...]) -> Mapping[str, str]:
    """Codes by names in small letters; none that name two countries in two languages."""
    from babel import Locale

    named: dict[str, set[str]] = defaultdict(set)
    for language in languages:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("EU", "EZ", "UN", "ZZ", "XA", "XB", "XK"):
                for each in _names(str(name)):
                    named[each].add(code)
    for name, code in ALSO.items():
        named[name].add(code)
    return {name: next(iter(codes)) for name, codes in named.items() if len(codes) == 1}


def _names(name: str) -> Iterator[str]:
    """ "Myanmar (Burma)" is two."""
    for part in re.split(r"[()]", name.replace("’", "'")):
        if part.strip():
            yield part.strip().casefold()


@cache
def units(languages: tuple[str, ...]) -> Mapping[str, str]:
    """The CLDR's names by words and signs; none that stand for two units."""
    from babel.units import format_unit

    named: dict[str, set[str]] = defaultdict(set)
    for unit in FACTORS:
        for language in languages:
            for word in _spelt(
                format_unit(count, unit, length, locale=language)
                for length in ("long", "short")
                for count in (1, 2, 5, 1.5)
            ):
                named[word].add(unit)
    for word, found in [*named.items()]:
        for other, usual in SPELT_OTHERWISE.items():
            if usual in word:
                named[word.replace(usual, other)] |= found
    return {word: next(iter(found)) for word, found in named.items() if len(found) == 1}


def _spelt(formatted: Iterable[str]) -> Iterator[str]:
    """Without the number, which may stand on either side. Words in small letters; signs as they are ("MB", "mb")."""
    for text in formatted:
        word = re.sub(r"[\d.,٠-٩۰-۹٫\u200e\u200f\u061c]+", "", text).strip()
        if word:
            yield word if len(word) <= 3 else word.casefold()


LANGUAGES = tuple(FRAMES)
