"""Where a text may be cut, and how good each place is.

Every cut stands right behind a white-space run's last newline or, within a line, right before the run. At such places
the tiktoken family starts a new token in any case, so counts of the pieces add up to the count of the whole: each
paragraph is counted once and never again.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from augment_correction.records import Heading
from augment_correction.text.fences import fences

Measure = Callable[[int, int], int]
Block = tuple[int, int, int]  # start, end, how good it is to cut before it

# How good a cut is. A heading of level n is HEADING - n; right behind a heading is nearly the worst place of all.
HEADING, PARAGRAPH, LINE, NEWLINE, WORD, GLUED, CHARACTER = 100, 50, 40, 30, 20, 10, 5
DEEPEST = 40

_BLANK = re.compile(r"\n\s*\n")
_LINE_START = re.compile(r"\n(?=[^\n])")
# Latin sentences end before white space, Chinese and Japanese ones do not; "J. Smith", "e.g. this", "Dr. Who" do
# not end. The stop comes first and what must not precede it after: the other order takes ten times as long.
_SENTENCE = re.compile(
    r"[.!?…。！？｡](?:(?<=[。！？｡])[”’」』）]*"
    r"|(?<![\s.][A-Za-z]\.)(?<!\b(?:Dr|Mr|Ms|vs|No|St)\.)(?<!\bMrs\.)[\"'”’)\]*_]*(?P<gap>\s+)(?=[^\sa-z]))"
)
_ITEM = re.compile(r"\n(?=[ \t]*(?:[-*+•‣◦–]|\d{1,3}[.)])[ \t]+\S)")
_SPACE = re.compile(r"\s+")
_RULE = re.compile(r"([=\-~^*#_])\1*")
_LONGEST_TITLE = 300
"""Characters, with the white space behind it."""
_ROOM = 8
"""What a sum of two pieces may be off."""


@dataclass(slots=True)
class Pieces:
    """Neighbouring pieces of a text, none larger than the limit. `totals[i]` is the size of all pieces before i and
    `cuts[i]` how good it is to cut before i; both have one entry more than there are pieces."""

    starts: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=lambda: [0])
    cuts: list[int] = field(default_factory=list)

    def add(self, start: int, size: int, cut: int) -> None:
        self.starts.append(start)
        self.totals.append(self.totals[-1] + size)
        self.cuts.append(cut)

    def close(self, end: int) -> None:
        self.starts.append(end)
        self.cuts.append(HEADING)

    def halve(self, index: int, text: str, measure: Measure) -> None:
        """Cuts piece `index` in two: the way out where a piece counted within the limit is over it when stripped."""
        start, end = self.starts[index], self.starts[index + 1]
        middle = (start + end) // 2
        space = _SPACE.search(text, middle, end)
        if space and start < space.start() < end:
            middle = space.start()
        before = self.totals[index]
        self.starts.insert(index + 1, middle)
        self.totals.insert(index + 1, min(before + measure(start, middle), self.totals[index + 1]))
        self.cuts.insert(index + 1, CHARACTER)


def cut_into_pieces(text: str, headings: Sequence[Heading], size: int, fine: int, measure: Measure) -> Pieces:
    """Blocks of at most `fine` stay whole, fences and tables of at most `size`, with the heading above; all others are cut finer."""
    pieces = Pieces()
    code = fences(text)
    code_starts = [start for start, _ in code]
    titles = {heading.start: _behind_title(text, heading) for heading in headings}
    blocks = _block_cuts(text, headings, code, titles)
    above = 0  # the size of the headings that the block must not be parted from
    for number, (start, cut) in enumerate(blocks):
        end = blocks[number + 1][0] if number + 1 < len(blocks) else len(text)
        at = bisect_left(code_starts, start)
        rows = text.startswith("|", start) or (at < len(code) and code[at][0] == start)
        above = above + pieces.totals[-1] - pieces.totals[-2] if cut == GLUED else 0
        allowed = max(fine, size - above - _ROOM) if rows and above else size if rows else fine
        # English has 4 to 5 characters a token: what is larger than that is cut without being counted first.
        cost = measure(start, end) if end - start <= 4 * allowed else allowed + 1
        if cost <= allowed:
            pieces.add(start, cost, cut)
        else:
            _cut_block(pieces, text, (start, end, cut), rows, fine, measure, titles.get(start, start))
    pieces.close(len(text))
    return pieces


def _block_cuts(
    text: str, headings: Sequence[Heading], code: Sequence[tuple[int, int]], titles: Mapping[int, int]
) -> list[tuple[int, int]]:
    """(offset, how good) of every block: paragraphs, code fences, headings; the first one is at 0. `titles` tells where the title that
    begins at an offset ends: a block that is nothing but a title is glued to the one below."""
    ends = [end for _, end in code]
    cuts = {0: PARAGRAPH}
    for match in _BLANK.finditer(text):
        offset = match.end()
        at = bisect_right(ends, offset)
        if at == len(code) or offset <= code[at][0]:
            cuts[offset] = PARAGRAPH
    for start, end in code:
        cuts[start] = PARAGRAPH
        cuts[_next_line(text, end)] = PARAGRAPH
    for heading in headings:
        cuts[heading.start] = HEADING - min(heading.level, DEEPEST)
    cuts.pop(len(text), None)
    ordered = sorted(cuts.items())
    for number in range(1, len(ordered)):
        before, offset = ordered[number - 1][0], ordered[number][0]
        if before in titles and offset - before < _LONGEST_TITLE and not text[titles[before] : offset].strip():
            ordered[number] = (offset, GLUED)
    return ordered


def _behind_title(text: str, heading: Heading) -> int:
    """Where the line under a title begins: a title takes its first line, the rules over and under it, and the lines of its other words."""
    end = _next_line(text, heading.start)
    while end < len(text):
        following = _next_line(text, end)
        line = text[end:following].strip() if following - heading.start < _LONGEST_TITLE else ""
        words = " ".join(text[heading.start : following].split()) if line else ""
        if not line or not (_RULE.fullmatch(line) or heading.title.startswith(words.strip("_*=-~^# .:"))):
            break
        end = following
    return end


def _next_line(text: str, offset: int) -> int:
    newline = text.find("\n", offset)
    return newline + 1 if newline >= 0 else len(text)


def _cut_block(
    pieces: Pieces, text: str, block: Block, rows: bool, fine: int, measure: Measure, behind_title: int
) -> None:
    """A block that is too large: rows at their lines, prose at its sentences and list items. Its title ends at `behind_title`."""
    start, end, cut = block
    inner = dict.fromkeys((match.end() for match in _LINE_START.finditer(text, start, end)), LINE if rows else NEWLINE)
    if not rows:
        inner.update((match.end(), LINE) for match in _ITEM.finditer(text, start, end))
        inner.update((_sentence_cut(text, match), LINE) for match in _SENTENCE.finditer(text, start, end))
    inner.pop(end, None)
    at = start
    glued = [(behind_title, GLUED)] if start < behind_title < end else []
    cuts = sorted(cut for cut in inner.items() if cut[0] > behind_title)
    for following, next_cut in [*glued, *_thinned(cuts, behind_title, fine // 4), (end, HEADING)]:
        cost = measure(at, following)
        if cost <= fine:
            pieces.add(at, cost, cut)
        else:
            for piece, piece_end, piece_cut in _runs(text, (at, following, cut), max(2, fine // 4)):
                pieces.add(piece, measure(piece, piece_end), piece_cut)
        at, cut = following, next_cut


def _thinned(cuts: list[tuple[int, int]], start: int, apart: int) -> list[tuple[int, int]]:
    """Of cuts closer than `apart` characters the best, the first of equals: counting short lines one by one would
    take longer than all the rest."""
    kept = [(start, HEADING)]
    for cut in cuts:
        if cut[0] - kept[-1][0] >= apart:
            kept.append(cut)
        elif cut[1] > kept[-1][1]:
            kept[-1] = cut
    return kept[1:]


def _sentence_cut(text: str, match: re.Match[str]) -> int:
    gap, gap_end = match.span("gap")
    if gap < 0:
        return match.end()
    newline = text.rfind("\n", gap, gap_end)
    return newline + 1 if newline >= 0 else gap


def _runs(text: str, block: Block, step: int) -> Iterator[tuple[int, int, int]]:
    """(start, end, how good) of runs of `step` to 2 * `step` characters, cut between words where there are any.

    A character is 4 tokens at most in a byte-level vocabulary, so a run is within the limit whatever it holds.
    """
    at, end, cut = block
    while end - at > 2 * step:
        space = _SPACE.search(text, at + step, at + 2 * step)
        following, next_cut = (space.start(), WORD) if space else (at + step, CHARACTER)
        if next_cut == CHARACTER:
            while following < at + 2 * step and _belongs_to_previous(text[following]):
                following += 1
        yield at, following, cut
        at, cut = following, next_cut
    yield at, end, cut


def _belongs_to_previous(character: str) -> bool:
    """Combining marks, variation selectors and the joiner: what a reader sees as one character with the one before."""
    return character == "\u200d" or unicodedata.category(character) in ("Mn", "Me", "Mc")
