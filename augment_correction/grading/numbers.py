"""Numbers in running text as exact values, so that 1,000 and 1000, 3.0 and 3, seven and 7 are one, and -5 and 5 are two.

How a numeral is read where countries differ (the same text always gives the same values):
- `1,000` groups and `3,5` is a decimal: a comma groups only before exactly three digits, after a number that does not
  start with 0. `(3,5)` alone in brackets is a pair.
- `1.000` is one, as English and every programming language read it; `1.000.000` and `1.000,5` can only be European.
- `1'000` and no-break or thin spaces group; a plain space does where a group starts with 0 (`10 000`, not `10 500`).
- Anything else that separators hold together is several numbers: `12.03.2024`, `1.5.2`, `12:30`, `1,2,3`.
- A hyphen is a sign only where nothing stands before it: not in `3-5`, `COVID-19`, `2024-03-12`.
- Digits inside a word (`H2O`, `v2`) belong to the word; letters may follow (`5kg`, `3rd`, `1990s`).
- `1/2`, `½` and `1½` are quotients, dates like `3/4/2024` are not. In words they are read by `parts.py`. Units, percent and currency signs are left alone.
- The numbering of a list (two lines or more that start with `1.`) is layout and not a value.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from augment_correction.grading.lexicon import PERCENT
from augment_correction.grading.parts import Part, find_parts

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {word: value for value, word in enumerate(_SMALL)} | {word: 20 + 10 * i for i, word in enumerate(_TENS)}
_ZEROS = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻−", "0123456789+--")

# What is only looked ahead at here is said again by what follows: at a letter that begins no number it saves the attempt.
_DIGITS = r"""
    (?=[-−–+$€£¥\d.¼-¾⅐-⅞])
    (?P<sign>(?<![\w)\]}%°\-−–+])[-−–+](?=[$€£¥]?[\d.½¼¾]))?
    (?: (?<=[-−–+])[$€£¥] )?
    (?<![^\W\u3040-\u9fff])(?<!\d[.,'’])
    (?:
        (?:(?P<whole>\d{1,2})[ ])?(?<![\d/])(?P<top>\d{1,9})[/⁄](?P<bottom>[1-9]\d{0,8})(?![\w/]|[.,]\d)
      | (?:(?P<mixed>\d{1,3})[ ]?)?(?P<vulgar>[¼-¾⅐-⅞])
      | (?P<run> [1-9]\d{0,2}(?:(?:[\u00a0\u2009\u202f]\d{3})+|(?:[ ]\d{3}){0,3}?[ ]0\d\d(?:[ ]\d{3}){0,3})(?!\d)(?:[.,]\d+)?
               | \d+(?:[.,'’]\d+)*
               | (?<!\.)\.\d+ )
        (?: [eE](?P<e>[+-]?\d{1,3})(?!\w)
          | \s?[×x·*]\s?10(?:\^\{?(?P<power>[-−+]?\d{1,3})\}?|(?P<raised>[⁺⁻]?[⁰¹²³⁴-⁹]{1,3})) )?
    )"""
_UNDER_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[-\s](?:{'|'.join(_SMALL[1:10])}))?|{'|'.join(reversed(_SMALL))})"
_UNDER_1000 = rf"(?:(?:{_UNDER_100}|an?)\s+hundred(?:\s+(?:and\s+)?{_UNDER_100})?|{_UNDER_100})"
_LARGE = "thousand|million|billion|trillion"
_SPELLED = rf"""
    (?<![\w-])(?=an?\s|e(?:ig|le)|f(?:if|iv|or|ou)|hal|min|n(?:eg|in)|one|s(?:ev|ix)|t(?:en|hi|hr|we|wo)|zer)
    (?P<minus>(?:minus|negative)\s+)?(?P<spelled>
        (?:half\s+a|an?|{_UNDER_100})\s+dozen
      | (?:{_UNDER_1000}|an?(?=\s+(?:{_LARGE})))(?:[\s-]+(?:{_LARGE})(?:\s+(?:and\s+)?{_UNDER_1000})?)*
    )(?!\w)
    """
_SCALE = rf"(?P<scale>(?:[\s-]?(?:{'|'.join(_ZEROS)})s?(?!\w)){{0,2}})"
_FIND = re.compile(_DIGITS, re.VERBOSE)
_FIND_WITH_WORDS = re.compile(rf"(?:{_DIGITS}|{_SPELLED}){_SCALE}", re.VERBOSE | re.IGNORECASE)
_AFTER_A_NUMBER = re.compile(rf"(?:\d|\b(?:{'|'.join(_WORDS)}))\s*$", re.IGNORECASE)
PERCENT_SIGN = re.compile(
    rf"\s?(?:%|(?:{'|'.join(sorted(map(re.escape, PERCENT - {'%'}), key=len, reverse=True))}"
    r"|(?:per|pour)\s+cent|por\s+cien(?:to)?|p[eo]r\s+cento)(?!\w))",
    re.IGNORECASE,
)
_NUMBERING = re.compile(r"^[ \t]*(\d{1,3})[.)][ \t]+(?=\S)", re.MULTILINE)

# (what the whole run looks like, what groups, what starts the decimals), the first that fits
_FORMS = (
    (re.compile(r"\d+|\d*\.\d+"), "", "."),
    (re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|[1-9]\d?(?:,\d{2})+,\d{3}(?:\.\d+)?"), ",", "."),
    (re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+,\d+|[1-9]\d{0,2}(?:\.\d{3}){2,}"), ".", ","),
    (re.compile(r"[1-9]\d{0,2}(?:['’]\d{3})+(?:\.\d+)?"), "'’", "."),
    (re.compile(r"\d+,\d+"), "", ","),
)


@dataclass(frozen=True, slots=True)
class Number:
    """`text[start:end]` is the numeral with its sign, without its unit."""

    value: Decimal
    start: int
    end: int
    spelled: bool = False
    doubtful: bool = False
    """It may be no number (`parts.py`)."""

    @property
    def vague(self) -> bool:
        """ "one" may be a pronoun ("this one"), so that it can confirm a 1 and never contradict anything; "half" may be roughly
        half."""
        return self.doubtful or (self.spelled and self.value == 1)


@lru_cache(maxsize=128)  # one answer is looked at from many sides
def find_numbers(text: str, *, words: bool = False) -> tuple[Number, ...]:
    """In order. `words`: also English number words ("minus one", "one hundred and fifty", "a dozen"), "3 million" as 3000000,
    and parts of a whole in eight languages ("four fifths", "deux tiers"), without the doubtful ones (`find_doubtful`)."""
    found = _plain_numbers(text, words=words)
    sure = [part for part in parts_of(text) if part.sure] if words else []
    if not sure:
        return found
    beside = [number for number in found if not any(_overlap(number, part) for part in sure)]
    return tuple(sorted([*beside, *map(_as_number, sure)], key=lambda each: each.start))


def find_doubtful(text: str) -> tuple[Number, ...]:
    """In order, what may be a part of a whole and may be something else: "half", "a quarter of an hour", "a third party". They
    may stand over numbers of `find_numbers`."""
    return tuple(_as_number(part) for part in parts_of(text) if not part.sure)


@lru_cache(maxsize=128)
def parts_of(text: str) -> tuple[Part, ...]:
    """In order, sure ones and doubtful ones; mixed numbers are among them."""

    def wholes() -> dict[int, tuple[int, Fraction]]:
        return {each.end: (each.start, Fraction(each.value)) for each in _plain_numbers(text, words=True)}

    return tuple(find_parts(text, wholes))


def _as_number(part: Part) -> Number:
    value = Decimal(part.value.numerator) / Decimal(part.value.denominator)
    return Number(value, part.start, part.end, spelled=True, doubtful=not part.sure)


def _overlap(number: Number, part: Part) -> bool:
    return number.start < part.end and part.start < number.end


@lru_cache(maxsize=128)
def _plain_numbers(text: str, *, words: bool) -> tuple[Number, ...]:
    numbering = [match.start(1) for match in _NUMBERING.finditer(text)]
    layout = set(numbering) if len(numbering) > 1 else set()
    found = (_FIND_WITH_WORDS if words else _FIND).finditer(text)
    return tuple(number for match in found if match.start("run") not in layout for number in _read(text, match))


def is_percent(text: str, number: Number) -> bool:
    return bool(PERCENT_SIGN.match(text, number.end))


def values(text: str, *, words: bool = False) -> Counter[Decimal]:
    """How often each value stands there."""
    return Counter(number.value for number in find_numbers(text, words=words))


def canonical(value: Decimal) -> str:
    """One spelling for each value: "3.0" and "3" are "3", "1e3" is "1000"."""
    plain = format(value, "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in ("-0", "") else plain


def _read(text: str, match: re.Match[str]) -> Iterator[Number]:
    start, end = match.span()
    if (digits := match.group()).isdecimal():  # most numbers
        yield Number(Decimal(digits), start, end)
        return
    part = match.groupdict()
    zeros = sum(_ZEROS[word.lower()] for word in re.findall("|".join(_ZEROS), part.get("scale") or "", re.IGNORECASE))
    sign = "-" if part["sign"] in ("-", "−", "–") else ""
    run = re.sub(r"\s", "", part["run"] or "")
    if spelled := part.get("spelled"):
        # "ten minus five" takes away; "minus five" is a sign
        minus = part["minus"] if not _AFTER_A_NUMBER.search(text[max(0, start - 12) : start]) else None
        value = Decimal(_spelled(spelled)).scaleb(zeros)
        yield Number(-value if minus else value, start if minus else match.start("spelled"), end, spelled=True)
    elif not run:
        yield Number(Decimal(f"{sign}{_quotient(part)}").scaleb(zeros), start, end)
    elif (plain := _plain(run, in_brackets=_in_brackets(text, *match.span("run")))) is None:
        yield from _each(match)
    else:
        exponent = (part["e"] or part["power"] or part["raised"] or "0").translate(_SUPERSCRIPTS)
        yield Number(Decimal(f"{sign}{plain}E{int(exponent) + zeros}"), start, end)


def _spelled(text: str) -> int:
    total = group = 0
    for word in re.findall(r"[a-z]+", text.lower()):
        if word == "dozen":
            group *= 12
        elif word == "hundred":
            group *= 100
        elif word in _ZEROS:
            total, group = total + group * 10 ** _ZEROS[word], 0
        elif word in ("a", "an"):
            group = group or 1
        elif word == "half":
            return 6  # of a dozen
        elif word != "and":
            group += _WORDS[word]
    return total + group


def _plain(run: str, *, in_brackets: bool) -> str | None:
    """`run` with a point and no grouping; None where it is several numbers."""
    for form, grouping, decimal in _FORMS:
        if form.fullmatch(run):
            if decimal == "," and not grouping and in_brackets:
                return None
            return "".join("." if sign == decimal else sign for sign in run if sign not in grouping)
    return None


def _in_brackets(text: str, start: int, end: int) -> bool:
    return text[start - 1 : start] in ("(", "[", "{") and text[end : end + 1] in (")", "]", "}")


def _each(match: re.Match[str]) -> Iterator[Number]:
    """Commas part decimals from each other ("1.5,2.5"); what is no number even then is parted at every sign."""
    sign = "-" if match["sign"] in ("-", "−", "–") else ""
    for piece in re.finditer(r"[^,]+", match["run"]):
        whole = _plain(piece.group(), in_brackets=False) is not None
        for part in [piece] if whole else re.finditer(r"\d+", piece.group()):
            start = match.start("run") + part.start() + (0 if whole else piece.start())
            yield Number(Decimal(sign + part.group()), start, start + len(part.group()))
            sign = ""


def _quotient(part: dict[str, str | None]) -> Decimal:
    top, bottom = part["top"], part["bottom"]
    if part["vulgar"]:
        top, _, bottom = unicodedata.normalize("NFKC", part["vulgar"]).partition("⁄")
    # "⅟" is a numerator that waits for its denominator
    return int(part["whole"] or part["mixed"] or 0) + Decimal(top or 0) / Decimal(bottom or 1)
