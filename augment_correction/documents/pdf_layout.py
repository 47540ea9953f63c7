"""From lines with positions to text as the author wrote it: paragraphs, whole words, no running headers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, pairwise

from augment_correction.documents.pdf_words import Line

Signature = tuple[str, int, int]  # text, how far its number is ahead of the page's, height

_EDGE = 2  # lines at the top and at the bottom of a page where headers and footers are looked for
_RUN = 4  # on so many pages, each within two pages of the last, a line must stand to be one of them
_LONGEST_HEADER = 120
_NUMBER = re.compile(r"(?<!\d)\d{1,5}(?!\d)")
_ROMAN = re.compile(r"^[ivxlc]{1,7}(?!\S)|(?<!\S)[ivxlc]{1,7}$", re.IGNORECASE)
_ROMAN_DIGITS = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_ITEM = re.compile(r"(?:[•‣▪●◦–*-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_MARK = re.compile("[\ufffe\x02]\\s*")
_LONE_MARK = re.compile("(?<!\\S)[\ufffe\x02]\\s*")  # a sign of a font without names, not a hyphen
_LINE_HYPHEN = re.compile(r"(?<=[a-z])-\n(?=[a-z])")
_LAST_WORD = re.compile(r"\w+\Z")
_FIRST_WORD = re.compile(r"\w+")
_LONG_WORD = re.compile(r"[A-Za-z]{26,}")
_PUNCTUATION = ".,;:!?()[]{}<>\"'“”‘’…*"
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
_HAS_LIGATURE = re.compile("[\ufb00-\ufb06]")


def drop_running_lines(pages: Sequence[list[Line]]) -> int:
    """Takes headers, footers and page numbers out of `pages`, in place; how many lines that were.

    A running line stands at the same height page after page, or on every second page. It is the same text each time,
    or the same but for a number that counts along with the pages, or it begins or ends with such a number.
    """
    places: defaultdict[Signature, list[int]] = defaultdict(list)
    for number, lines in enumerate(pages):
        for line in _edges(lines):
            for signature in _signatures(line, number):
                places[signature].append(number)
    running = {
        (number, signature)
        for signature, numbers in places.items()
        for run in _runs(numbers)
        if len(run) >= min(_RUN, max(3, len(pages)))
        for number in run
    }
    dropped = 0
    for number, lines in enumerate(pages):
        gone = {
            id(line)
            for line in _edges(lines)
            if any((number, signature) in running for signature in _signatures(line, number))
        }
        if gone:
            lines[:] = [line for line in lines if id(line) not in gone]
            dropped += len(gone)
    return dropped


def _edges(lines: Sequence[Line]) -> Sequence[Line]:
    """The highest and the lowest lines; the file's own order, which may put a footer first, where heights are
    unknown."""
    if len(lines) <= 2 * _EDGE:
        return lines
    ordered = sorted(lines, key=lambda line: -line.y)
    return [*ordered[:_EDGE], *ordered[-_EDGE:]]


def _signatures(line: Line, page: int) -> Iterator[Signature]:
    height = round(line.y / 4)
    yield line.text, 0, height
    if len(line.text) <= _LONGEST_HEADER:
        for match in (*_NUMBER.finditer(line.text), *_ROMAN.finditer(line.text)):
            before, after = line.text[: match.start()], line.text[match.end() :]
            offset = _value(match[0]) - page
            yield f"{before}#{after}", offset, height
            if not before or not after:
                yield "", offset, height


def _value(number: str) -> int:
    """Of Arabic or Roman digits: the pages of a foreword are numbered i, ii, iii."""
    if number.isdigit():
        return int(number)
    values = [_ROMAN_DIGITS[digit] for digit in number.lower()]
    return sum(
        -value if value < max(values[at:]) else value  # iv: a smaller digit before a larger one is taken away
        for at, value in enumerate(values)
    )


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    runs = [[numbers[0]]]
    for before, number in pairwise(numbers):
        if number - before > 2:
            runs.append([])
        if number != before:
            runs[-1].append(number)
    return runs


def page_text(lines: Sequence[Line], usual: float = 0.0) -> str:
    """Lines joined by a newline, paragraphs by a blank line. Lines are kept: they may be code or a table.

    `usual` is the document's own distance of two lines, for pages that have too few to tell.
    """
    if not lines:
        return ""
    leading = line_distance([lines]) or usual
    indents = _indents(lines)
    parts = [indents[0] + lines[0].text]
    for (before, line), indent in zip(pairwise(lines), indents[1:], strict=True):
        parts.append(_gap(before, line, leading))
        parts.append(indent + line.text)
    text = "".join(parts)
    return text.translate(_LIGATURES) if _HAS_LIGATURE.search(text) else text


def _indents(lines: Sequence[Line]) -> list[str]:
    """Spaces before each line of a run of lines in type of one width, which is code: as many as it stands to the right
    of the leftmost line of its run."""
    found: list[str] = []
    for _, group in groupby(lines, key=lambda line: round(line.pitch, 1)):
        run = list(group)
        least = min(line.x for line in run)
        wide = run[0].pitch if len(run) > 1 else 0.0
        found += [" " * round((line.x - least) / wide) if wide else "" for line in run]
    return found


def line_distance(pages: Sequence[Sequence[Line]]) -> float:
    """The usual distance of two lines in points, 0 where there are too few to tell. It is below the median, because
    blank lines and headings only make distances larger."""
    steps = sorted(
        step
        for lines in pages
        for before, line in pairwise(lines)
        if 0.5 < (step := before.bottom - line.y) < 60  # not the next column, not a figure between them
    )
    return steps[len(steps) * 2 // 5] if len(steps) >= 5 else 0.0


def _gap(before: Line, line: Line, leading: float) -> str:
    if not before.size and not line.size:
        return _gap_without_positions(before, line)
    step = before.bottom - line.y
    if abs(step) <= 0.3 * max(line.size, 1.0) and line.x > before.x:
        return " "  # the same line, which PDFium broke at a wide space
    if step <= 0:  # up to the next column: the sentence may go on there
        return "\n" if continues(before.text, line.text) else "\n\n"
    if step > 1.35 * max(leading or 1.2 * line.size, line.size):
        return "\n\n"
    if abs(before.size - line.size) > 0.12 * max(before.size, line.size):
        return "\n\n"
    indented = 0.7 * line.size < line.x - before.x < 5 * line.size
    code = before.pitch and line.pitch
    if indented and not code and before.text[-1] in '.!?:”"’)' and not _ITEM.match(before.text):
        return "\n\n"
    return "\n"


def _gap_without_positions(before: Line, line: Line) -> str:
    ended = before.text[-1] in '.!?:”"' and len(before.text) < 60
    return "\n\n" if ended and not line.text[0].islower() else "\n"


def continues(before: str, following: str) -> bool:
    """Whether a sentence goes on over a column or page break."""
    return bool(before) and bool(following) and before[-1] not in '.!?:”"' and following[0].islower()


def join_broken_words(pages: list[str]) -> None:
    """Puts words together that a line end broke, in place.

    PDFium marks broken words, but "non-developers" like "com-pany": which of them keeps its hyphen is asked of the
    rest of the document. A hyphen that it does not mark may be code, and only known words are joined over it.
    """
    if not any(_MARK.search(text) or _LINE_HYPHEN.search(text) for text in pages):
        return
    bare = {word.strip(_PUNCTUATION) for word in {word for text in pages for word in text.casefold().split()}}
    for number, text in enumerate(pages):
        text = _rejoin(_LONE_MARK.sub("", text), _MARK, lambda left, right: _with_or_without_hyphen(left, right, bare))
        pages[number] = _rejoin(text, _LINE_HYPHEN, lambda left, right: _known(left, right, bare))


def _rejoin(text: str, broken: re.Pattern[str], decide: Callable[[str, str], str | None]) -> str:
    parts: list[str] = []
    done = 0
    for match in broken.finditer(text):
        left = _LAST_WORD.search(text, max(done, match.start() - 60), match.start())
        right = _FIRST_WORD.match(text, match.end())
        hyphen = decide(left[0] if left else "", right[0] if right else "")
        parts += [text[done : match.start()], match[0] if hyphen is None else hyphen]
        done = match.end()
    return "".join([*parts, text[done:]])


def _with_or_without_hyphen(left: str, right: str, words: set[str]) -> str:
    if not left or not right:
        return "-"
    plain, compound = (left + right).casefold(), f"{left}-{right}".casefold()
    if plain not in words and (compound in words or not right[0].islower() or left[-1].isdigit()):
        return "-"
    return ""


def _known(left: str, right: str, words: set[str]) -> str | None:
    return "" if (left + right).casefold() in words else None


def looks_glued(text: str) -> bool:
    """Whether the file has no spaces between words: one word in fifty is longer than 25 letters."""
    words = text.count(" ") + text.count("\n")
    return len(text) > 400 and sum(1 for _ in _LONG_WORD.finditer(text)) > 0.02 * max(words, 1)
