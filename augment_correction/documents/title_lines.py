"""What a title of plain text looks like: one line, or a few, by themselves. `headings.py` looks at them among the others."""

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
"""Captions, bylines and what ends a text."""
_PAGE = re.compile(r"\s\d{1,3}(?:[-–]\d{1,3})?$")
_LAST_WORD = re.compile(r"\s[^\W\d_A-Z]{1,2}$")
"""What no title ends with: of, le, à."""
_SHORT = 5
_ENDED = re.compile(r"[.!?…。:;»”\"'’)\]*_=~|-]$")
_OFF_CENTRE = 4
"""Characters: what stands farther to the right of the middle is a signature or a source."""
_CONTINUES = re.compile(r"(?!\W*\w{1,3}[.)]\s)\W*[a-zß-öø-ÿ]")
# Ranks, from what stands above to what stands below; a number of depth d has _COUNTED_AT + d.
_ATX_AT, _RULED_AT, _DIVISION_AT, NUMBER_AT, CAPITALS_AT, _LETTER_AT, _COUNTED_AT, _EMPHASIS_AT, _PLAIN_AT = range(
    0, 90, 10
)
BY_LOOKS = (CAPITALS_AT, _EMPHASIS_AT, _PLAIN_AT)

Line = tuple[int, str]
"""Where it begins, and its text without the white space around."""


@dataclass(slots=True)
class Block:
    """Lines without a blank one between them."""

    lines: list[Line]
    indent: int
    apart: bool
    """Whether a blank line or nothing stands above it."""
    width: int
    """Of the text's usual longest lines, in characters."""


@dataclass(slots=True)
class Candidate:
    block: int
    start: int
    rank: int
    title: str
    """Empty for a line that begins with a number and is no heading: the numbers of the others are counted with it."""
    number: str = ""
    bare: bool = False
    """A number alone ("CHAPTER IV"): the line under it is its title."""
    lines: int = 1
    body: int = 0
    """Characters between this one and the next."""


def blocks_of(text: str) -> list[Block]:
    """Each line by itself in a text that has a paragraph on a line. Code is left out."""
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
    """ "CHAPTER IV" right under a text that ends and right above another, as books are kept without blank lines."""
    if len(line) > _LONGEST or not (line[0].isupper() or line[0].isdecimal()) or not _ENDED.search(above):
        return False
    return any((found := form.fullmatch(line)) and not found["rest"].strip(" .:") for form in _DIVISIONS)


def candidate_at(blocks: Sequence[Block], number: int, *, titled: bool) -> Candidate | None:
    """`titled`: the block above is a number alone."""
    lines = blocks[number].lines
    start, line = lines[0]
    if len(lines) > 1 and _is_rule_of(line, lines[1][1]):
        return Candidate(number, start, _RULED_AT + "=-~^".find(lines[1][1][0]) % 5, _cleared(line), lines=2)
    if marked := _marked(line):
        level, title = marked
        alone = len(lines) == 1 and blocks[number].indent < 4
        return Candidate(number, start, _ATX_AT + level, title) if alone else None
    counted = _COUNTED.fullmatch(line)
    silent = Candidate(number, start, _counted_rank(counted), "", counted["number"]) if counted else None
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
    """How many lines from the first on are the title: the only one; several that are named or in capitals and have nothing under
    them; the first where it is named or doubly numbered and a text begins right under it. 0 for none."""
    (_, line), *below = lines
    if not below:
        return 1
    named = any(each.match(line) for each in _DIVISIONS)
    if len(lines) <= _TITLE_LINES and (named or all(_is_capitals(each) for _, each in lines)):
        return len(lines)
    counted = _COUNTED.fullmatch(line)
    headed = any(each.fullmatch(line) for each in _DIVISIONS) or (counted and "." in counted["number"])
    widest = max(len(each) for _, each in lines)
    broken = len(f"{line} {below[0][1].split()[0]}") < 0.9 * widest  # the next word had had room on this line
    return int(bool(headed) and broken and not line.endswith((",", ";", ".")))


def _goes_on(blocks: Sequence[Block], number: int, size: int) -> bool:
    """Whether the line under it is the rest of its sentence, or there is none."""
    below = blocks[number].lines[size:] or (blocks[number + 1].lines if number + 1 < len(blocks) else [])
    return not below or bool(_CONTINUES.match(below[0][1]))


def _named(number: int, start: int, line: str) -> Candidate | None:
    for rank, form in enumerate(_DIVISIONS, _DIVISION_AT):
        if (found := form.fullmatch(line)) and (line[0].isupper() or line[0].isdecimal() or line[0] == "§"):
            rest = found["rest"].strip(" .:)-–—")
            if line.endswith((",", ";")) or (rest and not (rest[0].isupper() or rest[0] in "\"'«“‘¿(0123456789")):
                return None
            return Candidate(number, start, rank, _cleared(line), bare=not rest)
    return None


def _counted_rank(found: re.Match[str]) -> int:
    if not found["title"]:
        return NUMBER_AT
    return (_COUNTED_AT if found["number"][0].isdecimal() else _LETTER_AT) + found["number"].count(".")


def _counted(number: int, start: int, found: re.Match[str]) -> Candidate | None:
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
    return Candidate(number, start, _counted_rank(found), _cleared(found.group()), count, bare=bare)


def _by_looks(blocks: Sequence[Block], number: int, start: int, line: str, titled: bool) -> Candidate | None:
    block, below = blocks[number], blocks[number + 1]
    above = blocks[number - 1].lines[-1][1] if number else ""
    goes_on = not _ENDED.search(above) and (len(above) >= 0.8 * block.width or not block.apart)
    if block.indent > (block.width - len(line)) / 2 + _OFF_CENTRE or _NO_LOOKS.search(line) or (goes_on and not titled):
        return None
    if _is_capitals(line):
        return None if line[-1] in ",;-—–" else Candidate(number, start, CAPITALS_AT, _cleared(line))
    if len(block.lines) > 1 or len(line) > 70 or len(line.split()) > 9:
        return None
    if (found := _EMPHASIS.fullmatch(line)) and found["inside"][0].isupper():
        return None if found["inside"][-1] in "!,;" else Candidate(number, start, _EMPHASIS_AT, _cleared(line))
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
    return Candidate(number, start, _PLAIN_AT, _cleared(line)) if prose and not signed else None


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
    """Title Case: small words do not count."""
    words = [word for word in re.findall(r"[^\W\d_]+", title) if len(word) > 4]
    return bool(words) and sum(word[0].isupper() for word in words) >= 0.7 * len(words)


def _cleared(title: str) -> str:
    return " ".join(title.strip("_*= \t").split()).rstrip(".:_*=") or title
