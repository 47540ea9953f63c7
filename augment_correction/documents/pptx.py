"""Reader of PowerPoint files: slide after slide, with tables, charts, diagrams, equations and the speaker's notes.

python-pptx opens the package and knows the order of the slides; a slide is walked as XML, because its own shapes leave out
what stands in `mc:AlternateContent` (equations, newer shapes) and in diagrams.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from augment_correction.documents.contract import ReadLimits, Unread, build_document
from augment_correction.documents.drawings import chart_rows, diagram_lines
from augment_correction.documents.equations import MATH, omml
from augment_correction.documents.package import ALTERNATE, alternative, mended, open_zip, parse_xml, told
from augment_correction.documents.text import clean
from augment_correction.documents.writing import Markdown, raised
from augment_correction.records import Document, UnreadInput

_MIME = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_TITLES = ("title", "ctrTitle")
_FURNITURE = ("dt", "ftr", "hdr", "sldNum", "sldImg")  # date, footer, header, number, picture of the slide
_FIELDS = ("author", "subject", "keywords", "category", "language")


def read_pptx(path: Path, source: str, limits: ReadLimits) -> Iterator[Document | UnreadInput]:
    """One document; its pages are the slides. A slide that its author has hidden is left out and said."""
    with path.open("rb") as file:
        opened = _opened(file, limits)
    written, pages = Markdown(), []
    for number, slide in enumerate(opened.slides, 1):
        if slide._element.get("show") in ("0", "false"):
            yield UnreadInput(f"{source}#slide{number}", "hidden", "the author has hidden this slide")
        else:
            shown = _Slide(slide.part, written)
            shown.write()
            if slide.has_notes_slide:
                _Slide(slide.notes_slide.part, written).write_notes()
            yield from (UnreadInput(f"{source}#slide{number}", each.reason, each.detail) for each in shown.lost)
        pages.append(len(written))
    said = opened.core_properties
    metadata: dict[str, Any] = {name: value for name in _FIELDS if (value := clean(getattr(said, name) or ""))}
    if isinstance(said.created, datetime):
        metadata["created"] = said.created.isoformat()
    title = clean(said.title or "")
    yield build_document(
        written.text,
        source=source,
        media_type=_MIME,
        # the name that PowerPoint and python-pptx give to a presentation without one
        title=title if title != "PowerPoint Presentation" else "",
        metadata=metadata,
        pages=[0, *pages[:-1]],
        headings=written.headings,
    )


def _opened(file: Any, limits: ReadLimits) -> Any:
    import pptx

    with open_zip(file, "PowerPoint presentation", limits) as package:
        try:
            return pptx.Presentation(mended(package))
        except Unread:
            raise
        except Exception as error:  # python-pptx raises KeyError, ValueError and its own for a zip of another kind
            detail = f"not a PowerPoint presentation: {told(error)}"
            raise Unread("unreadable", detail[:300]) from error


class _Slide:
    """Writes one slide, or the notes of one."""

    def __init__(self, part: Any, written: Markdown) -> None:
        self._part, self._out = part, written
        self._shapes = list(_shapes(part._element))
        self.lost: list[Unread] = []  # charts and diagrams

    def write(self) -> None:
        for shape in self._shapes:  # the title first, wherever it stands in the file
            if _placeholder(shape) in _TITLES:
                self._out.heading(1, " ".join(filter(None, map(_text, shape.iter(f"{_A}p")))))
        for shape in self._shapes:
            if _placeholder(shape) not in (*_TITLES, *_FURNITURE):
                self._shape(shape)

    def write_notes(self) -> None:
        texts = [
            text
            for shape in self._shapes
            if _placeholder(shape) == "body"
            for paragraph in shape.iter(f"{_A}p")
            if (text := _text(paragraph))
        ]
        if texts:
            self._out.paragraph("Notes: " + "\n".join(texts))

    def _shape(self, shape: Any) -> None:
        table = next(shape.iter(f"{_A}tbl"), None)
        if table is not None:
            self._out.table([[_cell(cell) for cell in row.iterfind(f"{_A}tc")] for row in table.iterfind(f"{_A}tr")])
            return
        for chart in shape.iter(_CHART):
            self._out.table(chart_rows(self._related(chart, "id")))
        for diagram in shape.iter(_DIAGRAM):
            for line in diagram_lines(self._related(diagram, "dm")):
                self._out.item("- ", line)
        self._out.end_list()
        listed = _placeholder(shape) in ("body", "obj", "")
        for paragraph in shape.iter(f"{_A}p"):
            self._paragraph(paragraph, listed)
        self._out.end_list()

    def _paragraph(self, paragraph: Any, listed: bool) -> None:
        """`listed`: the placeholder's own style has bullets, unless the paragraph says otherwise."""
        text = _text(paragraph)
        if not text:
            return
        settings = paragraph.find(f"{_A}pPr")
        level = int(settings.get("lvl") or 0) if settings is not None and (settings.get("lvl") or "0").isdigit() else 0
        marks = {child.tag.removeprefix(_A) for child in settings} if settings is not None else set()
        bullet = "buNone" not in marks and (listed or bool(marks & {"buChar", "buAutoNum", "buBlip"}))
        if bullet:
            self._out.item("  " * min(level, 8) + "- ", text)
        else:
            self._out.paragraph(text)

    def _related(self, node: Any, name: str) -> Any:
        part = self._part.rels.get(node.get(_RELATION + name) or "")
        try:
            return None if part is None else parse_xml(part.target_part.blob)
        except Unread as unread:
            self.lost.append(unread)
            return None


def _shapes(parent: Any) -> Iterator[Any]:
    """Everything that is drawn on a slide, in the order of the file, out of groups and alternatives."""
    for child in parent:
        if child.tag in (f"{_P}cSld", f"{_P}spTree", f"{_P}grpSp"):
            yield from _shapes(child)
        elif child.tag == ALTERNATE:
            yield from _shapes(alternative(child))
        elif child.tag in (f"{_P}sp", f"{_P}graphicFrame", f"{_P}cxnSp"):
            settings = child.find(f"*/{_P}cNvPr")
            if settings is None or settings.get("hidden") not in ("1", "true"):
                yield child


def _placeholder(shape: Any) -> str | None:
    """The kind of placeholder; "" for one of any content, None for a shape of its own."""
    found = shape.find(f"*/{_P}nvPr/{_P}ph")
    return None if found is None else found.get("type") or ""


def _cell(cell: Any) -> str:
    covered = cell.get("hMerge") in ("1", "true") or cell.get("vMerge") in ("1", "true")
    return "" if covered else " ".join(filter(None, map(_text, cell.iter(f"{_A}p"))))


def _text(paragraph: Any) -> str:
    parts: list[str] = []
    waiting = list(reversed(paragraph))
    while waiting:
        node = waiting.pop()
        if node.tag == f"{_A}t":
            settings = node.getparent().find(f"{_A}rPr")
            shift = (settings.get("baseline") or "0") if settings is not None else "0"
            high = not shift.startswith("-") and shift.strip("0%") != ""
            parts.append(raised(node.text or "") if high else node.text or "")
        elif node.tag == f"{_A}br":
            parts.append("\n")
        elif node.tag == MATH:
            equation = omml(node)
            parts.append(f"${equation}$" if equation else "")
        elif node.tag == ALTERNATE:
            waiting.extend(reversed(alternative(node)))
        else:
            waiting.extend(reversed(node))
    return clean("".join(parts)).replace("\v", "\n").replace("\xad", "").strip()
