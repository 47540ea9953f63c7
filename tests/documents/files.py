"""Builds the files that the tests read, so that no binary lies in the repository."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from augment_correction.documents import ReadLimits, read_documents
from augment_correction.records import Document, ReadNote, UnreadInput

WORDS = [
    *("water", "river", "stone", "bridge", "light", "morning", "engine", "copper", "harvest", "winter", "signal"),
    *("garden", "measure", "letter", "island", "harbour", "paper", "iron", "glass", "wind", "field", "road", "ship"),
    *("market", "school"),
]


def sentence(number: int, length: int = 12) -> str:
    words = [WORDS[(number * 7 + step * 5) % len(WORDS)] for step in range(length)]
    return " ".join(words).capitalize() + "."


def paragraph(number: int, sentences: int = 4) -> str:
    return " ".join(sentence(number * 10 + step) for step in range(sentences))


def read(folder: Path, limits: ReadLimits | None = None) -> tuple[list[Document], list[UnreadInput]]:
    documents: list[Document] = []
    unread: list[UnreadInput] = []
    for found in read_documents(folder, limits=limits):
        if isinstance(found, Document):
            documents.append(found)
        elif isinstance(found, UnreadInput):
            unread.append(found)
    return documents, unread


def notes(folder: Path, limits: ReadLimits | None = None) -> list[ReadNote]:
    return [found for found in read_documents(folder, limits=limits) if isinstance(found, ReadNote)]


def pdf(path: Path, pages: Sequence[Callable[[Any], None]], **info: str) -> Path:
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), pagesize=(595, 842))
    canvas.setTitle(info.get("title", ""))
    canvas.setAuthor(info.get("author", ""))
    for draw in pages:
        canvas.setFont("Helvetica", 11)
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return path


def lines(texts: Sequence[str], top: float = 760, step: float = 14, left: float = 72) -> Callable[[Any], None]:
    """Draws one line under the other; an empty one leaves a gap."""

    def draw(canvas: Any) -> None:
        y = top
        for text in texts:
            if text:
                canvas.drawString(left, y, text)
            y -= step if text else 8

    return draw


def wrapped(text: str, width: int = 80) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width)


WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml."
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_SPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    f' xmlns:m="{OFFICE}/math" xmlns:r="{OFFICE}/relationships"'
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'
)


def word(
    path: Path,
    body: str,
    *,
    parts: Mapping[str, str | bytes] | None = None,
    relations: Sequence[tuple[str, str, str]] = (),
    kind: str = f"{WORD}document.main+xml",
    change: Callable[[str], str] = str,
) -> Path:
    """A Word file of this body. `parts` are further parts by name ("word/footnotes.xml"), `relations` (id, last word of
    the type, target); names ending in .xml get the namespaces declared. `change` edits every XML part."""
    everything: dict[str, str | bytes] = {
        "word/document.xml": f"<w:document {_SPACES}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": _relations(relations),
        "_rels/.rels": _relations([("rId1", "officeDocument", "word/document.xml")]),
    }
    for name, data in (parts or {}).items():
        declared = name.endswith(".xml") and isinstance(data, str) and name != "word/document.xml"
        everything[name] = data.replace(">", f" {_SPACES}>", 1) if declared and isinstance(data, str) else data
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{kind}"/>'
            f'<Override PartName="/word/styles.xml" ContentType="{WORD}styles+xml"/>'
            f'<Override PartName="/word/numbering.xml" ContentType="{WORD}numbering+xml"/></Types>',
        )
        for name, part in everything.items():
            package.writestr(name, change(part) if isinstance(part, str) else part)
    return path


def _relations(relations: Sequence[tuple[str, str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="{identity}" Type="{OFFICE}/relationships/{kind}" Target="{target}"/>'
        for identity, kind, target in relations
    )
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{listed}</Relationships>'
    )


def said(*texts: str, before: str = "") -> str:
    """One Word paragraph; a text that begins with `<` is XML already."""
    runs = (text if text.startswith("<") else f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>' for text in texts)
    return f"<w:p>{before}{''.join(runs)}</w:p>"
