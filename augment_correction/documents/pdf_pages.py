"""The lines of each page of a PDF, where they stand, and what else the file says: title, author, outline.

PDFium reads the characters and pypdf what is filled into forms. pypdf takes over where pypdfium2 is not installed or
cannot open the file: it is 4 to 18 times slower, knows no positions, and glued 36,000 of 82,000 words of a XeTeX manual to their neighbours (measured).
"""

from __future__ import annotations

import ctypes
import re
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import repeat
from pathlib import Path
from typing import Any, Protocol

from augment_correction.documents.contract import Unread
from augment_correction.documents.pdf_fields import filled_fields
from augment_correction.documents.pdf_order import in_reading_order
from augment_correction.documents.pdf_words import (
    Line,
    SpanLayout,
    Spans,
    compose_accents,
    pieces,
    pitch,
    quarters,
)

_MOST_LEVELS = 15
_SMALL_LETTER = re.compile(r"[a-zß-öø-ÿ]")
_SAMPLE = 8  # pages
_FEW_GLUED = 0.001  # of the words of these


@dataclass(frozen=True, slots=True)
class OutlineItem:
    page: int
    level: int
    title: str


class PdfSource(Protocol):
    """An open PDF. `lines` raises whatever the library raises on a broken page."""

    def count(self) -> int: ...
    def lines(self, page: int) -> list[Line]: ...
    def outline(self) -> list[OutlineItem]: ...
    def metadata(self) -> Mapping[str, Any]: ...
    def encrypted(self) -> bool: ...


@contextmanager
def open_pdf(path: Path) -> Iterator[PdfSource]:
    """Raises Unread("encrypted") where a password is needed, Unread("unreadable") where no library can open it."""
    try:
        import pypdfium2
    except ImportError:
        yield _open_with_pypdf(path)
        return
    try:
        opened = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
            raise Unread("encrypted", "a password is needed to read it") from error
        if error.err_code == pypdfium2.raw.FPDF_ERR_SECURITY:
            raise Unread("encrypted", "its kind of encryption is not known: remove it first") from error
        yield _open_with_pypdf(path)
        return
    try:
        yield _Pdfium(opened, path)
    finally:
        opened.close()


class _Pdfium:
    """Raw calls with buffers used again: two calls a line cost 5 % of the extraction, pypdfium2's objects 30 %."""

    def __init__(self, document: Any, path: Path) -> None:
        from pypdfium2 import raw

        self._raw = raw
        self._document = document
        self._path = path
        self._place = array("d", (0.0, 0.0))
        self._x = self._place.buffer_info()[0]
        self._room = 0
        self._box = _bare(raw.FPDFText_GetLooseCharBox, ctypes.c_int, ctypes.c_void_p)
        self._origin = _bare(raw.FPDFText_GetCharOrigin, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        self._font_size = _bare(raw.FPDFText_GetFontSize, ctypes.c_double)
        self._angle = _bare(raw.FPDFText_GetCharAngle, ctypes.c_float)
        self._read: dict[int, list[Line]] = {}

    def count(self) -> int:
        return len(self._document)

    def lines(self, page: int) -> list[Line]:
        close = self._glued
        found = self._read.pop(page) if page in self._read else self._pieces(page, close)[0]
        if self._raw.FPDF_GetFormType(self._document.raw):
            found += self._filled.get(page, [])
        return in_reading_order(found)

    @cached_property
    def _filled(self) -> dict[int, list[Line]]:
        return filled_fields(self._path)

    @cached_property
    def _glued(self) -> bool:
        """Whether PDFium runs words of this file together, which its fonts decide: a few pages tell. Only then is each
        character measured, which takes as long as PDFium itself."""
        words = parted = 0
        for page in range(0, self.count(), max(1, self.count() // _SAMPLE)):
            with suppress(ValueError):  # it is said where the page's own turn comes
                self._read[page], parted_here = self._pieces(page, close=True)
                words += sum(line.text.count(" ") + 1 for line in self._read[page])
                parted += parted_here
        return parted > _FEW_GLUED * words

    def _pieces(self, page: int, close: bool) -> tuple[list[Line], int]:
        raw = self._raw
        opened = raw.FPDF_LoadPage(self._document.raw, page)
        if not opened:
            raise ValueError("PDFium cannot load this page")
        try:
            text = raw.FPDFText_LoadPage(opened)
            if not text:
                raise ValueError("PDFium cannot read the text of this page")
            try:
                return self._placed(text, self._text(text), close)
            finally:
                raw.FPDFText_ClosePage(text)
        finally:
            raw.FPDF_ClosePage(opened)

    def _text(self, page: Any) -> str:
        """As many characters as PDFium counts, so that an index means the same for both."""
        count = self._raw.FPDFText_CountChars(page)
        if count <= 0:
            return ""
        if self._room < count + 1:
            self._room = 2 * count + 4096
            self._buffer = (ctypes.c_ushort * (2 * self._room))()
        got = self._raw.FPDFText_GetText(page, 0, count, self._buffer)
        text = ctypes.string_at(self._buffer, 2 * max(0, got - 1)).decode("utf-16-le", "replace")
        if len(text) == count:
            return text
        return "".join(chr(self._raw.FPDFText_GetUnicode(page, at)) for at in range(count))

    def _placed(self, page: Any, text: str, close: bool) -> tuple[list[Line], int]:
        handle = ctypes.cast(page, ctypes.c_void_p).value
        boxes = partial(self._boxes, handle)
        text = compose_accents(text, boxes)
        measured = SpanLayout(text, boxes, close)
        found: list[Line] = []
        parted = span = end = 0
        for part in text.split("\r\n"):
            first, end = span, end + len(part) + 2
            span = bisect_left(measured.starts, end, first)
            if first == span:
                continue
            middle = measured.starts[(first + span) // 2]
            turned = quarters(self._angle(handle, middle))
            spans = measured.turned(turned)
            for begin, last, piece, spaces in pieces(text, first, span - 1, spans):
                parted += spaces
                if piece:
                    found.append(self._line(handle, text, begin, last, piece, spans, turned))
                    found[-1].pitch = pitch(begin, last, found[-1].size, spans, boxes)
        return found, parted

    def _line(self, page: int | None, text: str, first: int, last: int, piece: str, spans: Spans, turned: int) -> Line:
        start, end = spans.starts[first], spans.ends[last]
        usual = _usual(text, start, end)
        y = self._height(page, usual, turned)
        near = bisect_left(spans.ends, usual, first, last)
        tall = spans.top[near] - spans.bottom[near]
        size = self._font_size(page, usual)
        if not 0.6 * tall < size < 1.7 * tall:  # a font of size 1 that the page's matrix makes larger
            size = tall
        return Line(piece, spans.left[first], y, size, y, spans.right[last], 0.0, turned)

    def _height(self, page: int | None, index: int, turned: int) -> float:
        self._origin(page, index, self._x, self._x + 8)
        x, y = self._place
        return (y, -x, -y, x)[turned]

    def _boxes(self, page: int | None, characters: Sequence[int]) -> array[float]:
        """Through a bare prototype and one buffer: a third of the time of the binding's call for each character."""
        found = array("f", bytes(16 * len(characters)))
        start = found.buffer_info()[0]
        places = range(start, start + 16 * len(characters), 16)
        deque(map(self._box, repeat(page), characters, places), maxlen=0)
        return found

    def outline(self) -> list[OutlineItem]:
        found = []
        for mark in self._document.get_toc(max_depth=_MOST_LEVELS):
            place = mark.get_dest()
            page = place.get_index() if place else None
            if page is not None:
                found.append(OutlineItem(page, mark.level + 1, mark.get_title()))
        return found

    def metadata(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._document.get_metadata_dict(skip_empty=True)
        return found

    def encrypted(self) -> bool:
        return bool(self._raw.FPDF_GetSecurityHandlerRevision(self._document.raw) >= 0)


def _bare(function: Any, result: Any, *buffers: Any) -> Callable[..., Any]:
    """The same function of a text page and a character; the binding's own checks take two thirds of a call's time."""
    prototype = ctypes.PYFUNCTYPE(result, ctypes.c_void_p, ctypes.c_int, *buffers)
    return prototype(ctypes.cast(function, ctypes.c_void_p).value or 0)


def _usual(text: str, start: int, end: int) -> int:
    """Where a letter of the line's own size and height is likely: footnotes begin with a small raised number."""
    middle = start + (end - start + 1) // 2
    letter = _SMALL_LETTER.search(text, middle, min(middle + 8, end + 1))
    return letter.start() if letter else middle


def _open_with_pypdf(path: Path) -> PdfSource:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unread("encrypted", "a password is needed to read it")
        reader.pages[0]
    except DependencyError as error:
        raise Unread("encrypted", str(error)) from error
    except Unread:
        raise
    except Exception as error:
        raise Unread("unreadable", f"not a PDF that can be opened: {error}") from error
    return _Pypdf(reader)


class _Pypdf:
    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def count(self) -> int:
        return len(self._reader.pages)

    def lines(self, page: int) -> list[Line]:
        text: str = self._reader.pages[page].extract_text()
        return [Line(line.strip()) for line in text.splitlines() if line.strip()]

    def outline(self) -> list[OutlineItem]:
        found: list[OutlineItem] = []
        with suppress(Exception):  # a broken outline is no reason to lose the text
            self._walk(self._reader.outline, 1, found)
        return found

    def _walk(self, items: Any, level: int, found: list[OutlineItem]) -> None:
        for item in items:
            if isinstance(item, list):
                if level < _MOST_LEVELS:
                    self._walk(item, level + 1, found)
                continue
            page = self._reader.get_destination_page_number(item)
            if page is not None and page >= 0:
                found.append(OutlineItem(page, level, str(item.title)))

    def metadata(self) -> Mapping[str, Any]:
        with suppress(Exception):
            return {key.lstrip("/"): str(value) for key, value in (self._reader.metadata or {}).items()}
        return {}

    def encrypted(self) -> bool:
        return bool(self._reader.is_encrypted)
