"""The lines of each page of a PDF, where they stand, and what else the file says: title, author, outline.

PDFium reads the characters and pypdf what is filled into forms. pypdf takes over where pypdfium2 is not installed or cannot open the file: it is 4 to 18 times
slower, knows no positions, and glued 36,000 of 82,000 words of a XeTeX manual to their neighbours (measured).
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import Any, Protocol

from augment_correction.documents.contract import Unread
from augment_correction.documents.pdf_fields import filled_fields
from augment_correction.documents.pdf_order import in_reading_order
from augment_correction.documents.pdf_words import (
    BROKEN_HYPHENS,
    Boxes,
    Line,
    compose_accents,
    pieces,
    pitch,
    quarters,
    wide_gaps,
)

_MOST_LEVELS = 15


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
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._room = 0
        prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        self._box = prototype(ctypes.cast(raw.FPDFText_GetLooseCharBox, ctypes.c_void_p).value or 0)

    def count(self) -> int:
        return len(self._document)

    def lines(self, page: int) -> list[Line]:
        found = self._pieces(page)
        if self._raw.FPDF_GetFormType(self._document.raw):
            found += self._filled.get(page, [])
        return in_reading_order(found)

    @cached_property
    def _filled(self) -> dict[int, list[Line]]:
        return filled_fields(self._path)

    def _pieces(self, page: int) -> list[Line]:
        raw = self._raw
        opened = raw.FPDF_LoadPage(self._document.raw, page)
        if not opened:
            raise ValueError("PDFium cannot load this page")
        try:
            text = raw.FPDFText_LoadPage(opened)
            if not text:
                raise ValueError("PDFium cannot read the text of this page")
            try:
                return self._placed(text, self._text(text))
            finally:
                raw.FPDFText_ClosePage(text)
        finally:
            raw.FPDF_ClosePage(opened)

    def _text(self, page: Any) -> str:
        count = self._raw.FPDFText_CountChars(page)
        if count <= 0:
            return ""
        if self._room < count + 1:
            self._room = 2 * count + 4096
            self._buffer = (ctypes.c_ushort * (2 * self._room))()
        got = self._raw.FPDFText_GetText(page, 0, count, self._buffer)
        return ctypes.string_at(self._buffer, 2 * max(0, got - 1)).decode("utf-16-le", "replace")

    def _placed(self, page: Any, text: str) -> list[Line]:
        raw, found = self._raw, []
        if raw.FPDFText_CountChars(page) != len(text):
            text = "".join(chr(raw.FPDFText_GetUnicode(page, at)) for at in range(raw.FPDFText_CountChars(page)))
        boxes = self._boxes(page, len(text))
        turns: dict[int, tuple[Boxes, list[str], list[int]]] = {}
        offset = 0
        for part in text.split("\r\n"):
            stripped = part.strip()
            if stripped:
                first = offset + part.index(stripped)
                last = first + len(stripped) - 1
                turned = quarters(raw.FPDFText_GetCharAngle(page, (first + last) // 2))
                if turned not in turns:
                    upright = boxes.turned(turned)
                    turns[turned] = (upright, compose_accents(text, upright), wide_gaps(upright))
                upright, characters, gaps = turns[turned]
                for begin, end, piece in pieces(characters, text, first, last, upright, gaps):
                    if piece:
                        found.append(self._line(page, text, begin, end, piece, upright, turned))
            offset += len(part) + 2
        return found

    def _line(self, page: Any, text: str, first: int, last: int, piece: str, boxes: Boxes, turned: int) -> Line:
        usual = min(first + _usual(text[first : last + 1]), last)
        y = self._height(page, usual, turned)
        bottom = y
        if any(mark in text[first : last + 1] for mark in BROKEN_HYPHENS):
            y, bottom = self._height(page, first, turned), self._height(page, last, turned)
            left, right = min(boxes.left[first : last + 1]), max(boxes.right[first : last + 1])
        else:
            left, right = boxes.left[first], boxes.right[last]
        tall = boxes.top[usual] - boxes.bottom[usual]
        size = self._raw.FPDFText_GetFontSize(page, usual)
        if not 0.6 * tall < size < 1.7 * tall:  # a font of size 1 that the page's matrix makes larger
            size = tall
        return Line(piece, left, y, size, bottom, right, pitch(first, last, boxes), turned)

    def _height(self, page: Any, index: int, turned: int) -> float:
        self._raw.FPDFText_GetCharOrigin(page, index, self._x, self._y)
        x, y = self._x.value, self._y.value
        return (y, -x, -y, x)[turned]

    def _boxes(self, page: Any, count: int) -> Boxes:
        """Through a bare prototype and one buffer: a third of the time of the binding's call for each character."""
        buffer = (ctypes.c_float * (4 * count))()
        start, handle = ctypes.addressof(buffer), ctypes.cast(page, ctypes.c_void_p).value
        deque(map(self._box, repeat(handle), range(count), range(start, start + 16 * count, 16)), maxlen=0)
        values = list(buffer)
        return Boxes(values[0::4], values[1::4], values[2::4], values[3::4])

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


def _usual(text: str) -> int:
    """Where a letter of the line's own size and height is likely: footnotes begin with a small raised number."""
    middle = len(text) // 2
    return next((at for at in range(middle, min(middle + 8, len(text))) if text[at].islower()), middle)


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
