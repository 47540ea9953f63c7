"""Builds the files that the tests read, so that no binary lies in the repository."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
