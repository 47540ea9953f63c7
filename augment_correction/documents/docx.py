"""Reader of .docx: paragraphs, headings, lists and tables in the order of the page, as Markdown.

python-docx opens the package; the body is walked as XML, because its own `Paragraph.text` leaves out content controls,
tracked insertions and text boxes, and its `iter_inner_content` the tables of contents and forms inside them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from augment_correction.documents.contract import ReadLimits, Unread, build_document
from augment_correction.documents.docx_styles import Styles, attribute, tag
from augment_correction.documents.text import clean
from augment_correction.records import Document, Heading

_MIME = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_OLE = b"\xd0\xcf\x11\xe0"  # a password turns a Word file into this container, and old .doc files are one
_SMALL = 16 << 20  # a file of repeated words packs well and harms nobody
_FIELDS = ("author", "subject", "keywords", "category", "language")

_P, _TBL, _TR, _TC, _SDT = tag("p"), tag("tbl"), tag("tr"), tag("tc"), tag("sdt")
_BOX, _SPAN, _MERGE = tag("txbxContent"), tag("gridSpan"), tag("vMerge")
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_INLINE = {tag("tab"): "\t", tag("br"): "\n", tag("cr"): "\n", tag("noBreakHyphen"): "-"}
_TEXT = tag("t")
_NOT_INLINE = {_BOX, _FALLBACK, tag("pPr")}
_AROUND = {tag("customXml"), tag("ins"), tag("sdtContent"), _SDT, tag("body"), tag("moveTo")}


def read_docx(path: Path, source: str, limits: ReadLimits) -> Iterator[Document]:
    _check_package(path, limits)
    import docx

    try:
        opened = docx.Document(str(path))
    except Exception as error:  # python-docx raises KeyError, ValueError and its own for a zip that is no Word file
        raise Unread("unreadable", f"not a Word document: {type(error).__name__}: {error}"[:300]) from error
    text, headings = _Body(Styles(opened)).read(opened.element.body)
    said = opened.core_properties
    metadata: dict[str, Any] = {name: value for name in _FIELDS if (value := clean(getattr(said, name) or ""))}
    if isinstance(said.created, datetime):
        metadata["created"] = said.created.isoformat()
    title = clean(said.title or "")
    yield build_document(
        text,
        source=source,
        media_type=_MIME,
        # python-docx makes up "Word Document" where the file has no properties at all
        title=title if title != "Word Document" else "",
        metadata=metadata,
        headings=headings,
    )


def _check_package(path: Path, limits: ReadLimits) -> None:
    """Looks at the zip's own list before anything is unpacked. `zipfile` never unpacks more than that list says."""
    with path.open("rb") as file:
        if file.read(4) == _OLE:
            raise Unread("encrypted", "protected by a password, or an old .doc with a new name")
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
    except zipfile.BadZipFile as error:
        raise Unread("unreadable", f"not a Word document: {error}") from error
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    markup = sum(part.file_size for part in parts if part.filename.endswith((".xml", ".rels")))
    if unpacked > limits.docx_unpacked or 4 * markup > limits.docx_unpacked:  # a parsed tree is many times its XML
        raise Unread("too_large", f"{unpacked:,} bytes unpacked, {markup:,} of them XML")
    if unpacked > _SMALL and unpacked > limits.docx_ratio * max(packed, 1):
        raise Unread("too_large", f"unpacks to {unpacked // max(packed, 1)} times its size")


class _Body:
    """Writes the blocks of a document body as Markdown and notes where the headings stand."""

    def __init__(self, styles: Styles) -> None:
        self._styles = styles
        self._parts: list[str] = []
        self._length = 0
        self._headings: list[Heading] = []
        self._in_list = False

    def read(self, body: Any) -> tuple[str, list[Heading]]:
        for block in _blocks(body):
            self._table(block) if block.tag == _TBL else self._paragraph(block)
        return "".join(self._parts), self._headings

    def _write(self, text: str, gap: str = "\n\n") -> int:
        """Appends a block; returns its offset."""
        if self._parts:
            text = gap + text
        self._parts.append(text)
        self._length += len(text)
        return self._length - len(text) + (len(gap) if len(self._parts) > 1 else 0)

    def _paragraph(self, paragraph: Any) -> None:
        text = _inline(paragraph)
        level = self._styles.heading_level(paragraph)
        marker = None if level else self._styles.list_marker(paragraph)
        if text:
            if level:
                title = " ".join(text.split())
                start = self._write(f"{'#' * min(level, 6)} {title}")
                self._headings.append(Heading(start, level, title))
            else:
                self._write((marker or "") + text, "\n" if marker and self._in_list else "\n\n")
            self._in_list = marker is not None
        for box in _boxes(paragraph):
            for block in _blocks(box):
                self._table(block) if block.tag == _TBL else self._paragraph(block)

    def _table(self, table: Any) -> None:
        self._in_list = False
        rows = [list(_cells(row)) for row in table.iter(_TR) if _nearest(row, _TBL) is table]
        width = max((len(row) for row in rows), default=0)
        if width == 1:  # a frame around ordinary text
            for row in rows:
                for block in _blocks(row[0]) if row and row[0] is not None else ():
                    self._table(block) if block.tag == _TBL else self._paragraph(block)
            return
        lines = [[_cell_text(cell).replace("|", "\\|") for cell in row] for row in rows]
        lines = [line + [""] * (width - len(line)) for line in lines]
        lines = [line for line in lines if any(line)]
        if lines:
            written = ["| " + " | ".join(line) + " |" for line in lines]
            written.insert(1, "|" + " --- |" * width)
            self._write("\n".join(written))


def _blocks(parent: Any) -> Iterator[Any]:
    """Paragraphs and tables under `parent`, also those inside content controls and tracked insertions."""
    for child in parent:
        if child.tag in (_P, _TBL):
            yield child
        elif child.tag in _AROUND:
            yield from _blocks(child)


def _inline(paragraph: Any) -> str:
    """The text of one paragraph without the text boxes anchored in it; deleted text has a tag of its own."""
    parts: list[str] = []
    waiting = list(reversed(paragraph))
    while waiting:
        node = waiting.pop()
        if node.tag == _TEXT:
            parts.append(node.text or "")
        elif node.tag in _INLINE:
            parts.append(_INLINE[node.tag])
        elif node.tag not in _NOT_INLINE:
            waiting.extend(reversed(node))
    return clean("".join(parts)).strip()


def _boxes(paragraph: Any) -> Iterator[Any]:
    """Text boxes anchored in this paragraph. Word writes each twice, for old readers as a Fallback."""
    for box in paragraph.iter(_BOX):
        outer = [parent.tag for parent in box.iterancestors()]
        if _FALLBACK not in outer and _nearest(box, _P) is paragraph:
            yield box


def _nearest(node: Any, wanted: str) -> Any:
    return next(node.iterancestors(wanted), None)


def _cells(row: Any) -> Iterator[Any]:
    """One entry a column: a cell, or None where a wider or higher cell covers the place."""
    for cell in row.iter(_TC):
        if _nearest(cell, _TR) is not row:
            continue
        merge = next((node for node in cell.iter(_MERGE) if _nearest(node, _TC) is cell), None)
        yield cell if merge is None or attribute(merge, "val") == "restart" else None
        span = next((node for node in cell.iter(_SPAN) if _nearest(node, _TC) is cell), None)
        for _ in range(min(_number(span) - 1, 63)):
            yield None


def _number(node: Any) -> int:
    value = attribute(node, "val") if node is not None else None
    return int(value) if value and value.isdigit() else 1


def _cell_text(cell: Any) -> str:
    """A cell in one line: its paragraphs, and a table inside it as `a; b / c; d`."""
    if cell is None:
        return ""
    parts = []
    for block in _blocks(cell):
        if block.tag == _TBL:
            rows = [row for row in block.iter(_TR) if _nearest(row, _TBL) is block]
            inner = ("; ".join(filter(None, map(_cell_text, _cells(row)))) for row in rows)
            parts.append(" / ".join(filter(None, inner)))
        else:
            parts.append(" ".join(_inline(block).split()))
    return " ".join(filter(None, parts))
