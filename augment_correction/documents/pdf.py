"""Reader of .pdf: text page by page, with the offset of each page and the outline as headings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from augment_correction.documents import ocr
from augment_correction.documents.contract import ReadLimits, Unread, Working, build_document
from augment_correction.documents.pdf_floats import settle_floats
from augment_correction.documents.pdf_layout import (
    continues,
    drop_running_lines,
    join_broken_words,
    line_distance,
    looks_glued,
    page_text,
)
from augment_correction.documents.pdf_pages import OutlineItem, PdfSource, open_pdf
from augment_correction.documents.pdf_scans import drawn_pages, read_scan
from augment_correction.documents.pdf_words import Line
from augment_correction.documents.text import clean
from augment_correction.errors import installing
from augment_correction.records import Document, Heading, ReadNote, UnreadInput

_KEPT = {"Author": "author", "Subject": "subject", "Keywords": "keywords", "CreationDate": "created"}
_PLACEHOLDERS = {"untitled", "(anonymous)", "anonymous", "(unspecified)", "unspecified", "title"}
_LOCKED = "it is encrypted and gives out no text: remove its protection with the password first (qpdf --decrypt)"
_NO_TEXT = "no text on any page"


def read_pdf(path: Path, source: str, limits: ReadLimits) -> Iterator[Document | UnreadInput | ReadNote | Working]:
    with open_pdf(path) as pdf:
        pages: list[list[Line]] = []
        failed: list[UnreadInput] = []
        for number in range(pdf.count()):
            try:
                pages.append(pdf.lines(number))
            except Exception as error:  # one broken page must not cost the others
                pages.append([])
                failed.append(UnreadInput(f"{source}#p{number + 1}", "unreadable", str(error)[:500]))
        scanned = drawn_pages(path, (number for number, lines in enumerate(pages) if not lines))
        if scanned and ocr.installed():
            yield from _recognise(path, source, pages, scanned)
        yield from failed
        if not any(pages):
            raise _nothing(failed, pdf.encrypted(), len(scanned))
        if scanned and not ocr.installed():
            yield ReadNote(source, "scanned", f"scanned pages were not read; {_remedy()}", len(scanned))
        yield _document(pdf, pages, source)


def _recognise(
    path: Path, source: str, pages: list[list[Line]], scanned: Sequence[int]
) -> Iterator[UnreadInput | ReadNote | Working]:
    """Puts the lines of scanned pages into `pages`."""
    read = 0
    for number in scanned:
        yield Working(source, f"page {number + 1}: OCR")
        try:
            pages[number] = read_scan(path, number)
        except Exception as error:  # one broken page must not cost the others
            yield UnreadInput(f"{source}#p{number + 1}", "unreadable", f"OCR failed on it: {error}"[:500])
        read += bool(pages[number])
    if read:
        yield ReadNote(source, "ocr", "scanned pages, read by OCR, which makes mistakes", read)


def _nothing(failed: Sequence[UnreadInput], encrypted: bool, scanned: int) -> Unread:
    if failed:
        return Unread("unreadable", "no page of it can be read")
    if encrypted:
        return Unread("encrypted", _LOCKED)
    if not scanned:
        return Unread("no_text", _NO_TEXT)
    if ocr.installed():
        return Unread("no_text", f"OCR found no text on its {_pages(scanned)}")
    return Unread("no_text", f"no text, but {_pages(scanned)} that may be scanned; {_remedy()}")


def _remedy() -> str:
    return f"OCR reads them after: {installing('ocr')}"


def _pages(count: int) -> str:
    return "1 page" if count == 1 else f"{count:,} pages"


def _document(pdf: PdfSource, pages: list[list[Line]], source: str) -> Document:
    metadata: dict[str, Any] = {}
    said = pdf.metadata()
    for key, name in _KEPT.items():
        value = clean(str(said.get(key) or "")).strip()
        if value and value.casefold() not in _PLACEHOLDERS:
            metadata[name] = value
    empty = sum(not lines for lines in pages)
    if empty:
        metadata["pages_without_text"] = empty
    dropped = drop_running_lines(pages)
    if dropped:
        metadata["running_lines_removed"] = dropped
    usual = line_distance(pages[:50])
    texts = [clean(page_text(lines, usual)) for lines in pages]
    join_broken_words(texts)
    settle_floats(texts)
    text, starts = _joined(texts)
    if looks_glued(text):
        metadata["warning"] = "words look glued together: the file holds no spaces between them"
    return build_document(
        text,
        source=source,
        media_type="application/pdf",
        title=_title(said),
        metadata=metadata,
        pages=starts,
        headings=_headings(text, starts, pdf.outline()),
    )


def _title(said: Mapping[str, Any]) -> str:
    title = clean(str(said.get("Title") or "")).strip()
    return "" if title.casefold() in _PLACEHOLDERS or title.startswith("Microsoft Word - ") else title


def _joined(texts: Sequence[str]) -> tuple[str, list[int]]:
    """The pages as one text, and where each starts; a sentence that runs over the page's end is not cut in two."""
    parts: list[str] = []
    starts: list[int] = []
    length, before = 0, ""
    for text in texts:
        if before and text:
            gap = "\n" if continues(before, text) else "\n\n"
            parts.append(gap)
            length += len(gap)
        starts.append(length)
        parts.append(text)
        length += len(text)
        before = text or before
    return "".join(parts), starts


def _headings(text: str, starts: Sequence[int], outline: Sequence[OutlineItem]) -> list[Heading]:
    """Where the title stands on its page if it can be found there at the beginning of a line, else where the
    page starts.

    Titles are searched in order, so that two equal ones on a page are two places.
    """
    found: list[Heading] = []
    floor = 0
    for item in outline:
        title = " ".join(clean(item.title).split())
        if not title or item.page >= len(starts):
            continue
        start = starts[item.page]
        end = starts[item.page + 1] if item.page + 1 < len(starts) else len(text)
        place = _line_of(text, title, max(start, min(floor, end)), end)
        found.append(Heading(start if place is None else place, item.level, title))
        floor = start if place is None else place + 1
    return sorted(found, key=lambda heading: heading.start)


def _line_of(text: str, title: str, start: int, end: int) -> int | None:
    """Start of the line that holds `title`, if nothing but a short number stands before it."""
    at = text.find(title, start, end)
    while at >= 0:
        line = text.rfind("\n", 0, at) + 1
        if at - line <= 16 and line >= start - 1:
            return max(line, start)
        at = text.find(title, at + 1, end)
    return None
