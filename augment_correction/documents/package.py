"""Zip files that documents are made of: refused before unpacking where they are bombs, mended where libraries give up.

python-docx and python-pptx follow every relationship of a package and fail where one leads nowhere, know no Strict Open
XML, and take no template or macro file under the ordinary name.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from posixpath import basename, dirname, join, normpath, splitext
from typing import Any, BinaryIO

from augment_correction.documents.contract import ReadLimits, Unread

_OLE = b"\xd0\xcf\x11\xe0"  # a password turns an Office file into this container, and old .doc and .ppt files are one
_SMALL = 16 << 20  # a file of repeated words packs well and harms nobody
_MARKUP = (".xml", ".rels", ".html", ".xhtml", ".htm", ".opf", ".ncx")

_OBJECT = re.compile(r"file '<[^<>]*>'")
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/([A-Za-z]+)/([A-Za-z]+)")
_TRANSITIONAL = rb"http://schemas.openxmlformats.org/\1/2006/\2"
_TYPES = "[Content_Types].xml"
_TYPE = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_VARIANT = re.compile(
    r"application/vnd\.(?:ms-(?P<word>word)|ms-(?P<slides>powerpoint)|openxmlformats-officedocument\.(?P<kind>\w+))"
    r"\.(?:document|template|presentation|slideshow)(?:\.macroEnabled(?:Template)?)?\.main\+xml",
    re.IGNORECASE,
)
_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
ALTERNATE, FALLBACK = f"{_COMPATIBILITY}AlternateContent", f"{_COMPATIBILITY}Fallback"
_MAIN = {
    "wordprocessingml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "presentationml": "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
}


@contextmanager
def open_zip(file: BinaryIO, kind: str, limits: ReadLimits) -> Iterator[zipfile.ZipFile]:
    """`kind` names the format in messages. Looks at the zip's own list before anything is unpacked; `zipfile` never
    unpacks more than that list says."""
    if file.read(4) == _OLE:
        raise Unread("encrypted", f"protected by a password, or an old binary file that is no {kind}")
    try:
        package = zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        raise Unread("unreadable", f"not a {kind}: {error}") from error
    with package:
        parts = package.infolist()
        unpacked = sum(part.file_size for part in parts)
        packed = sum(part.compress_size for part in parts)
        markup = sum(part.file_size for part in parts if part.filename.lower().endswith(_MARKUP))
        if unpacked > limits.unpacked or 4 * markup > limits.unpacked:  # a parsed tree is many times its XML
            raise Unread("too_large", f"{unpacked:,} bytes unpacked, {markup:,} of them XML")
        if unpacked > _SMALL and unpacked > limits.ratio * max(packed, 1):
            raise Unread("too_large", f"unpacks to {unpacked // max(packed, 1)} times its size")
        if any(part.flag_bits & 1 for part in parts):
            raise Unread("encrypted", "protected by a password")
        yield package


def told(error: Exception) -> str:
    """What python-docx and python-pptx say of a file that is of another kind, without the address in memory that they name it by."""
    return f"{type(error).__name__}: {_OBJECT.sub('it', str(error))}"


def parse_xml(data: bytes) -> Any:
    """The root element. No entity is expanded and nothing is fetched. Raises Unread."""
    from lxml import etree

    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        raise Unread("unreadable", f"damaged XML: {error}") from error


def alternative(node: Any) -> Any:
    """Of several forms of one thing the first, which is the newest; the others are for older readers."""
    chosen = node.find(f"{_COMPATIBILITY}Choice")
    chosen = node.find(FALLBACK) if chosen is None else chosen
    return () if chosen is None else chosen


def mended(package: zipfile.ZipFile) -> BytesIO:
    """The package as python-docx and python-pptx read it: Transitional, of the ordinary kind, without pictures (they
    hold no text) and without relationships that lead nowhere."""
    parts = {part.filename.replace("\\", "/").lstrip("/"): part for part in package.infolist() if not part.is_dir()}
    kept = {name: part for name, part in parts.items() if not _is_media(name)}
    names = {name.lower(): name for name in kept}  # part names are compared without regard to case
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as copy:
        for name, part in kept.items():
            data = package.read(part)
            if name.endswith((".xml", ".rels")):
                data = _STRICT.sub(_TRANSITIONAL, data)
            if name.endswith(".rels"):
                data = _living(data, dirname(dirname(name)), names)
            elif name == _TYPES:
                data = _ordinary(data, kept)
            copy.writestr(name, data)
    out.seek(0)
    return out


def _is_media(name: str) -> bool:
    return "/media/" in name.lower() or "/embeddings/" in name.lower() or basename(name).lower().startswith("thumbnail")


def _living(data: bytes, folder: str, names: dict[str, str]) -> bytes:
    """A part's relationships without those whose target is not in the package."""
    from lxml import etree

    root = parse_xml(data)
    for relation in list(root):
        if not isinstance(relation.tag, str) or relation.get("TargetMode") == "External":
            continue
        target = (relation.get("Target") or "").partition("#")[0].replace("\\", "/")
        place = target.lstrip("/") if target.startswith("/") else normpath(join(folder, target))
        name = names.get(place.lower()) if target else None
        if name is None:
            root.remove(relation)
        else:
            relation.set("Target", f"/{name}")
    return bytes(etree.tostring(root))


def _ordinary(data: bytes, kept: dict[str, zipfile.ZipInfo]) -> bytes:
    """Content types in which templates, shows and macro files are plain documents and no kept part is without one."""
    from lxml import etree

    root = parse_xml(data)
    endings = set()
    for entry in root:
        if not isinstance(entry.tag, str):
            continue
        endings.add((entry.get("Extension") or "").lower())
        found = _VARIANT.fullmatch(entry.get("ContentType") or "")
        if found:
            kind = found["kind"] or ("wordprocessingml" if found["word"] else "presentationml")
            entry.set("ContentType", _MAIN.get(kind, entry.get("ContentType")))
    for ending in sorted({splitext(name)[1][1:].lower() for name in kept} - endings):
        etree.SubElement(root, f"{_TYPE}Default", Extension=ending, ContentType="application/octet-stream")
    return bytes(etree.tostring(root))
