"""Reader of Word files: paragraphs, headings, lists, tables, notes and equations in the order of the page, as Markdown.

python-docx opens the package; the body is walked as XML, because its own `Paragraph.text` leaves out content controls,
tracked insertions, equations and text boxes, and its `iter_inner_content` the tables of contents and forms inside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from augment_correction.documents.contract import ReadLimits, build_document
from augment_correction.documents.docx_body import Body, open_docx
from augment_correction.documents.text import clean
from augment_correction.records import Document, ReadNote, UnreadInput

_MIME = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_FIELDS = ("author", "subject", "keywords", "category", "language")


def read_docx(path: Path, source: str, limits: ReadLimits) -> Iterator[Document | UnreadInput | ReadNote]:
    """Parts of the file that hold text and could not be read follow as `source#part`."""
    with path.open("rb") as file:
        opened = open_docx(file, limits)
    body = Body(opened, limits)
    written = body.read()
    yield from (replace(each, source=f"{source}#{each.source}") for each in body.told)
    yield build_document(
        written.text,
        source=source,
        media_type=_MIME,
        headings=written.headings,
        **_properties(opened.core_properties),
    )


def _properties(said: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {name: value for name in _FIELDS if (value := clean(getattr(said, name) or ""))}
    if isinstance(said.created, datetime):
        metadata["created"] = said.created.isoformat()
    title = clean(said.title or "")
    # python-docx makes up "Word Document" where the file has no properties at all
    return {"title": title if title != "Word Document" else "", "metadata": metadata}
