from __future__ import annotations

import zipfile
from pathlib import Path

from augment_correction.documents import ReadLimits

from .files import read

CONTAINER = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="{}"/></rootfiles></container>'
OPF = """<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Book</dc:title>
<dc:creator>A. Writer</dc:creator><dc:creator>B. Writer</dc:creator><dc:language>en</dc:language></metadata><manifest>{}</manifest><spine>{}</spine></package>"""
CHAPTER = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>{}</title></head><body>{}</body></html>'


def book(path: Path, chapters: dict[str, str | bytes | None], **more: str) -> Path:
    """Chapters by their name in the order of reading; None for one that is named and not there."""
    item = '<item id="i{}" href="{}" media-type="application/xhtml+xml" properties="{}"/>'
    items = "".join(item.format(number, name, "nav" if "nav" in name else "") for number, name in enumerate(chapters))
    spine = "".join(f'<itemref idref="i{number}"/>' for number in range(len(chapters)))
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/epub+zip")
        for name, data in reversed(chapters.items()):
            if data is not None:
                package.writestr(f"OEBPS/{name.replace('%20', ' ')}", data)
        package.writestr("META-INF/container.xml", CONTAINER.format("OEBPS/content.opf"))
        package.writestr("OEBPS/content.opf", OPF.format(items, spine))
        for name, text in more.items():
            package.writestr(f"META-INF/{name}.xml", text)
    return path


def test_chapters_in_reading_order_without_the_contents(tmp_path: Path) -> None:
    book(
        tmp_path / "a.epub",
        {
            "nav.xhtml": CHAPTER.format("", "<p>LEFT-OUT</p>"),
            "Text/one%20one.xhtml": CHAPTER.format(
                "x", "<h1>First</h1><p>Caf&eacute; facts.</p><h2>Inner</h2><p>More.</p>"
            ),
            "two.xhtml": CHAPTER.format("Second", "<p>Chapter two.</p>"),
        },
    )
    documents, unread = read(tmp_path)
    assert not unread
    [document] = documents
    assert document.text == "# First\n\nCafé facts.\n\n## Inner\n\nMore.\n\n# Second\n\nChapter two."
    assert (document.title, document.source, document.media_type) == ("The Book", "a.epub", "application/epub+zip")
    assert document.metadata == {"author": "A. Writer, B. Writer", "language": "en"}
    assert [(each.level, each.title) for each in document.headings] == [(1, "First"), (2, "Inner"), (1, "Second")]
    for heading in document.headings:
        assert document.text.startswith("#" * heading.level + " " + heading.title, heading.start)


def test_a_missing_chapter_costs_itself_and_is_said(tmp_path: Path) -> None:
    book(tmp_path / "a.epub", {"one.xhtml": None, "two.xhtml": CHAPTER.format("", "<p>Kept.</p>")})
    documents, unread = read(tmp_path)
    assert documents[0].text == "Kept."
    assert [(each.source, each.reason) for each in unread] == [("a.epub#OEBPS/one.xhtml", "unreadable")]


def test_protected_books_and_what_is_no_book(tmp_path: Path) -> None:
    rights = '<encryption xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:EncryptionMethod Algorithm="{}"/></encryption>'
    chapter = {"one.xhtml": CHAPTER.format("", "<p>Text.</p>")}
    book(tmp_path / "a.epub", chapter, encryption=rights.format("http://www.w3.org/2001/04/xmlenc#aes128-cbc"))
    book(tmp_path / "b.epub", chapter, encryption=rights.format("http://www.idpf.org/2008/embedding"))
    (tmp_path / "c.epub").write_bytes(b"no zip")
    with zipfile.ZipFile(tmp_path / "d.epub", "w") as package:
        package.writestr("hello.txt", "a zip of another kind")
    documents, unread = read(tmp_path)
    assert [each.source for each in documents] == ["b.epub"]
    assert [(each.source, each.reason) for each in unread] == [
        ("a.epub", "encrypted"),
        ("c.epub", "unreadable"),
        ("d.epub", "unreadable"),
    ]


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.epub", "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("x.xhtml", b" " * (32 << 20))
    [found] = read(tmp_path)[1]
    assert found.reason == "too_large"
    [found] = read(tmp_path, ReadLimits(unpacked=64 << 20, ratio=100_000))[1]
    assert found.reason == "too_large"
