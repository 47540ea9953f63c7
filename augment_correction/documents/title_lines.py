"""Judges by its looks whether a line of plain text, or a few lines, may be a title. `headings.py` then decides, by all that were found."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from augment_correction.text.fences import fences

_LONGEST = 100
_PARAGRAPH_ON_A_LINE = 200
_TITLE_LINES = 3
_PART = "part|book|volume|act|partie|livre|tome|acte|teil|buch|band|akt|aufzug|parte|libro|tomo|acto|jornada|atto|deel"
_CHAPTER = (
    "chapter|chap|chapitre|kapitel|capítulo|capitulo|canto|chant|gesang|lecture|vorlesung|lesson|leçon|lektion|lección"
    "|letter|lettre|brief|carta|episode|épisode|episodio|capitolo|hoofdstuk"
)
_ARTICLE = (
    "section|article|art|scene|appendix|annex|exhibit|schedule|titre|annexe|scène|artikel|abschnitt|anhang|anlage"
    "|szene|auftritt|sección|título|artículo|anexo|escena|apéndice|sezione|articolo|scena|artigo|§"
)
_NUMERALS = """
    one two three four five six seven eight nine ten eleven twelve first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth last
    un une deux trois quatre cinq six sept huit neuf dix onze douze premier première second seconde deuxième troisième quatrième
    cinquième sixième septième huitième neuvième dixième dernier dernière
    eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf
    uno dos tres cuatro cinco seis siete ocho nueve diez once doce primero primera segundo segunda tercero tercera cuarto cuarta
    quinto quinta sexto sexta séptimo octavo noveno décimo último última
"""
ROMAN = r"(?=[IVXLC])C{0,3}(?:X[CL]|L?X{0,3})(?:I[XV]|V?I{0,3})(?!\w)"
_NUMBER = rf"(?:(?:the |le |la |el )?(?:{'|'.join(_NUMERALS.split())})\b|{ROMAN}|\d{{1,3}}(?:er|ère|e|º|°)?\b|[A-Z]\b)"
COUNTING = re.compile(rf"\b(?:{'|'.join(_NUMERALS.split())}|\d+)\b")
_ARTICLES = "the|an|la|le|les|un|une|der|die|das|den|dem|ein|eine|einen|el|los|las|una|this|that|his|her"
_DIVISIONS = tuple(
    re.compile(
        rf"(?:(?:{words})\.?\s*{_NUMBER}|(?:{ROMAN}|\d{{1,3}}(?:st|nd|rd|th|er|e)?)\.?\s(?:{words})\b"
        rf"|(?!(?:{_ARTICLES})\b)[^\W\d_]+\s(?:{words})(?=[.:]?$))(?P<rest>[.:)]*(?:$|\s*[-–—:.]?\s+\S.*$))",
        re.IGNORECASE,
    )
    for words in (_PART, _CHAPTER, _ARTICLE)
)
_COUNTED = re.compile(
    rf"(?P<number>\d{{1,3}}(?:\.\d{{1,3}})*|(?:{ROMAN}|[A-Z])(?:\.\d{{1,3}})*)(?P<mark>[.)]|\s[-–—](?=\s)|(?=\s))(?:\s+(?P<title>\S.*)|$)"
)
_EMPHASIS = re.compile(r"(?P<mark>[_*=]{1,3})(?P<inside>[^_*=]{2,70})(?P=mark)\.?")
RULE = re.compile(r"([=\-~^*#_])\1{2,}")
_NO_TITLE = re.compile(r"[<>{}|\\$@]|://|\S(?: {3,}|\t+)\S|[.…_]{4,}|(?:,|\s[-–—/])\s*\d[\d, \-–]*$|\S[=;]\S")
_NO_LOOKS = re.compile(
    r"[\[\]]|(?:fig(?:ure|ura)?|abb(?:ildung)?|tab(?:le|elle|leau|la)?|illustration|image|photo|foto|page|seite|página)\b\.? ?\d"
    r"|(?:by|par|por)\s|(?:the\s)?end\b|fin(?:is)?\b|ende\b|\(c\)|©|copyright\b",
    re.IGNORECASE,
)
"""Signs and words of captions, of bylines and of what ends a text, which look like titles and are none."""
_PAGE = re.compile(r"\s\d{1,3}(?:[-–]\d{1,3})?$")
_LAST_WORD = re.compile(r"\s[^\W\d_A-Z]{1,2}$")
"""A last word of one or two small letters (of, le, à), with which no title ends."""
_SHORT = 5
_ENDED = re.compile(r"[.!?…。:;»”\"'’)\]*_=~|-]$")
_OFF_CENTRE = 4
"""Characters. A line that begins by more than that to the right of where it would if it were centred is a signature or a source."""
_CONTINUES = re.compile(r"(?!\W*\w{1,3}[.)]\s)\W*[a-zß-öø-ÿ]")
# Ranks of titles: a section of a lower rank holds those of higher ones. A title with a number of d + 1 parts has _COUNTED_AT + d.
_ATX_AT, _RULED_AT, _DIVISION_AT, NUMBER_AT, CAPITALS_AT, _LETTER_AT, _COUNTED_AT, _EMPHASIS_AT, _PLAIN_AT = range(
    0, 90, 10
)
BY_LOOKS = (CAPITALS_AT, _EMPHASIS_AT, _PLAIN_AT)

Line = tuple[int, str]
"""The offset at which its text begins, and the text without the white space around it."""


@dataclass(slots=True)
class Block:
    """Lines that follow one another without a blank one between them."""

    lines: list[Line]
    indent: int
    apart: bool
    """Whether a blank line stands above it, or nothing at all."""
    width: int
    """Characters. Nine tenths of the whole text's lines are not longer, but it is never more than 100."""


@dataclass(slots=True)
class TitleCandidate:
    block: int
    start: int
    rank: int
    title: str
    """Empty for a line that begins with a number and is no heading. It is a candidate nevertheless, since other numbers may follow its number."""
    number: str = ""
    bare: bool = False
    """A number alone ("CHAPTER IV"): the line under it is its title."""
    lines: int = 1
    body: int = 0
    """Characters of the text between this candidate and the next one."""


def blocks_of(text: str) -> list[Block]:
    """The blocks of a text without its code. If the text has each paragraph on one line, each line is a block of its own."""
    code = fences(text)
    starts = [start for start, _ in code]
    lines: list[tuple[int, int, str]] = []
    at = 0
    for line in text.split("\n"):
        inside = bisect_right(starts, at) - 1
        indent = len(line) - len(line.lstrip())
        lines.append((at, indent, "" if inside >= 0 and at < code[inside][1] else line.strip()))
        at += len(line) + 1
    filled = sorted(indent + len(line) for _, indent, line in lines if line)
    width = min(filled[int(0.9 * len(filled))], _LONGEST) if filled else 0
    alone = sum(length > _PARAGRAPH_ON_A_LINE for length in filled) > 0.2 * len(filled)
    blocks: list[Block] = []
    above, named = "", False
    for start, indent, line in lines:
        if line:
            named, under_name = bool(above) and _is_name_inside(above, line), named
            ruled = alone and bool(RULE.fullmatch(line))
            if above and (ruled or not (alone or named or under_name)):
                over = len(blocks[-1].lines) == 1 and RULE.fullmatch(above)
                if over:  # a line over a title belongs to it
                    blocks[-1].lines[0] = (blocks[-1].lines[0][0], line)
                else:
                    blocks[-1].lines.append((start, line))
            else:
                blocks.append(Block([(start, line)], indent, not above, width))
        else:
            named = False
        above = line
    return blocks


def _is_name_inside(above: str, line: str) -> bool:
    """Whether the line is a bare "CHAPTER IV" between two texts, in a book that is kept without blank lines."""
    if len(line) > _LONGEST or not (line[0].isupper() or line[0].isdecimal()) or not _ENDED.search(above):
        return False
    return any((found := form.fullmatch(line)) and not found["rest"].strip(" .:") for form in _DIVISIONS)


def candidate_at(blocks: Sequence[Block], number: int, *, titled: bool) -> TitleCandidate | None:
    """The candidate that block `number` begins with, if it may be one. `titled`: the block above it is nothing but a number."""
    lines = blocks[number].lines
    start, line = lines[0]
    if len(lines) > 1 and _is_rule_of(line, lines[1][1]):
        return TitleCandidate(number, start, _RULED_AT + "=-~^".find(lines[1][1][0]) % 5, _cleared(line), lines=2)
    if marked := _marked(line):
        level, title = marked
        alone = len(lines) == 1 and blocks[number].indent < 4
        return TitleCandidate(number, start, _ATX_AT + level, title) if alone else None
    counted = _COUNTED.fullmatch(line)
    silent = TitleCandidate(number, start, _counted_rank(counted), "", counted["number"]) if counted else None
    # A line may be a whole document, and some patterns take the square of its length.
    size = 0 if len(line) > _LONGEST else _lines_of_title(lines)
    if any(len(each) > _LONGEST for _, each in lines[:size]):
        return silent
    if not size or _NO_TITLE.search(line) or _goes_on(blocks, number, size):
        return silent
    title = " ".join(each for _, each in lines[:size])
    candidate = _named(number, start, title) or (_counted(number, start, counted) if counted and size == 1 else None)
    candidate = candidate or _by_looks(blocks, number, start, title, titled) or silent
    if candidate:
        candidate.lines = size
    return candidate


def _marked(line: str) -> tuple[int, str] | None:
    """(level, title) of "## Title ##"."""
    behind = line.lstrip("#")
    level, title = len(line) - len(behind), behind.strip().rstrip("#").rstrip()
    if level not in range(1, 7) or not title or behind[0] not in " \t" or behind.split(maxsplit=1)[0].startswith("#"):
        return None
    return level, title


def _is_rule_of(line: str, rule: str) -> bool:
    fits = len(line) <= _LONGEST and 0.5 * len(line) <= len(rule) <= 1.5 * len(line) + 4
    return fits and bool(RULE.fullmatch(rule)) and line[0].isalnum() and not _NO_TITLE.search(line)


def _lines_of_title(lines: Sequence[Line]) -> int:
    """How many of the block's lines are its title, from the first on. The title is the only line; or all lines, if they are few and the first
    is named ("Chapter 4") or all are in capitals; or the first line, if it is named or has a number of several parts ("2.1") and was not
    broken because it was full. 0: it has no title."""
    (_, line), *below = lines
    if not below:
        return 1
    named = any(each.match(line) for each in _DIVISIONS)
    if len(lines) <= _TITLE_LINES and (named or all(_is_capitals(each) for _, each in lines)):
        return len(lines)
    counted = _COUNTED.fullmatch(line)
    headed = any(each.fullmatch(line) for each in _DIVISIONS) or (counted and "." in counted["number"])
    widest = max(len(each) for _, each in lines)
    broken = (
        len(f"{line} {below[0][1].split()[0]}") < 0.9 * widest
    )  # the next word would have had room on the first line
    return int(bool(headed) and broken and not line.endswith((",", ";", ".")))


def _goes_on(blocks: Sequence[Block], number: int, size: int) -> bool:
    """Whether the line under the title is the rest of its sentence, or whether there is no line under it."""
    below = blocks[number].lines[size:] or (blocks[number + 1].lines if number + 1 < len(blocks) else [])
    return not below or bool(_CONTINUES.match(below[0][1]))


def _named(number: int, start: int, line: str) -> TitleCandidate | None:
    for rank, form in enumerate(_DIVISIONS, _DIVISION_AT):
        if (found := form.fullmatch(line)) and (line[0].isupper() or line[0].isdecimal() or line[0] == "§"):
            rest = found["rest"].strip(" .:)-–—")
            if line.endswith((",", ";")) or (rest and not (rest[0].isupper() or rest[0] in "\"'«“‘¿(0123456789")):
                return None
            return TitleCandidate(number, start, rank, _cleared(line), bare=not rest)
    return None


def _counted_rank(found: re.Match[str]) -> int:
    if not found["title"]:
        return NUMBER_AT
    return (_COUNTED_AT if found["number"][0].isdecimal() else _LETTER_AT) + found["number"].count(".")


def _counted(number: int, start: int, found: re.Match[str]) -> TitleCandidate | None:
    title, count = found["title"] or "", found["number"]
    bare = not title
    if bare and not (re.fullmatch(ROMAN, count) if count.isalpha() else found["mark"] == "."):
        return None
    if title and not (title[0].isupper() or title[0] in "\"'«“‘_¿("):
        return None
    inside = title.strip("_*= ")
    if inside.endswith((",", ";", ":", "!", "...", "…")) or (inside.endswith(".") and not _is_capitalised(inside)):
        return None
    if not bare and not count[0].isdecimal() and not found["mark"]:
        return None
    return TitleCandidate(number, start, _counted_rank(found), _cleared(found.group()), count, bare=bare)


def _by_looks(blocks: Sequence[Block], number: int, start: int, line: str, titled: bool) -> TitleCandidate | None:
    block, below = blocks[number], blocks[number + 1]
    above = blocks[number - 1].lines[-1][1] if number else ""
    goes_on = not _ENDED.search(above) and (len(above) >= 0.8 * block.width or not block.apart)
    if block.indent > (block.width - len(line)) / 2 + _OFF_CENTRE or _NO_LOOKS.search(line) or (goes_on and not titled):
        return None
    if _is_capitals(line):
        return None if line[-1] in ",;-—–" else TitleCandidate(number, start, CAPITALS_AT, _cleared(line))
    if len(block.lines) > 1 or len(line) > 70 or len(line.split()) > 9:
        return None
    if (found := _EMPHASIS.fullmatch(line)) and found["inside"][0].isupper():
        return None if found["inside"][-1] in "!,;" else TitleCandidate(number, start, _EMPHASIS_AT, _cleared(line))
    if not line[0].isupper() or line[-1] in ",;!?…—–-_*\"'’”»«" or _LAST_WORD.search(line):
        return None
    if line[-1] == ":" and (" " in line or len(line) <= _SHORT):
        return None
    if line[-1] == "." and not (titled and len(line.split()) <= _SHORT and "," not in line):
        return None
    if sum(sign.isalpha() or sign in " '’-" for sign in line) < 0.8 * len(line) or _PAGE.search(line):
        return None
    if not (block.apart and below.apart) or (": " in line and not _is_capitalised(line)):
        return None
    prose = len(below.lines) > 1 or len(below.lines[0][1]) >= 60
    signed = number > 0 and len(line.split()) <= _SHORT and line.istitle() and _is_verse(blocks[number - 1])
    return TitleCandidate(number, start, _PLAIN_AT, _cleared(line)) if prose and not signed else None


def _is_verse(block: Block) -> bool:
    short = len(block.lines) > 2 and all(len(line) < 0.7 * block.width for _, line in block.lines)
    return short and sum(line.lstrip("\"'“‘«»(")[:1].isupper() for _, line in block.lines) > 0.6 * len(block.lines)


def _is_capitals(line: str) -> bool:
    letters = [sign for sign in line if sign.isalpha()]
    return (
        len(letters) >= 3
        and (line[0].isalnum() or line[0] in "¿¡")
        and len(line.split()) <= 14
        and all(sign.isupper() or sign in "ßªº" for sign in letters)
        and len(letters) >= 0.6 * len(line)
    )


def _is_capitalised(title: str) -> bool:
    """Whether it is written in Title Case; words of four letters or fewer do not count."""
    words = [word for word in re.findall(r"[^\W\d_]+", title) if len(word) > 4]
    return bool(words) and sum(word[0].isupper() for word in words) >= 0.7 * len(words)


def _cleared(title: str) -> str:
    return " ".join(title.strip("_*= \t").split()).rstrip(".:_*=") or title
