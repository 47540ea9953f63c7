"""Readers of PDF beside ours: `python -m benchmarks.pdf_engines FOLDER [--engine NAME ...] [--file NAME ...]`.

FOLDER holds PDFs; the table in NOTES.md is of eight. From Debian 12's packages (`apt-get download NAME; dpkg -x`):
bash.pdf of bash-doc, R-intro.pdf of r-doc-pdf, debian-reference.en.pdf and .ja.pdf of debian-reference-en and -ja,
essay.es.pdf of lilypond-doc-pdf-es, refman.pdf.gz (here siscone.pdf) of siscone-doc-pdf. From PyPI's source archive
pdfminer 20191125 (samples/nonfree): i1040nr.pdf and naacl06-shinyama.pdf (here naacl06.pdf). The measure is the text of
poppler's pdftotext (package poppler-utils), which a person must have installed. An engine that is not installed is named.

missing: words of pdftotext's that the reader's text lacks; extra: the reverse; both counted with repetitions after NFKC.
order: the longest common subsequence of words, of the words that both have.
unread, unfounded: of missing and extra, the words whose letters the other text lacks. A word counts as read if it and the
two words before it, or the two behind it, stand in the other text with gaps and hyphens left out on both sides: there only
the place of a space or a line end's hyphen differs (pdftotext joins "S-\nPlus" to "SPlus" and parts "x 2"). For these two
the pages are made wider for pdftotext, which leaves out what runs over the edge of a page; a reader of text should not.
order beside tables: the order of the words that our text has outside of tables. Pages per CPU second: one process, its threads
included; each reader in a process of its own. Ours is read without the removal of running headers, and without the bars
of tables, since pdftotext has neither; ours reads a table's rows one after the other, pdftotext often its columns.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

LIMIT = 120  # CPU seconds for one reader and one file


def words(text: str) -> list[str]:
    whole = text.replace("ı\u0301", "í").replace("\xad\n", "").replace("\xad", "")
    return [word for word in unicodedata.normalize("NFKC", whole).split() if word != "|"]


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Its length, by whole numbers as rows of bits (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for at, word in enumerate(first):
        places[word] = places.get(word, 0) | (1 << at)
    mask = (1 << len(first)) - 1
    row = mask
    for word in second:
        matches = row & places.get(word, 0)
        if matches:
            row = ((row + matches) | (row - matches)) & mask
    return len(first) - row.bit_count()


def compare(reference: Sequence[str], found: Sequence[str]) -> tuple[float, float, float]:
    """Shares: missing, extra, in order."""
    both = (Counter(reference) & Counter(found)).total()
    return 1 - both / max(1, len(reference)), 1 - both / max(1, len(found)), common_subsequence(
        reference, found
    ) / max(1, both)  # fmt: skip


def letters(found: Sequence[str]) -> str:
    return re.sub("[-‐−]", "", "".join(found))


def not_read(own: Sequence[str], other: Sequence[str]) -> int:
    """How many of the words that `own` has more often than `other` stand in `other` in no other spelling either."""
    surplus = Counter(own) - Counter(other)
    text = letters(other)
    lost: Counter[str] = Counter()
    for at, word in enumerate(own):
        beside = (own[max(0, at - 2) : at + 1], own[at : at + 3])
        if lost[word] < surplus[word] and not any(letters(words) in text for words in beside):
            lost[word] += 1
    return lost.total()


def on_wider_pages(path: Path) -> str:
    """What pdftotext reads where no text stands beyond the edge of its page."""
    from pypdf import PdfWriter
    from pypdf.generic import RectangleObject

    copy = PdfWriter(clone_from=path)
    for page in copy.pages:
        left, bottom, right, top = map(float, page.mediabox)
        page.pop("/CropBox", None)
        page.mediabox = RectangleObject((left - 300, bottom - 300, right + 900, top + 300))
    with tempfile.NamedTemporaryFile(suffix=".pdf") as made:
        copy.write(made.name)
        return pdftotext(Path(made.name))


def ours(path: Path) -> str:
    from augment_correction.documents.pdf_layout import join_broken_words, page_text
    from augment_correction.documents.pdf_pages import open_pdf

    with open_pdf(path) as pdf:
        pages = [page_text(pdf.lines(number)) for number in range(pdf.count())]
    join_broken_words(pages)
    return "\n".join(pages)


def pdftotext(path: Path) -> str:
    """The measure itself: a program, since poppler's licence (GPL) lets this project have no binding to it."""
    return subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True, text=True).stdout


def pdfium(path: Path) -> str:
    import pypdfium2

    with pypdfium2.PdfDocument(path) as opened:
        text = "\n".join(page.get_textpage().get_text_range() for page in opened)
    for mark in ("\ufffe\r\n", "\ufffe", "\x02\r\n", "\x02"):
        text = text.replace(mark, "")
    return text


def pypdf(path: Path) -> str:
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def pdf_oxide(path: Path) -> str:
    from pdf_oxide import PdfDocument

    opened = PdfDocument(str(path))
    return "\n".join(opened.extract_text(page) for page in range(opened.page_count()))


def liteparse(path: Path) -> str:
    from liteparse import LiteParse

    return "\n".join(page.text for page in LiteParse(ocr_enabled=False).parse(str(path)).pages)


def pdf_inspector(path: Path) -> str:
    from pdf_inspector import extract_text

    return str(extract_text(str(path)))


def kreuzberg(path: Path) -> str:
    from kreuzberg import extract_file_sync

    return str(extract_file_sync(str(path)).content)


def docling_parse(path: Path) -> str:
    from docling_parse.pdf_parser import DoclingPdfParser

    opened = DoclingPdfParser(loglevel="fatal").load(str(path))
    return "\n".join(cell.text for _, page in opened.iterate_pages() for cell in page.textline_cells)


def pdfminer(path: Path) -> str:
    from pdfminer.high_level import extract_text

    return str(extract_text(str(path)))


READERS: dict[str, Callable[[Path], str]] = {
    reader.__name__: reader
    for reader in (
        ours,
        pdftotext,
        pdfium,
        pypdf,
        pdf_oxide,
        liteparse,
        pdf_inspector,
        kreuzberg,
        docling_parse,
        pdfminer,
    )
}


def measure(name: str, path: Path) -> str:
    """One line of the table, worked out in this process."""
    import pypdfium2

    try:
        READERS[name](path.parent / "not there.pdf")  # imports, not counted; every reader refuses it in its own way
    except ImportError as error:
        return f"not installed: {error}"
    except BaseException:  # a panic of a Rust library is no Exception
        pass
    begun = sum(os.times()[:4])  # its own seconds and those of programs that it ran
    text = READERS[name](path)
    seconds = sum(os.times()[:4]) - begun
    told = pdftotext(path)
    reference, found = words(told), words(text)
    missing, extra, order = compare(reference, found)
    wide = words(on_wider_pages(path))
    unread, unfounded = not_read(wide, found) / max(1, len(wide)), not_read(found, wide) / max(1, len(found))
    prose = words("\n".join(line for line in text.splitlines() if not line.startswith("|")))
    beside = compare(reference, prose)[2]
    with pypdfium2.PdfDocument(path) as opened:
        pages = len(opened)
    shares = (missing, extra, unread, unfounded)
    return f"{' | '.join(f'{share:.2%}' for share in shares)} | {order:.1%} | {beside:.1%} | {pages / max(seconds, 0.001):.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", nargs="*", default=list(READERS), choices=list(READERS))
    parser.add_argument("--file", nargs="*", default=[])
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    paths = [path for path in sorted(chosen.folder.glob("*.pdf")) if not chosen.file or path.stem in chosen.file]
    if chosen.one:
        print("LINE", measure(chosen.engine[0], paths[0]))
        return
    head = "reader | file | missing | extra | unread | unfounded | order | order beside tables | pages per CPU second"
    print(f"| {head} |\n|{'---|' * (head.count('|') + 1)}", flush=True)
    for name in chosen.engine:
        for path in paths:
            print(f"| {name} | {path.stem} | {apart(name, path)} |", flush=True)


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT + 5))


def apart(name: str, path: Path) -> str:
    """`measure` in a process of its own: a library may crash, print or never end."""
    command = [sys.executable, "-m", "benchmarks.pdf_engines", str(path.parent), "--engine", name, "--file", path.stem]
    done = subprocess.run([*command, "--one"], capture_output=True, text=True, preexec_fn=_limited)
    if done.returncode == -signal.SIGXCPU:
        return f"not done in {LIMIT} CPU seconds"
    lines = [line.removeprefix("LINE ") for line in done.stdout.splitlines() if line.startswith("LINE ")]
    said = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"failed: {said[-1][:100] if said else done.returncode}"


if __name__ == "__main__":
    main()
