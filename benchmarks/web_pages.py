"""Of the text of web pages and of what stands beside it: how much does a reader give?

    python -m benchmarks.web_pages FOLDER [--lost]

FOLDER is `tests/` of https://github.com/adbar/trafilatura: `evaldata.json` names pieces of each page's content and pieces that stand
beside it, `cache/` and `eval/` hold the pages. A piece is there where its letters and digits follow each other in the text: capitals,
blanks and the signs of Markdown do not count. trafilatura is measured beside ours where it is installed; give it an environment of its
own (`pip install trafilatura`). --lost names each piece of content that goes with what our reader leaves out.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from augment_correction.documents.contract import Unread
from augment_correction.documents.html import write_html

Reader = Callable[[bytes], str]
_PLACES = ("cache", "eval")
_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Page:
    address: str
    data: bytes
    content: tuple[str, ...]
    beside: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lost", action="store_true")
    chosen = parser.parse_args()
    pages = list(pages_of(chosen.folder))
    content, beside = sum(len(page.content) for page in pages), sum(len(page.beside) for page in pages)
    print(f"{len(pages):,} pages, {content:,} pieces of content, {beside:,} pieces beside it\n")
    print("| reader | content kept | beside it left | CPU ms a page |\n|---|---|---|---|")
    kept: list[set[tuple[str, str]]] = []
    for name, (texts, seconds) in read_all(pages).items():
        given = list(zip(pages, texts, strict=True))
        kept.append({(page.address, piece) for page, text in given for piece in page.content if letters(piece) in text})
        left = sum(letters(piece) in text for page, text in given for piece in page.beside)
        each = 1000 * seconds / len(pages)
        print(f"| {name} | {share(len(kept[-1]), content)} | {share(left, beside)} | {each:.1f} |")
    lost = sorted(kept[0] - kept[1])
    print(f"\npieces of content that our reader loses with what it leaves out: {len(lost)}")
    if chosen.lost:
        print("\n".join(f"{page}: {piece}" for page, piece in lost))


def pages_of(folder: Path) -> Iterator[Page]:
    noted = json.loads((folder / "evaldata.json").read_text("utf-8"))
    for address, page in sorted(noted.items()):
        places = [folder / place / page["file"] for place in _PLACES]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise SystemExit(f"{folder} has no page {page['file']!r} ({address}) in {' or '.join(_PLACES)}")
        yield Page(address, path.read_bytes(), tuple(page["with"]), tuple(page["without"]))


def readers() -> dict[str, Reader]:
    """The first two are ours, the second of them as it reads a file .html."""
    found: dict[str, Reader] = {
        "ours, nothing left out": partial(ours, with_navigation=True),
        "ours": partial(ours, with_navigation=False),
    }
    if find_spec("trafilatura"):
        logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it warns of each page that it gives nothing of
        name = f"trafilatura {version('trafilatura')}"
        found |= {name: trafilatura, f"{name}, `favor_recall`": partial(trafilatura, favor_recall=True)}
    return found


def read_all(pages: Sequence[Page]) -> dict[str, tuple[list[str], float]]:
    """By reader the letters of each page, and the seconds of CPU that they took: one page after the other is read by all of them, so
    that what else the machine does is the same for each. What is loaded at the first page does not count."""
    chosen = readers()
    texts: dict[str, list[str]] = {name: [] for name in chosen}
    seconds = dict.fromkeys(chosen, 0.0)
    for read in chosen.values():
        read(pages[0].data)
    for page in pages:
        for name, read in chosen.items():
            begun = time.process_time()
            text = read(page.data)
            seconds[name] += time.process_time() - begun
            texts[name].append(letters(text))
    return {name: (texts[name], seconds[name]) for name in chosen}


def ours(data: bytes, *, with_navigation: bool) -> str:
    try:
        return write_html(data, with_navigation=with_navigation).written.text
    except Unread:
        return ""


def trafilatura(data: bytes, *, favor_recall: bool = False) -> str:
    """With tables and without comments, as its own evaluation asks; nothing where it finds no content."""
    extract = importlib.import_module("trafilatura").extract
    return extract(data, include_comments=False, include_tables=True, favor_recall=favor_recall) or ""


def letters(text: str) -> str:
    return _SIGNS.sub("", text).casefold()


def share(count: int, of: int) -> str:
    return f"{count / max(1, of):.1%}".replace("%", " %")


if __name__ == "__main__":
    main()
