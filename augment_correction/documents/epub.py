"""Reader of EPUB books: the chapters in reading order, as one document with the book's title and author."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any
from urllib.parse import unquote

from augment_correction.documents.contract import ReadLimits, Unread, build_document
from augment_correction.documents.html import write_html
from augment_correction.documents.package import open_zip, parse_xml
from augment_correction.documents.text import clean, decoding_notes
from augment_correction.documents.writing import Markdown
from augment_correction.records import Document, ReadNote, UnreadInput

_MIME = "application/epub+zip"
_CONTAINER, _RIGHTS = "META-INF/container.xml", "META-INF/encryption.xml"
_FIELDS = {"creator": "author", "subject": "subject", "language": "language", "publisher": "publisher", "date": "date"}
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")  # scrambled fonts, free to read


def read_epub(path: Path, source: str, limits: ReadLimits) -> Iterator[Document | UnreadInput | ReadNote]:
    """A chapter that the book names and does not hold follows as `source#chapter`."""
    with path.open("rb") as file, open_zip(file, "EPUB book", limits) as package:
        book = _Book(package)
        written = book.read()
    yield from (replace(each, source=f"{source}#{each.source}") for each in book.told)
    yield build_document(
        written.text,
        source=source,
        media_type=_MIME,
        title=book.title,
        metadata=book.metadata,
        headings=written.headings,
    )


class _Book:
    def __init__(self, package: zipfile.ZipFile) -> None:
        self._package = package
        self.told: list[UnreadInput | ReadNote] = []  # of single chapters
        self._names = {name.lower(): name for name in package.namelist()}
        root = self._xml(_CONTAINER)
        found = root.find(".//{*}rootfile")
        if found is None:
            raise Unread("unreadable", "not an EPUB book: it names no content")
        self._place = unquote(found.get("full-path") or "")
        self._opf = self._xml(self._place)
        self._refuse_encrypted()
        said: dict[str, list[str]] = {}
        for node in self._opf.iterfind("{*}metadata//{http://purl.org/dc/elements/1.1/}*"):
            value = " ".join(clean("".join(node.itertext())).split())
            if value:
                said.setdefault(node.tag.rpartition("}")[2], []).append(value)
        self.title = said.get("title", [""])[0]
        self.metadata: dict[str, Any] = {ours: ", ".join(said[name]) for name, ours in _FIELDS.items() if name in said}

    def read(self) -> Markdown:
        written = Markdown()
        for name in self._chapters():
            try:
                page = write_html(self._bytes(name))
            except Unread as unread:
                self.told.append(UnreadInput(name, unread.reason, unread.detail))
                continue
            self.told += decoding_notes(page.decoded, name)
            if page.written.text and not page.written.headings and page.title not in ("", self.title):
                written.heading(1, page.title)
            written.extend(page.written)
        return written

    def _chapters(self) -> Iterator[str]:
        """Names of the pages in reading order, without the table of contents."""
        items = {item.get("id"): item for item in self._opf.iterfind("{*}manifest/{*}item")}
        for reference in self._opf.iterfind("{*}spine/{*}itemref"):
            item = items.get(reference.get("idref"))
            if item is None:
                continue
            kind, is_contents = item.get("media-type") or "", "nav" in (item.get("properties") or "").split()
            if not is_contents and ("html" in kind or "xml" in kind) and "svg" not in kind:
                yield normpath(join(dirname(self._place), unquote((item.get("href") or "").partition("#")[0])))

    def _refuse_encrypted(self) -> None:
        if _RIGHTS.lower() not in self._names:
            return
        for method in self._xml(_RIGHTS).iter("{*}EncryptionMethod"):
            if method.get("Algorithm") not in _FONTS:
                raise Unread("encrypted", "protected against copying (DRM)")

    def _bytes(self, name: str) -> bytes:
        found = self._names.get(name.lower())
        if found is None:
            raise Unread("unreadable", f"the book names {name} and does not hold it")
        return self._package.read(found)

    def _xml(self, name: str) -> Any:
        return parse_xml(self._bytes(name))
