"""Whether a first answer, which nobody has doubted yet, states the reference among more facts.

Who has not been doubted has nothing to take back, so that the reference in the first statement about what was asked is
meant, unless a word turns it, a longer name holds it, it is one of a list, or another value may stand in its place. This is
said only in languages whose turning words are known (`phrases.TURNING`); how often it holds: `benchmarks/grading.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from augment_correction.grading import phrases
from augment_correction.grading.case import Case
from augment_correction.grading.denials import denied
from augment_correction.grading.holding import held
from augment_correction.grading.lexicon import ABBREVIATIONS, STOPWORDS
from augment_correction.grading.numbers import canonical, find_numbers
from augment_correction.grading.spelt import language_of
from augment_correction.grading.text import stem, words

_ARTICLES = frozenset(["a", "an", "the"])
_HEADING = re.compile(r"^([^:.!?]+):\s+(?=\S)")
_OPENS = re.compile(r"[(\[\"“–—]")
_CLOSES = re.compile(r"[,;:)\]\"”–—.!?]['*_]*$")
_POSSESSIVE = re.compile(r"\w['’]s?\W*$")
_ROMAN_ONE = re.compile(r"\b[A-Z]\w+ I\b")
_YEAR = re.compile(r"[12]\d{3}")
KNOWN_WORDS = 0.1
"""Of the words of a statement, the share that must be common in its language, before it counts as being in it."""
NEAR = 5
"""Words between the reference and an "or" that may offer something else for it."""
SHORT_PIECE = 3
"""Words up to which what a comma parts from the reference may be another member of a list."""
SHORT_STATEMENT = 4
"""Names and numbers up to which a later sentence with nothing else ("It was Otto Meier.") may be another answer."""


@dataclass(frozen=True, slots=True)
class Token:
    word: str
    capital: bool
    joined: bool
    """A hyphen or slash joins it to the one before."""
    parted: bool
    """A comma, bracket or dash parts it from the one before."""
    owns: bool
    """It ends in 's."""


@dataclass(frozen=True, slots=True)
class StatedReference:
    """A sentence of the answer and the place `tokens[start:end]` where the reference stands in it."""

    case: Case
    tokens: Sequence[Token]
    start: int
    end: int

    @property
    def leading(self) -> int:
        """The place of the word before the reference and its article; -1 where none is."""
        at = self.start - 1
        while at >= 0 and self.tokens[at].word in _ARTICLES:
            at -= 1
        return at

    def adds(self, token: Token) -> bool:
        """It is a word of content that neither the question nor the reference has."""
        plain = STOPWORDS | phrases.FRAME | phrases.STATING | ABBREVIATIONS
        return token.word not in plain and bool(self.case.beyond(token.word))


def unclear(case: Case) -> str:
    """Why the reference may not be meant; "" where it is stated."""
    if case.doubted or not case.question or case.chooses or case.denies:
        return "needs every word accounted for"
    if case.told_wrong & {stem(word) for word in case.read(case.answer)}:
        return "says what is known to be wrong"
    parts = case.statements
    at = next((at for at, part in enumerate(parts) if held(case, part)), -1)
    if at < 0 or _about(case, parts[at]) <= max((_about(case, part) for part in parts[:at]), default=-1):
        return "does not begin with it"
    key, text = held(case, parts[at]), _without_heading(case, parts[at])
    found = list(tokens(text))
    place = _place(case, found, key)
    if not place:
        return "its words are scattered"
    statement = StatedReference(case, found, *place)
    others = (part for part in (*parts[:at], *parts[at + 1 :]))
    return (
        _turned(statement, parts[at], text, key)
        or _longer(statement)
        or _listed(statement)
        or _led_away(statement)
        or _rival_number(case)
        or next(filter(None, (_taken_back(case, part) for part in others)), "")
    )


def _about(case: Case, part: str) -> int:
    """How many words of content it shares with the question."""
    return len({stem(word) for word in case.read(part) if word not in phrases.FRAME} & case.asked_stems)


def _without_heading(case: Case, part: str) -> str:
    """ "President in 1975: Gerald Ford." without what stands before its colon, if that repeats the question."""
    heading = _HEADING.match(part)
    return part[heading.end() :] if heading and held(case, part[heading.end() :]) and _about(case, heading[1]) else part


def tokens(text: str) -> Iterator[Token]:
    parts, done = [], 0
    for number in find_numbers(text, words=True):
        parts += [text[done : number.start], canonical(number.value)]
        done = number.end
    text = "".join([*parts, text[done:]])
    parted = True
    for raw in text.split():
        pieces = [piece for piece in re.split(r"(?<=\w)[-/–—](?=\w)", raw) if words(piece)]
        opens, owns = bool(_OPENS.match(raw)), bool(_POSSESSIVE.search(raw))
        for at, piece in enumerate(pieces):
            capital = piece.lstrip("\"'“‘*_([")[:1].isupper()
            for place, word in enumerate(words(piece)):
                first = at == place == 0
                yield Token(word, capital, not first and word != "%", first and (parted or opens), owns)
        abbreviated = raw.endswith(".") and raw[:-1].casefold() in ABBREVIATIONS
        parted = (bool(_CLOSES.search(raw)) and not abbreviated) or not pieces


def _place(case: Case, found: Sequence[Token], key: Sequence[str]) -> tuple[int, int] | None:
    """Where the words of `key` stand together, with nothing between them that adds something."""
    wanted = {stem(word) for word in key}
    between, plain = wanted | case.own_stems, phrases.FRAME | _ARTICLES
    dated = bool(phrases.MONTHS.intersection(key))
    begin, missing = -1, set(wanted)
    for at, token in enumerate(found):
        word = token.word
        if stem(word) not in between and word not in plain and not (dated and word.isdigit()):
            begin, missing = -1, set(wanted)
            continue
        if begin < 0 and stem(word) in wanted:
            begin = at
        missing.discard(stem(word))
        if begin >= 0 and not missing:
            return begin, at + 1
    return None


def _turned(statement: StatedReference, whole: str, text: str, key: Sequence[str]) -> str:
    case = statement.case
    said = {word for word in words(whole) if word not in case.own_words}
    language = language_of(case.question, whole)
    common = sum(token.word in phrases.FRAMES[language] | _ARTICLES for token in statement.tokens)
    if language not in phrases.TURNING or common < KNOWN_WORDS * len(statement.tokens) or not common:
        return "is in no language whose words are known"
    if denied(" ".join(said)) or any(word.endswith("n't") for word in said):
        return "denies something"
    near = {each.word for each in statement.tokens[max(0, statement.start - NEAR) : statement.end + NEAR]}
    if turning := said & phrases.TURNING[language] - (phrases.CHOOSING - near):
        return f"says {', '.join(sorted(turning))}"
    own = phrases.OWN_ACCOUNT[language] & said - set(words(case.question))
    if own and not phrases.OPINION & said and not _ROMAN_ONE.search(text):
        return "speaks of the speaker"
    before = {token.word for token in statement.tokens[max(0, statement.leading) : statement.start]}
    after = {token.word for token in statement.tokens[statement.end : statement.end + 1]}
    if case.asks_now and (before | after) & phrases.PAST:
        return "speaks of the past"
    return "turns the question round" if case.turned(text, key) else ""


def _longer(statement: StatedReference) -> str:
    """Another word that makes another name or thing of it: New York, iron oxide, 5 km, Brandt's pupil."""
    own = statement.tokens[statement.start : statement.end]
    named = all(each.capital for each in own if each.word not in STOPWORDS)
    for before, (one, other) in enumerate(pairwise(statement.tokens)):
        if before + 1 not in (statement.start, statement.end):
            continue
        outside = one if before + 1 == statement.start else other
        if other.joined:
            return f"{outside.word} is joined to it"
        after_an_article = outside is other and statement.leading < statement.start - 1
        adds = statement.adds(outside) or (after_an_article and outside.capital)
        dated = phrases.MONTHS & {one.word, other.word} and (outside.word in phrases.MONTHS or outside.word.isdigit())
        if other.parted or not adds or dated:
            continue
        apposed = named and phrases.WHO.intersection(words(statement.case.question))
        if outside.capital or not (apposed or (named and outside is other)) or after_an_article:
            return f"{outside.word} stands beside it"
    owning = own[-1].owns and not statement.case.reference.rstrip(" .").endswith(("s", "'", "’"))
    return "it owns something" if owning else ""


def _listed(statement: StatedReference) -> str:
    """It is one of several: "Paris and Lyon", "iron, copper and tin"."""
    found, end, asked = statement.tokens, statement.end, words(statement.case.question)
    listing = phrases.AND | phrases.CHOOSING | {"&"}
    if statement.leading >= 0 and found[statement.leading].word in listing:
        return "is one of several"
    rest = found[end:]
    if rest and rest[0].word in listing:
        verb = len(rest) > 1 and (rest[1].word.endswith("ed") or rest[1].word in phrases.VERBS)
        return "" if verb and rest[0].word in phrases.AND else "is one of several"
    if rest and rest[0].parted and statement.adds(rest[0]):
        length = next((at for at in range(1, len(rest)) if rest[at].parted or rest[at].word in listing), len(rest))
        if length <= SHORT_PIECE and (length < len(rest) or not phrases.WHERE.intersection(asked)):
            return "is one of several"
    return ""


def _led_away(statement: StatedReference) -> str:
    """What stands before it takes its place: "Otto Meier, a pupil of Ida Brandt", "Lyon overtook Paris"."""
    found, at, asked = statement.tokens, statement.leading, set(words(statement.case.question))
    first = found[0]
    names = first.capital and statement.adds(first) and not first.word.endswith("ly") and first.word != "according"
    if statement.start and names:
        return f"begins with {first.word}"
    if at < 0:
        return ""
    lead = found[at].word
    if lead in phrases.AWAY and lead not in asked and not (statement.case.key.numbers and lead in phrases.DATING):
        return f"says {lead} before it"
    if at and lead in phrases.OF and statement.adds(found[at - 1]) and phrases.WHO & asked:
        return f"says {found[at - 1].word} {lead} before it"
    beside = found[at + 1].parted and found[at].capital and statement.adds(found[at])
    return f"says {lead} before it" if beside and not phrases.WHERE & asked else ""


def _rival_number(case: Case) -> str:
    """Another number of the same sort, a year or none, that the question does not have."""
    if not case.key.numbers:
        return ""
    known = {number.value for text in (case.question, case.reference) for number in find_numbers(text, words=True)}
    sorts = {_is_year(case.reference[each.start : each.end]) for each in find_numbers(case.reference, words=True)}
    for number in find_numbers(case.answer, words=True):
        same = _is_year(case.answer[number.start : number.end]) in sorts
        if same and number.value not in known and not number.vague:
            return f"also says {canonical(number.value)}"
    return ""


def _is_year(numeral: str) -> bool:
    return bool(_YEAR.fullmatch(numeral))


def _taken_back(case: Case, part: str) -> str:
    """A further sentence takes back what was said, asks, or is another answer."""
    if "?" in part:
        return "" if any(offer in part.casefold() for offer in phrases.OFFERS) else "asks"
    said = set(words(part)) - case.own_words
    if back := said & phrases.TAKING_BACK.get(language_of(case.question, part), frozenset()):
        return f"goes on with {', '.join(sorted(back))}"
    other = [] if held(case, part) else case.beyond(part)
    named = {token.word for token in tokens(part) if token.capital or token.word.isdigit()}
    if other and len(other) <= SHORT_STATEMENT and set(other) <= named:
        return f"goes on with {', '.join(other)}"
    return ""
