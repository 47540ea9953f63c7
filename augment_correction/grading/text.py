"""Text as words that can be compared: case, punctuation, articles and the spelling of numbers make no difference.

The normalisation is that of the SQuAD evaluation (Rajpurkar et al. 2016, arXiv:1606.05250: lower case, no punctuation,
no articles, one space) with four changes that keep meaning: numbers are compared by value with their sign, C# and 50 %
keep their signs, compounds are split at the hyphen, and an article that ends the text stays ("vitamin A", "Answer: A").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from augment_correction.grading import phrases
from augment_correction.grading.lexicon import ABBREVIATIONS, GERMAN, NO, PERCENT, STOPWORDS
from augment_correction.grading.numbers import canonical, find_numbers
from augment_correction.grading.spelt import language_of
from augment_correction.text import normalised
from augment_correction.text.scripts import UNSPACED

_ARTICLES = ("a", "an", "the")
_SPLIT = re.compile(r"[\s\-‐-―−/,;:()\[\]{}|…]+|\.{2,}")
_EMPHASIS = '*_`"“”„«»'
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_NUMBERING = re.compile(r"^[ \t]*\d{1,3}[.)](?=[ \t]+\S)", re.MULTILINE)
_INITIALS = re.compile(r"(?:\w\.)+\w")
_WORD = re.compile(r"[^\W\d_][\w'’-]*(?:\.(?=\w)[\w'’-]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?。])[\"'”)*_]*\s+|\n+")
# Of a word with apostrophes any part may be the name; where no initial follows none is tried.
_CAPITALISED = r"(?<!['’])(?=[\w'’]++\s[A-Z]\.$)(?:[\w'’]*?['’])?[^\W\d_a-z][\w'’]*"
_ABBREVIATED = re.compile(
    rf"(?<!\w)(?:(?i:{'|'.join(sorted(ABBREVIATIONS))})|(?:{_CAPITALISED}\s|[A-Z]\.\s?|^)[A-Z])\.$"
)
_INITIAL = re.compile(r"\b[A-Z]\.(?=\s|$)")
_PAIRED = re.compile(r"(?:\bne\b\s*|\bn')(?:[\w'-]{1,99}+\s++){1,3}?(?=(?:pas|jamais|rien|aucune?|personne)\b)")
_NOT_ONLY = re.compile(r"\bnot\s+(?:only|just|merely)\b")
# "No, it is ..." answers, and "No. 5" counts; neither negates what follows
_ANSWERING = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(NO | {'no'}))})(?=\s*[.,;:!–—、，。،।]\s*\S)")
_DENYING = re.compile("|".join(sorted(phrases.DENYING_SIGNS, key=len, reverse=True)))


@lru_cache(maxsize=128)  # one answer is looked at from many sides
def words(text: str) -> tuple[str, ...]:
    """In order, numbers by value and articles dropped; see the module's first lines."""
    pairs = [(raw, word) for raw in _pieces(text) if (word := _clean(raw))]
    last = len(pairs) - 1
    return tuple(
        word for i, (raw, word) in enumerate(pairs) if i == last or raw.strip(_EMPHASIS).casefold() not in _ARTICLES
    )


def normal(text: str) -> str:
    """Equal for two texts that differ only in what is named in the module's first lines."""
    return " ".join(words(text))


@lru_cache(maxsize=128)
def content_words(text: str) -> tuple[str, ...]:
    """In order, without function words and numbers, which are compared by value and not by word. An "a" that `words` has
    kept is a letter and no article."""
    return tuple(word for word in words(text) if word not in STOPWORDS and not _NUMBER.fullmatch(word))


@lru_cache(maxsize=16384)  # the words of a language come again and again
def stem(word: str) -> str:
    """One form for the inflections of most English words (played, plays, playing); never meant to be read."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    for suffix in ("ing", "ed", "es", "s"):
        if word.endswith(suffix) and len(word) - len(suffix) > 2 and not word.endswith("ss"):
            word = word[: -len(suffix)]
            break
    if len(word) > 3 and word[-1].isalpha() and word[-1] == word[-2] and word[-1] not in "aeiousl":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def sentences(text: str) -> list[str]:
    """The point of an abbreviation ("Dr.") or of an initial in a name ("T. S. Eliot", "the U. S.") ends none."""
    found: list[list[str]] = []
    end = ""
    for part in _SENTENCE_END.split(text):
        if not part.strip():
            continue
        initials = end and _INITIAL.fullmatch(end.split()[-1]) and _INITIAL.match(part)
        if initials or (end and _ABBREVIATED.search(end)):
            found[-1].append(part.rstrip())
            end = _last_words(f"{end} {part}")
        else:
            found.append([part.strip()])
            end = _last_words(part)
    return [" ".join(parts) for parts in found]


def _last_words(text: str) -> str:
    """The last two, which tell whether a sentence ends: one of a thousand abbreviations is not read again for each of them."""
    text = text.strip()
    words = text.rsplit(maxsplit=2)
    return text[len(words[0]) :].lstrip() if len(words) > 2 else text


def names(text: str) -> frozenset[str]:
    """Runs of capitalised words, in lower case, as in {"new york"}. A word that starts a sentence never counts, because
    its capital says nothing; German, where every noun has one, and text in capitals only give no names."""
    if text == text.upper() or sum(word in GERMAN for word in text.casefold().split()) > 1:
        return frozenset()
    runs: list[list[str]] = []
    before, end, in_run = "", 0, False
    for match in _WORD.finditer(text):
        word, gap = match.group(), text[end : match.start()]
        is_name = word[0].isupper() and not _starts_sentence(before, gap) and not _function_word(word)
        if is_name and in_run and gap == " ":
            runs[-1].append(word)
        elif is_name:
            runs.append([word])
        before, end, in_run = word, match.end(), is_name
    return frozenset(normal(" ".join(run)) for run in runs)


def negations(text: str) -> int:
    """How many words turn a statement round, in some thirty languages (`phrases.DENIALS`); "ne ... pas" is one."""
    plain = text.casefold().replace("’", "'")
    for pattern in (_ANSWERING, _NOT_ONLY, _PAIRED):
        plain = pattern.sub(" ", plain)
    found = [word for word in words(plain) if word.endswith("n't") or word in phrases.DENIALS]
    if any(word in phrases.ONLY_IN for word in found):
        language = language_of(plain)
        found = [word for word in found if word.endswith("n't") or language in phrases.ONLY_IN.get(word, {language})]
    return len(found) + len(_DENYING.findall(plain))


def _pieces(text: str) -> Iterator[str]:
    """Numbers in their canonical spelling, and what stands between them cut at spaces and hyphens; each sign of a script
    that is written without spaces is a piece."""
    if len(_NUMBERING.findall(text)) > 1:
        text = _NUMBERING.sub("", text)
    if not text.isascii():
        text = _UNSPACED.sub(r" \g<0> ", text)
    end = 0
    for number in find_numbers(text, words=True):
        yield from _cut(text[end : number.start])
        yield canonical(number.value)
        end = number.end
    yield from _cut(text[end:])


def _cut(text: str) -> list[str]:
    # NFKC only here: it would turn the thin spaces that group a number into spaces, and 5² into 52.
    return _SPLIT.split(text if text.isascii() else normalised("NFKC", text).replace("’", "'"))


@lru_cache(maxsize=16384)
def _clean(raw: str) -> str:
    if _NUMBER.fullmatch(raw):
        return raw
    word = raw.casefold()
    first, last = 0, len(word)
    while first < last and _is_edge(word[first]):
        first += 1
    while first < last and _is_edge(word[last - 1]):
        last -= 1
    word = word[first:last].removesuffix("'s")
    if word in PERCENT:
        return "%"
    return word.replace(".", "") if _INITIALS.fullmatch(word) else word


def _is_edge(character: str) -> bool:
    return character in "`^" or (unicodedata.category(character)[0] == "P" and character not in "#%&@")


def _starts_sentence(before: str, gap: str) -> bool:
    if not before or any(sign in gap for sign in "!?:;\n•"):
        return True
    return "." in gap and before.casefold() not in ABBREVIATIONS and len(before) > 1


def _function_word(word: str) -> bool:
    """ "I'm" and "Dr" are no names; "WHO" and "IT" are."""
    plain = re.split("['’]", word.casefold())[0]
    return len(plain) == 1 or plain in ABBREVIATIONS or (plain in STOPWORDS and not word.isupper())
