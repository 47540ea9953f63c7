"""Scanned pages, drawn as pictures without a text layer and read by real OCR."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from augment_correction.documents import ChunkSettings, TokenCounter, ocr, stream, worker
from augment_correction.documents.contract import ReadLimits, Working
from augment_correction.documents.pipe import Finished, Frame, ReadBatch, ReadTask, Started
from augment_correction.errors import installing

from . import files
from .files import notes, read

GERMAN = ["Die Brücke über den Fluß wurde 1893 eröffnet.", "Größer hätte man sie nicht bauen müssen."]
FRENCH = ["Le pont fut achevé à l'été 1893, après dix années.", "Il a coûté moins cher que prévu."]


def scan(tmp_path: Path, lines: Sequence[str]) -> Callable[[Any], None]:
    """Draws a page that is one picture of these lines, at 150 dots an inch."""
    import pypdfium2
    from reportlab.lib.utils import ImageReader

    with pypdfium2.PdfDocument(files.pdf(tmp_path / "typed.pdf", [files.lines(lines, step=20)])) as typed:
        picture = typed[0].render(scale=150 / 72).to_pil().convert("L")
    (tmp_path / "typed.pdf").unlink()
    return lambda canvas: canvas.drawImage(ImageReader(picture), 0, 0, 595, 842)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file whose first and last page are scanned, between them one with text."""
    (tmp_path / "inputs").mkdir()
    pages = [scan(tmp_path, GERMAN), files.lines(["A page with text of its own."]), scan(tmp_path, FRENCH)]
    files.pdf(tmp_path / "inputs" / "book.pdf", pages)
    return tmp_path / "inputs"


async def test_scanned_pages_are_read_at_their_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (document,), unread = read(folder)
    assert not unread
    pages = [document.text[start:end] for start, end in zip(document.pages, [*document.pages[1:], None], strict=True)]
    assert [page.split() for page in pages] == [
        " ".join(GERMAN).split(),
        ["A", "page", "with", "text", "of", "its", "own."],
        " ".join(FRENCH).split(),
    ]
    [note] = notes(folder)
    assert (note.source, note.reason, note.count) == ("book.pdf", "ocr", 2)

    monkeypatch.setattr(ocr, "recognise", lambda pixels: pytest.fail("a page is read once and then kept"))
    assert read(folder) == ([document], [])
    batches = [batch async for batch in stream.stream_chunks(folder, ChunkSettings(size=16, minimum=0))]
    chunks = [chunk for batch in batches for chunk in batch.chunks]
    assert [chunk.page for chunk in chunks][:: len(chunks) - 1] == [1, 3]
    assert all(document.text[chunk.start : chunk.end] == chunk.text for chunk in chunks)


def test_without_the_extra_pages_are_counted_and_the_command_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.pdf(folder / "scan.pdf", [scan(folder, GERMAN)] * 3)
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    (document,), [unread] = read(folder)
    assert document.text.strip() == "A page with text of its own."
    assert document.metadata["pages_without_text"] == 2
    assert (unread.source, unread.reason) == ("scan.pdf", "no_text")
    assert "3 pages that may be scanned" in unread.detail
    [note] = notes(folder)
    assert (note.source, note.reason, note.count) == ("book.pdf", "scanned", 2)
    assert all(installing("ocr") in said.detail for said in (unread, note))


def test_an_empty_page_is_no_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "recognise", lambda pixels: pytest.fail("nothing is drawn on it"))
    rule = lambda canvas: canvas.line(72, 700, 500, 700)  # noqa: E731
    files.pdf(tmp_path / "a.pdf", [rule, files.lines(["A page with text."])])
    files.pdf(tmp_path / "b.pdf", [lambda canvas: None])
    documents, [unread] = read(tmp_path)
    assert [document.source for document in documents] == ["a.pdf"]
    assert (unread.source, unread.reason, unread.detail) == ("b.pdf", "no_text", "no text on any page")
    assert not notes(tmp_path)


def test_a_page_on_which_ocr_fails_costs_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "_cache", lambda: folder / ".cache")
    tried = iter([MemoryError("no room"), []])

    def recognised(pixels: Any) -> list[ocr.Box]:
        outcome = next(tried)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(ocr, "recognise", recognised)
    (document,), [unread] = read(folder)
    assert document.text == "A page with text of its own."
    assert (unread.source, unread.reason) == ("book.pdf#p1", "unreadable")
    assert "no room" in unread.detail


async def test_each_page_is_a_sign_of_life(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that a file has without a sign is counted anew for each page."""
    job = ReadTask(str(folder), ChunkSettings(size=100), "o200k_base", 64, ReadLimits())
    monkeypatch.setattr(ocr, "recognise", lambda pixels: [("Read.", 10.0, 10.0, 90.0, 30.0)])
    monkeypatch.setattr(ocr, "_cache", lambda: folder / ".cache")
    said = list(worker._read_one("book.pdf", folder / "book.pdf", job, TokenCounter()))
    assert [found.what for found in said if isinstance(found, Working)] == ["page 1: OCR", "page 3: OCR"]

    sent: list[Frame] = [Started(("book.pdf", "")), *said, Finished()]
    waits: list[float] = []
    timeout = stream.asyncio.timeout
    monkeypatch.setattr(stream.asyncio, "timeout", lambda seconds: waits.append(seconds) or timeout(seconds))
    reader = stream._Reader(job)
    frames = iter(sent)

    monkeypatch.setattr(reader, "_frame", lambda: next(frames))
    batch = await reader.batch()
    assert isinstance(batch, ReadBatch) and batch.chunks
    assert await reader.batch() is None and reader.finished
    assert len(waits) == len(sent)
    reader._errors.close()
