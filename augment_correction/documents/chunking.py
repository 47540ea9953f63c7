"""Documents to passages: as large as allowed, cut where the author made a break, exact to the character."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from augment_correction.documents.blocks import (
    CHARACTER,
    DEEPEST,
    GLUED,
    HEADING,
    LINE,
    NEWLINE,
    PARAGRAPH,
    cut_into_pieces,
)
from augment_correction.documents.contents import is_contents
from augment_correction.documents.tokens import TokenCounter
from augment_correction.errors import ConfigError
from augment_correction.records import Chunk, Document, Heading, UnreadInput, content_id

# A cut of this worth is taken where the passage is already this full. A heading is worth a shorter passage, a
# sentence's end is not: without the shares a document of many headings becomes a swarm of tiny passages.
_TIERS = ((HEADING - DEEPEST, 0.25), (PARAGRAPH, 0.3), (LINE, 0.6), (NEWLINE, 0.6))
# Nearer to the limit than this, the sum of the pieces is not trusted and the passage is counted as one text: white
# space stripped at both ends may cost up to two tokens (measured over 28,000 passages), and so may each line that
# starts with "/", which o200k joins to the punctuation of the line before.
_MARGIN = 4
CUTTING = "3"
"""Raised by whoever changes where passages are cut or what is read as text: a resumed run then tells what it would ask anew."""
_SMALLEST = 16

Span = tuple[int, int, int]
"""start, end, tokens"""


@dataclass(frozen=True, slots=True)
class ChunkSettings:
    """`size` is the most a passage may hold, `overlap` how much of the one before it may repeat, both in `unit`.

    Raises ConfigError for a size under 16 or an overlap over half the size.
    """

    size: int = 3000
    unit: Literal["tokens", "characters"] = "tokens"
    overlap: int = 0
    minimum: int = 0
    """A passage below that is joined to a neighbour under the same heading; where none takes it, it is left out, unless it
    is the whole document."""
    contents: bool = True
    """Whether pages of contents and indexes are passages."""

    def __post_init__(self) -> None:
        if self.size < _SMALLEST:
            raise ConfigError(f"chunk size is {self.size}; the minimum is {_SMALLEST}")
        if self.unit not in ("tokens", "characters"):
            raise ConfigError(f"chunk unit is {self.unit!r}; known: tokens, characters")
        if not 0 <= self.overlap <= self.size // 2:
            raise ConfigError(f"chunk overlap is {self.overlap}; allowed is 0 to half the size ({self.size // 2})")


def chunk_document(
    document: Document, settings: ChunkSettings, counter: TokenCounter, left_out: list[UnreadInput] | None = None
) -> Iterator[Chunk]:
    """Passages in order. Together they hold every character of the text but the white space between them and what is
    added to `left_out`, none is over the limit, and `document.text[chunk.start:chunk.end] == chunk.text`.

    `tokens` is summed up from pieces and may be one or two off from counting the passage as one text.
    """
    path = _HeadingPath(document.headings)
    cutter = _Cutter(document, settings, counter)
    spans = without_crumbs(cutter.spans(), document, settings, counter.count) if settings.minimum else cutter.spans()
    index = -1
    for start, end, tokens in spans:
        text = document.text[start:end]
        why = _why_not(text, tokens, settings, whole=len(text) == len(document.text.strip()))
        if why:
            if left_out is not None:
                left_out.append(UnreadInput(document.source, *why))
            continue
        index += 1
        yield Chunk(
            id=content_id(text),
            document_id=document.id,
            index=index,
            text=text,
            start=start,
            end=end,
            tokens=tokens,
            page=max(1, bisect_right(document.pages, start)) if document.pages else None,
            heading=path.at(start),
        )


def _why_not(text: str, tokens: int, settings: ChunkSettings, *, whole: bool) -> tuple[str, str] | None:
    """(reason, detail) where the passage is not worth a question. A document that is short as a whole, such as a row of a
    table, is what somebody wanted to be read."""
    if not whole and (tokens if settings.unit == "tokens" else len(text)) < settings.minimum:
        detail = f"a passage of less than {settings.minimum} {settings.unit} without a neighbour to join"
        return "too_short", f"{detail} (system.min_chunk)"
    if not settings.contents and is_contents(text):
        return "contents", "a table of contents or an index (system.skip_contents)"
    return None


class _Cutter:
    """Fills passages piece by piece and steps back to the best cut."""

    def __init__(self, document: Document, settings: ChunkSettings, counter: TokenCounter) -> None:
        self.text = document.text
        self.size, self.overlap = settings.size, settings.overlap
        self.in_tokens = settings.unit == "tokens"
        self.counter = counter
        fine = self.overlap or self.size // 2
        self.pieces = cut_into_pieces(self.text, document.headings, self.size, max(8, fine), self._measure)

    def _measure(self, start: int, end: int) -> int:
        return self.counter.count(self.text[start:end]) if self.in_tokens else end - start

    def spans(self) -> Iterator[Span]:
        """(start, end, tokens) of each passage, stripped. Each begins and ends behind the one before."""
        totals = self.pieces.totals
        first = new = 0  # a passage has the pieces from `first` on, of which those before `new` are overlap
        begun = done = -1
        while new < len(totals) - 1:
            first, cut, span = self._next(first, new, begun)
            start, end, _ = span
            if start < end and end > done:
                yield span
                begun, done = start, end
            new = cut
            first = bisect_left(totals, totals[cut] - self.overlap, first + 1, cut)

    def _next(self, first: int, new: int, begun: int) -> tuple[int, int, tuple[int, int, int]]:
        """The first piece, the piece to cut before, and the span of the next passage. Where it turns out too large,
        pieces go from its end, then its overlap goes, and at last a single piece is cut in two."""
        cut = self._best_cut(first, new)
        while True:
            cut = self._above_headings(new, cut)
            span = self._fitting(first, cut)
            if span is not None and (first == new or span[0] > begun):
                return first, cut, span
            if span is None and cut > new + 1:
                cut -= 1
            elif first < new:
                first += 1
            elif self.pieces.starts[first + 1] - self.pieces.starts[first] > 1:
                self.pieces.halve(first, self.text, self._measure)
            else:
                raise ConfigError(
                    f"chunk size {self.size} is less than one character of this text in {self.counter.encoding}"
                )

    def _best_cut(self, first: int, new: int) -> int:
        """Index of the piece before which to cut: at least `new` + 1, at most what fits from `first` on."""
        totals, cuts = self.pieces.totals, self.pieces.cuts
        begin, end = totals[first], totals[-1]
        last = max(new + 1, bisect_right(totals, begin + self.size) - 1)
        if last == len(totals) - 1:
            return last
        if end - begin < 1.25 * self.size:  # leave no crumb for the last passage
            last = max(new + 1, bisect_right(totals, end - self.size // 4) - 1)
        for worth, share in _TIERS:
            earliest = max(new + 1, bisect_left(totals, begin + int(share * self.size)))
            best = max(range(last, earliest - 1, -1), key=cuts.__getitem__, default=last)
            if cuts[best] >= worth:
                return best
        return last

    def _above_headings(self, new: int, cut: int) -> int:
        """`cut`, or above the headings that it stands under: a passage ends with a heading only where it begins with it."""
        above = cut
        while above > new + 1 and self.pieces.cuts[above] == GLUED:
            above -= 1
        return cut if self.pieces.cuts[above] == GLUED else above

    def _fitting(self, first: int, cut: int) -> tuple[int, int, int] | None:
        """The stripped span of these pieces, or None where it is over the limit."""
        pieces = self.pieces
        start, end = pieces.starts[first], pieces.starts[cut]
        text = self.text[start:end]
        end -= len(text) - len(text.rstrip())
        start = min(end, start + len(text) - len(text.lstrip()))
        if not self.in_tokens:
            return None if end - start > self.size else (start, end, self.counter.count(self.text[start:end]))
        tokens = pieces.totals[cut] - pieces.totals[first]
        if not self._trusted(first, cut, tokens):
            tokens = self.counter.count(self.text[start:end])
        return None if tokens > self.size else (start, end, tokens)

    def _trusted(self, first: int, cut: int, tokens: int) -> bool:
        pieces = self.pieces
        if not self.counter.additive or CHARACTER in pieces.cuts[first + 1 : cut]:
            return False
        joined = sum(self.text[start] == "/" for start in pieces.starts[first + 1 : cut])
        return tokens + _MARGIN + 2 * joined <= self.size


def without_crumbs(
    spans: Iterable[Span], document: Document, settings: ChunkSettings, count: Callable[[str], int]
) -> Iterator[Span]:
    """The same spans where none is below the minimum. A crumb goes to the passage before it, else to the one behind it,
    where both stand under one heading, or one under the other's, and the limit allows."""
    in_tokens = settings.unit == "tokens"
    path = _HeadingPath(document.headings)
    held: tuple[Span, tuple[str, ...]] | None = None
    for span in spans:
        here = path.at(span[0])
        if held is not None:
            before, above = held
            small = any((each[2] if in_tokens else each[1] - each[0]) < settings.minimum for each in (before, span))
            if small and here[: len(above)] == above[: len(here)]:
                text = document.text[before[0] : span[1]]
                tokens = count(text)
                if (tokens if in_tokens else len(text)) <= settings.size:
                    held = (before[0], span[1], tokens), above
                    continue
            yield before
        held = span, here
    if held is not None:
        yield held[0]


class _HeadingPath:
    """The titles above an offset, for offsets asked in rising order."""

    def __init__(self, headings: Sequence[Heading]) -> None:
        self._coming = list(reversed(headings))
        self._open: list[Heading] = []

    def at(self, offset: int) -> tuple[str, ...]:
        while self._coming and self._coming[-1].start <= offset:
            heading = self._coming.pop()
            while self._open and self._open[-1].level >= heading.level:
                self._open.pop()
            self._open.append(heading)
        return tuple(heading.title for heading in self._open)
