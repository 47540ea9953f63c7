"""Scanned pages of a PDF: found by what is drawn where no text is, rendered by PDFium and read by OCR."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from augment_correction.documents.ocr import LONGEST_SIDE, read_picture, type_sizes
from augment_correction.documents.pdf_order import in_reading_order
from augment_correction.documents.pdf_words import Line

_CLOSEST = 4.0
"""Pixels for each point at the most, 288 dots an inch: a small page must not become a large picture."""
_DEPTH = 5
"""Pictures may lie in forms inside of forms."""
_FEW = 50
"""So many lines and frames may decorate an empty page; more of them draw something."""
_BASELINE = 0.2
"""Of a box's height lies so much below the line on which its letters stand."""
_TYPE = 0.75
"""Of a box's height, as the size of its type."""


def drawn_pages(path: Path, numbers: Iterable[int]) -> list[int]:
    """Those of the pages that show a picture or a drawing, text as outlines of letters included; none where PDFium is not there or cannot open the file."""
    with _opened(path) as document:
        return [number for number in numbers if document and _is_drawn(document, number)]


def read_scan(path: Path, number: int) -> list[Line]:
    """The page's lines in the order of reading, in points as PDFium gives those of a text page."""
    with _opened(path) as document:
        return _lines(document, number)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import pypdfium2
    except ImportError:
        yield None
        return
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        yield None
        return
    try:
        yield document
    finally:
        document.close()


def _is_drawn(document: Any, number: int) -> bool:
    from pypdfium2 import PdfiumError, raw

    try:
        page = document[number]
    except PdfiumError:
        return False
    try:
        pictures = page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=_DEPTH)
        return bool(any(True for _ in pictures) or raw.FPDFPage_CountObjects(page.raw) > _FEW)
    finally:
        page.close()


def _lines(document: Any, number: int) -> list[Line]:
    page = document[number]
    try:
        scale = min(LONGEST_SIDE / max(*page.get_size(), 1.0), _CLOSEST)
        pixels = page.render(scale=scale).to_numpy().copy()
    finally:
        page.close()
    boxes = read_picture(pixels)
    found = []
    for (text, left, _, right, bottom), height in zip(boxes, type_sizes(boxes), strict=True):
        y = (len(pixels) - bottom + _BASELINE * height) / scale
        found.append(Line(text, left / scale, y, _TYPE * height / scale, y, right / scale))
    return in_reading_order(found)
