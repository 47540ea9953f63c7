"""How fast documents are cut and read: `python -m benchmarks.documents [--pdf FILE ...] [--megabytes 20]`.

The corpus is the English that every machine has: /usr/share/doc, and the docstrings and texts of the installed Python
packages. CPU time of this process, first pass, best of three: a shared machine only ever makes it slower.
"""

from __future__ import annotations

import argparse
import ast
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from augment_correction.documents import ChunkSettings, ReadLimits, TokenCounter, chunk_document
from augment_correction.documents.contract import build_document
from augment_correction.documents.plain import markdown_headings
from augment_correction.documents.reading import read_file
from augment_correction.documents.text import clean
from augment_correction.records import Chunk, Document, UnreadInput

SETTINGS = (
    ChunkSettings(512),
    ChunkSettings(3000),
    ChunkSettings(512, overlap=64),
    ChunkSettings(3000, "characters"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pdf", type=Path, nargs="*", default=[])
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--pages", type=int, default=340, help="of the PDF that is made beside those named")
    chosen = parser.parse_args()
    documents = corpus(int(chosen.megabytes * 1e6))
    characters = sum(len(document.text) for document in documents)
    print(f"{characters / 1e6:.1f} M characters in {len(documents)} documents")
    counter = TokenCounter()
    counter.count("loads the vocabulary")
    seconds, tokens = best(lambda: sum(counter.count(document.text) for document in documents))
    print(f"{'counting only (the floor)':40} {characters / seconds / 1e6:6.1f} MB/s  {tokens:,} tokens")
    for settings in SETTINGS:
        report(documents, settings, counter)
    with tempfile.TemporaryDirectory() as folder:
        for path in [prose(Path(folder) / "reportlab-prose.pdf", chosen.pages), *chosen.pdf]:
            report_pdf(path)


def best(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """CPU seconds of the fastest run, and what the last one returned."""
    fastest, result = float("inf"), None
    for _ in range(times):
        begun = time.process_time()
        result = work()
        fastest = min(fastest, time.process_time() - begun)
    return fastest, result


def report(documents: list[Document], settings: ChunkSettings, counter: TokenCounter) -> None:
    def work() -> list[list[Chunk]]:
        return [list(chunk_document(document, settings, counter)) for document in documents]

    seconds, cut = best(work)
    characters = sum(len(document.text) for document in documents)
    chunks = [chunk for of_one in cut for chunk in of_one]
    size = counter.count if settings.unit == "tokens" else len
    over = sum(size(chunk.text) > settings.size for chunk in chunks)
    lost = sum(lost_characters(document, of_one) for document, of_one in zip(documents, cut, strict=True))
    inside = sum(chunk.text[-1].isalnum() for chunk in chunks) / len(chunks)
    name = f"{settings.size} {settings.unit}" + (f", overlap {settings.overlap}" if settings.overlap else "")
    print(
        f"{name:40} {characters / seconds / 1e6:6.1f} MB/s  {len(chunks):,} chunks, {over} over the limit, "
        f"{lost} characters lost, {inside:.0%} end in a letter or digit"
    )


def lost_characters(document: Document, chunks: list[Chunk]) -> int:
    lost, done = 0, 0
    for chunk in chunks:
        if document.text[chunk.start : chunk.end] != chunk.text:
            raise AssertionError(f"wrong offsets in {document.source}")
        lost += len("".join(document.text[done : chunk.start].split()))
        done = max(done, chunk.end)
    return lost + len("".join(document.text[done:].split()))


def report_pdf(path: Path) -> None:
    seconds, found = best(lambda: list(read_file(path, path.name, ReadLimits())))
    for document in found:
        if isinstance(document, UnreadInput):
            print(document)
            continue
        pages, words = len(document.pages), len(document.text.split())
        removed = document.metadata.get("running_lines_removed", 0)
        floor, raw = best(lambda: plain_text(path))
        print(
            f"{path.name:40} {pages / seconds:6.0f} pages/s  (text alone {pages / floor:.0f}), {pages} pages, "
            f"{words:,} words of PDFium's {raw:,}, {removed} running lines removed"
        )


def plain_text(path: Path) -> int:
    import pypdfium2

    with pypdfium2.PdfDocument(path) as opened:
        text = "\n".join(page.get_textpage().get_text_range() for page in opened)
    return len(text.replace("\ufffe", "").replace("\x02", "").split())


def prose(path: Path, pages: int) -> Path:
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path))
    line = "The keeper of the light winds the clock each evening and writes the hour into a book that nobody"
    for page in range(pages):
        for row in range(44):
            canvas.drawString(60, 780 - 16 * row - 8 * (row // 6), f"{line} {(37 * page + 101 * row) % 1009}.")
        canvas.showPage()
    canvas.save()
    return path


def corpus(characters: int) -> list[Document]:
    found: list[Document] = []
    for name, text in sources():
        if not 200 < len(text) < 2_000_000:
            continue
        headings = markdown_headings(text) if name.endswith((".md", ".markdown")) else ()
        found.append(build_document(text, source=name, media_type="text/plain", headings=headings))
        characters -= len(text)
        if characters <= 0:
            break
    return found


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted(Path("/usr/share/doc").rglob("*")):
        if path.suffix in ("", ".txt", ".md", ".rst", ".markdown") and path.is_file():
            try:
                yield str(path), clean(path.read_text(encoding="utf-8"))
            except (UnicodeDecodeError, OSError):
                continue
    for place in ("purelib", "stdlib"):
        for path in sorted(Path(sysconfig.get_paths()[place]).rglob("*.py")):
            try:
                tree = ast.parse(path.read_text(encoding="utf-8"))
            except (SyntaxError, ValueError, OSError, RecursionError):
                continue
            wanted = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
            texts = (ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, wanted))
            yield str(path), clean("\n\n".join(filter(None, texts)))


if __name__ == "__main__":
    main()
