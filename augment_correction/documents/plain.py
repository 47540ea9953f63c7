"""Readers of .txt and .md."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from augment_correction.documents.contract import ReadLimits, build_document
from augment_correction.documents.markdown import front_matter, html_as_text, title_of, without_pictures
from augment_correction.documents.text import decode, decoding_notes
from augment_correction.records import Document, Heading, ReadNote
from augment_correction.text.fences import fences

_ATX = re.compile(r"^ {0,3}(?P<marks>#{1,6})[ \t]+(?P<title>\S[^\n]*)$", re.MULTILINE)
_SETEXT = re.compile(r"^ {0,3}(?P<title>[^\s\-=#>|`~][^\n]*)\n {0,3}(?P<line>=+|-{2,})[ \t]*$", re.MULTILINE)


def read_txt(path: Path, source: str, limits: ReadLimits) -> Iterator[Document | ReadNote]:
    decoded = decode(path.read_bytes())
    yield from decoding_notes(decoded, source)
    text, pictures = without_pictures(decoded.text)
    yield from _pictures(pictures, source)
    yield build_document(text, source=source, media_type="text/plain", metadata={"encoding": decoded.encoding})


def read_markdown(path: Path, source: str, limits: ReadLimits) -> Iterator[Document | ReadNote]:
    decoded = decode(path.read_bytes())
    yield from decoding_notes(decoded, source)
    metadata, text = front_matter(decoded.text)
    text, pictures = without_pictures(text)
    text = html_as_text(text, fences)
    yield from _pictures(pictures, source)
    headings = markdown_headings(text)
    yield build_document(
        text,
        source=source,
        media_type="text/markdown",
        title=title_of(metadata) or (headings[0].title if headings else ""),
        metadata={**metadata, "encoding": decoded.encoding},
        headings=headings,
    )


def _pictures(number: int, source: str) -> Iterator[ReadNote]:
    if number:
        yield ReadNote(source, "pictures", "pictures inside the text, left out as [image]", number)


def markdown_headings(text: str) -> list[Heading]:
    """ATX and setext headings outside code fences, in order."""
    found = [
        Heading(match.start(), len(match["marks"]), title)
        for match in _ATX.finditer(text)
        if (title := _without_closing_marks(match["title"]))
    ]
    if "\n=" in text or "\n-" in text or "\n " in text:
        found += [
            Heading(match.start(), 1 if match["line"][0] == "=" else 2, match["title"].strip())
            for match in _SETEXT.finditer(text)
            if _after_blank_line(text, match.start())
        ]
    code = fences(text)
    if code:
        starts = [start for start, _ in code]
        found = [heading for heading in found if not _inside(heading.start, starts, code)]
    return sorted(found, key=lambda heading: heading.start)


def _without_closing_marks(title: str) -> str:
    title = title.rstrip()
    bare = title.rstrip("#")
    return bare.rstrip() if not bare or bare[-1] in " \t" else title


def _after_blank_line(text: str, start: int) -> bool:
    """A setext title may be a whole paragraph; only those of one line are taken, as titles are."""
    previous = text.rfind("\n", 0, max(0, start - 1))
    return not text[previous + 1 : start].strip()


def _inside(offset: int, starts: list[int], spans: list[tuple[int, int]]) -> bool:
    at = bisect_right(starts, offset) - 1
    return at >= 0 and offset < spans[at][1]
