from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from augment_correction.documents import ReadLimits
from augment_correction.records import Document

from .files import read


def saved(word: Any, folder: Path) -> Document:
    word.save(str(folder / "a.docx"))
    documents, unread = read(folder)
    assert not unread
    return documents[0]


def test_everything_in_document_order(tmp_path: Path) -> None:
    word = docx.Document()
    word.core_properties.title, word.core_properties.author = "On rivers", "A. Writer"
    word.add_heading("Rivers", 1)
    word.add_paragraph("Before the table.")
    table = word.add_table(rows=2, cols=2)
    for row, cells in enumerate((("Name", "Length"), ("Elbe | Labe", "1,094 km"))):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    word.add_paragraph("After the table.")
    word.add_paragraph("first", style="List Bullet")
    word.add_paragraph("second", style="List Bullet")
    word.add_heading("Sources", 2)
    word.add_paragraph("one", style="List Number")
    document = saved(word, tmp_path)
    assert document.text == (
        "# Rivers\n\nBefore the table.\n\n| Name | Length |\n| --- | --- |\n| Elbe \\| Labe | 1,094 km |\n\n"
        "After the table.\n\n- first\n- second\n\n## Sources\n\n1. one"
    )
    assert [(heading.level, heading.title) for heading in document.headings] == [(1, "Rivers"), (2, "Sources")]
    for heading in document.headings:
        assert document.text.startswith("#" * heading.level + " " + heading.title, heading.start)
    assert (document.title, document.metadata["author"]) == ("On rivers", "A. Writer")
    assert document.media_type.endswith("wordprocessingml.document")


def test_nested_and_merged_tables(tmp_path: Path) -> None:
    word = docx.Document()
    table = word.add_table(rows=3, cols=3)
    for row in range(3):
        for column in range(3):
            table.cell(row, column).text = f"{row}{column}"
    table.cell(0, 0).merge(table.cell(0, 1))
    table.cell(1, 2).merge(table.cell(2, 2))
    inner = table.cell(1, 1).add_table(rows=2, cols=2)
    inner.cell(0, 0).text, inner.cell(0, 1).text, inner.cell(1, 1).text = "a", "b", "d"
    lines = saved(word, tmp_path).text.split("\n")
    assert lines[0] == "| 00 01 |  | 02 |"
    assert lines[2] == "| 10 | 11 a; b / d | 12 22 |"
    assert lines[3] == "| 20 | 21 |  |"
    assert all(line.count("|") == 4 for line in lines)


def test_a_table_of_one_column_is_a_frame(tmp_path: Path) -> None:
    word = docx.Document()
    cell = word.add_table(rows=1, cols=1).cell(0, 0)
    cell.text = "Framed text."
    cell.add_paragraph("More of it.")
    assert saved(word, tmp_path).text == "Framed text.\n\nMore of it."


def test_text_that_python_docx_leaves_out(tmp_path: Path) -> None:
    word = docx.Document()
    word.add_paragraph("First.")
    run = "<w:r><w:t>{}</w:t></w:r>"
    body = word.element.body
    spaces = nsdecls("w")
    deleted = '<w:del w:id="2" w:author="x"><w:r><w:delText>deleted</w:delText></w:r></w:del>'
    inserted = f'<w:p {spaces}><w:ins w:id="1" w:author="x">{run.format("inserted")}</w:ins>{deleted}</w:p>'
    control = f"<w:sdt {spaces}><w:sdtContent><w:p>{run.format('in a control')}</w:p></w:sdtContent></w:sdt>"
    box = (
        f'<w:p {spaces} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:r><w:t>anchor</w:t>'
        f"<mc:AlternateContent><mc:Choice Requires='wps'>"
        f"<w:txbxContent><w:p>{run.format('boxed')}</w:p></w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent><w:p>{run.format('boxed')}</w:p></w:txbxContent></mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>"
    )
    for xml in (inserted, control, box):
        body.insert(len(body) - 1, parse_xml(xml))
    assert saved(word, tmp_path).text == "First.\n\ninserted\n\nin a control\n\nanchor\n\nboxed"


def test_broken_packages(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"this is no zip")
    word = docx.Document()
    word.add_paragraph("text " * 500)
    word.save(str(tmp_path / "b.docx"))
    whole = (tmp_path / "b.docx").read_bytes()
    (tmp_path / "b.docx").write_bytes(whole[: len(whole) // 2])
    with zipfile.ZipFile(tmp_path / "c.docx", "w") as package:
        package.writestr("hello.txt", "a zip, but not of Word")
    (tmp_path / "d.docx").write_bytes(whole.replace(b"PK\x05\x06", b"PK\x05\x05"))
    (tmp_path / "e.docx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    documents, unread = read(tmp_path)
    assert not documents
    assert [found.reason for found in unread] == ["unreadable"] * 4 + ["encrypted"]


def _bomb(path: Path, part: str, size: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package, package.open(part, "w") as file:
        for _ in range(size >> 20):
            file.write(b"\0" * (1 << 20))


@pytest.mark.parametrize(
    ("part", "limits"),
    [
        ("word/media/x.bin", ReadLimits()),  # by its ratio
        ("word/media/x.bin", ReadLimits(unpacked=16 << 20)),
        ("word/document.xml", ReadLimits(unpacked=64 << 20, ratio=10_000)),
    ],
)
def test_a_zip_bomb_is_not_unpacked(tmp_path: Path, part: str, limits: ReadLimits) -> None:
    _bomb(tmp_path / "a.docx", part, 32 << 20)
    [found] = read(tmp_path, limits)[1]
    assert found.reason == "too_large"


def test_an_entity_bomb_is_not_expanded(tmp_path: Path) -> None:
    word = docx.Document()
    word.add_paragraph("MARK")
    word.save(str(tmp_path / "a.docx"))
    with zipfile.ZipFile(tmp_path / "a.docx") as package:
        parts = {name: package.read(name) for name in package.namelist()}
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    head, _, rest = parts["word/document.xml"].partition(b"?>")
    declared = f'?><!DOCTYPE x [<!ENTITY e0 "lol">{levels}]>'.encode()
    parts["word/document.xml"] = head + declared + rest.replace(b"MARK", b"&e9;")
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)
    documents, unread = read(tmp_path)
    assert sum(len(document.text) for document in documents) < 100
    assert len(documents) + len(unread) == 1
