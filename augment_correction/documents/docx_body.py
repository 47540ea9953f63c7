"""The body of a Word document, block by block, with the notes behind the paragraph or table that mentions them."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO

from augment_correction.documents.contract import ReadLimits, Unread
from augment_correction.documents.docx_runs import BOX, CHART, Notes, Runs
from augment_correction.documents.docx_styles import Styles, attribute, tag
from augment_correction.documents.drawings import chart_rows, diagram_lines
from augment_correction.documents.embedded import read_embedded
from augment_correction.documents.package import ALTERNATE, alternative, mended, open_zip, parse_xml, told
from augment_correction.documents.writing import Markdown
from augment_correction.records import ReadNote, UnreadInput

_P, _TBL, _TR, _TC, _SDT, _CHUNK = tag("p"), tag("tbl"), tag("tr"), tag("tc"), tag("sdt"), tag("altChunk")
_SPAN, _MERGE = tag("gridSpan"), tag("vMerge")
_AROUND = {tag(name) for name in ("customXml", "ins", "sdtContent", "body", "moveTo", "smartTag")} | {_SDT}
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_DEEPEST = 3  # a Word file in a Word file in a Word file


def open_docx(file: BinaryIO, limits: ReadLimits) -> Any:
    """The file as python-docx sees it, mended first. Raises Unread."""
    import docx

    with open_zip(file, "Word document", limits) as package:
        try:
            return docx.Document(mended(package))
        except Unread:
            raise
        except Exception as error:  # python-docx raises KeyError, ValueError and its own for a zip that is no Word file
            raise Unread("unreadable", f"not a Word document: {told(error)}"[:300]) from error


class Body:
    """Reads one document. `told` lists by their names the parts that may hold text and could not be read, or were read
    otherwise."""

    def __init__(self, opened: Any, limits: ReadLimits, depth: int = 1) -> None:
        self._part, self._limits, self._depth = opened.part, limits, depth
        self._styles = Styles(opened)
        self.told: list[UnreadInput | ReadNote] = []
        self._notes = Notes(self._all_notes())
        self._runs = Runs(self._styles, self._notes)
        self._written = Markdown()
        self._carried = ""

    def read(self) -> Markdown:
        self._blocks(self._part.element.body)
        if self._carried.strip():
            self._written.paragraph(self._carried.strip())
        self.told += [
            UnreadInput(kind, "unreadable", f"the file has marks of {kind} that could not be found")
            for kind in sorted(self._notes.missing)
        ]
        return self._written

    def _blocks(self, parent: Any) -> None:
        for block in _blocks(parent):
            if block.tag == _P:
                self._paragraph(block)
            elif block.tag == _TBL:
                self._table(block)
            else:
                self._written.extend(self._chunk(block))
            self._write_notes()

    def _paragraph(self, paragraph: Any) -> None:
        text, anchored = self._runs.read(paragraph)
        if _mark_is_deleted(paragraph):  # accepted, this deletion joins the paragraph with the next one
            self._carried += text
        else:
            text, self._carried = (self._carried + text).strip(), ""
            level = self._styles.heading_level(paragraph)
            marker = None if level else self._styles.list_marker(paragraph)
            if not text:
                pass
            elif level:
                self._written.heading(level, text)
            elif marker:
                self._written.item(marker, text)
            else:
                self._written.paragraph(text)
        for thing in anchored:
            if thing.tag == BOX:
                self._blocks(thing)
            elif thing.tag == CHART:
                self._written.table(chart_rows(self._related(thing, "id")))
            else:
                for line in diagram_lines(self._related(thing, "dm")):
                    self._written.item("- ", line)

    def _write_notes(self) -> None:
        while notes := self._notes.take():  # a note may hold the mark of another one
            for number, note in notes:
                self._written.paragraph(f"[^{number}]: {self._flat(note)}".rstrip())

    def _all_notes(self) -> dict[tuple[str, str], Any]:
        """Footnotes and endnotes by (kind, id). python-docx keeps both parts as bytes."""
        found = {}
        for relation in self._part.rels.values():
            kind = relation.reltype.rpartition("/")[2]
            if kind in ("footnotes", "endnotes") and not relation.is_external:
                root = self._root(relation.target_part)
                found.update({(kind, attribute(note, "id") or ""): note for note in (() if root is None else root)})
        return found

    def _related(self, node: Any, name: str) -> Any:
        """The root of the part that a node names; None where there is none."""
        part = self._part.related_parts.get(node.get(_RELATION + name) or "")
        return None if part is None else self._root(part)

    def _root(self, part: Any) -> Any:
        try:
            return part.element if hasattr(part, "element") else parse_xml(part.blob)
        except Unread as unread:
            self.told.append(UnreadInput(_name(part), unread.reason, unread.detail))
            return None

    def _chunk(self, block: Any) -> Markdown:
        """A whole file that Word shows at this place."""
        part = self._part.related_parts.get(block.get(f"{_RELATION}id") or "")
        try:
            if part is None:
                raise Unread("unreadable", "the file names an embedded part that it does not hold")
            if part.blob[:4] == b"PK\x03\x04":
                return self._embedded_docx(part.blob)
            written, notes = read_embedded(part.blob, part.content_type, _name(part))
        except Unread as unread:
            self.told.append(UnreadInput(_name(part) if part is not None else "altChunk", unread.reason, unread.detail))
            return Markdown()
        self.told += notes
        return written

    def _embedded_docx(self, data: bytes) -> Markdown:
        if self._depth == _DEEPEST:
            raise Unread("unreadable", f"files inside one another, {_DEEPEST} deep")
        inner = Body(open_docx(BytesIO(data), self._limits), self._limits, self._depth + 1)
        written = inner.read()
        self.told += inner.told
        return written

    def _table(self, table: Any) -> None:
        rows = [list(_cells(row)) for row in _rows(table)]
        if max((len(row) for row in rows), default=0) == 1:  # a frame around ordinary text
            for row in rows:
                if row[0] is not None:
                    self._blocks(row[0])
            return
        self._written.table([["" if cell is None else self._flat(cell) for cell in row] for row in rows])

    def _flat(self, parent: Any) -> str:
        """A cell or a note in one line: its paragraphs, and a table inside it as `a; b / c; d`."""
        parts = []
        for block in _blocks(parent):
            if block.tag == _CHUNK:
                parts.append(self._chunk(block).text)
            elif block.tag == _TBL:
                rows = ([self._flat(cell) for cell in _cells(row) if cell is not None] for row in _rows(block))
                parts.append(" / ".join(filter(None, ("; ".join(filter(None, row)) for row in rows))))
            else:
                text, anchored = self._runs.read(block)
                marker = self._styles.list_marker(block)
                numbered = marker and text.strip() and not marker.endswith("- ")
                parts.append(f"{marker.strip()} {text}" if marker and numbered else text)
                parts += [self._flat(box) for box in anchored if box.tag == BOX]
        return " ".join(" ".join(parts).split())


def _name(part: Any) -> str:
    return str(part.partname).lstrip("/")


def _blocks(parent: Any) -> Iterator[Any]:
    """Paragraphs, tables and embedded files under `parent`, also those inside content controls and tracked
    insertions."""
    for child in parent:
        if child.tag in (_P, _TBL, _CHUNK):
            yield child
        elif child.tag in _AROUND:
            yield from _blocks(child)
        elif child.tag == ALTERNATE:
            yield from _blocks(alternative(child))


def _mark_is_deleted(paragraph: Any) -> bool:
    mark = paragraph.find(f"{tag('pPr')}/{tag('rPr')}")
    return mark is not None and (mark.find(tag("del")) is not None or mark.find(tag("moveFrom")) is not None)


def _nearest(node: Any, wanted: str) -> Any:
    return next(node.iterancestors(wanted), None)


def _rows(table: Any) -> Iterator[Any]:
    """The rows that are shown: neither hidden nor deleted."""
    for row in table.iter(_TR):
        if _nearest(row, _TBL) is table:
            settings = row.find(tag("trPr"))
            if settings is None or (settings.find(tag("hidden")) is None and settings.find(tag("del")) is None):
                yield row


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
