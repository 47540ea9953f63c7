from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from augment_correction.documents.chunking import ChunkSettings, chunk_document
from augment_correction.documents.tokens import TokenCounter
from augment_correction.records import Document

from .files import read


@pytest.fixture
def deck() -> Any:
    import pptx

    return pptx.Presentation()


def saved(deck: Any, folder: Path) -> Document:
    deck.save(str(folder / "a.pptx"))
    documents, unread = read(folder)
    assert not unread
    return documents[0]


def slide(deck: Any, title: str, *bullets: tuple[str, int]) -> Any:
    made = deck.slides.add_slide(deck.slide_layouts[1])
    made.shapes.title.text = title
    frame = made.placeholders[1].text_frame
    for number, (text, level) in enumerate(bullets):
        paragraph = frame.paragraphs[0] if not number else frame.add_paragraph()
        paragraph.text, paragraph.level = text, level
    return made


def test_slides_are_pages_with_their_titles_bullets_and_notes(tmp_path: Path, deck: Any) -> None:
    first = slide(deck, "Rivers", ("first", 0), ("inner", 1))
    first.notes_slide.notes_text_frame.text = "Spoken."
    slide(deck, "Bridges", ("second " * 20, 0))
    deck.core_properties.title, deck.core_properties.author = "A deck", "A. Writer"
    document = saved(deck, tmp_path)
    assert document.text.startswith("# Rivers\n\n- first\n  - inner\n\nNotes: Spoken.\n\n# Bridges\n\n- second")
    assert (document.title, document.metadata["author"]) == ("A deck", "A. Writer")
    assert [heading.title for heading in document.headings] == ["Rivers", "Bridges"]
    chunks = list(chunk_document(document, ChunkSettings(32), TokenCounter("o200k_base")))
    assert [(chunk.page, chunk.heading) for chunk in chunks] == [(1, ("Rivers",)), (2, ("Bridges",))]


def test_tables_charts_groups_and_boxes(tmp_path: Path, deck: Any) -> None:
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    place = (Inches(1), Inches(1), Inches(3), Inches(3))
    shapes = slide(deck, "Figures").shapes
    table = shapes.add_table(2, 2, *place).table
    for number, text in enumerate(("Name", "Length", "Elbe | Labe", "1094")):
        table.cell(number // 2, number % 2).text = text
    shapes.add_group_shape().shapes.add_textbox(*place).text_frame.text = "grouped"
    data = CategoryChartData()
    data.categories = ["East", "West"]
    data.add_series("Tons", (17, 23))
    shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *place, data)
    power = shapes.add_textbox(*place).text_frame.paragraphs[0]
    power.add_run().text = "10"
    power.add_run().text = "6"
    power.runs[1].font._element.set("baseline", "30000")
    assert saved(deck, tmp_path).text == (
        "# Figures\n\n| Name | Length |\n| --- | --- |\n| Elbe \\| Labe | 1094 |\n\ngrouped\n\n"
        "|  | Tons |\n| --- | --- |\n| East | 17 |\n| West | 23 |\n\n10^6"
    )


EQUATION = """<p:sp xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"
 xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"
 xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main">
<p:nvSpPr><p:cNvPr id="9" name="x"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/><a:p><a:r><a:t>Force </a:t></a:r>
<a14:m><m:oMath><m:r><m:t>F=ma</m:t></m:r></m:oMath></a14:m></a:p></p:txBody></p:sp>"""


def test_an_equation_in_an_alternative_shape(tmp_path: Path, deck: Any) -> None:
    tree = slide(deck, "Forces").shapes._spTree
    compatible = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
    both = etree.SubElement(tree, f"{compatible}AlternateContent")
    etree.SubElement(both, f"{compatible}Choice").append(etree.fromstring(EQUATION))
    etree.SubElement(both, f"{compatible}Fallback").append(
        etree.fromstring(EQUATION.replace("Force", "Picture of a force"))
    )
    assert saved(deck, tmp_path).text == "# Forces\n\nForce $F=ma$"


def test_hidden_slides_are_left_out_and_said(tmp_path: Path, deck: Any) -> None:
    slide(deck, "Shown")
    slide(deck, "Not shown")._element.set("show", "0")
    slide(deck, "Last")
    deck.save(str(tmp_path / "a.pptx"))
    documents, unread = read(tmp_path)
    assert documents[0].text == "# Shown\n\n# Last"
    assert [(each.source, each.reason) for each in unread] == [("a.pptx#slide2", "hidden")]
    last = documents[0].headings[1].start
    assert documents[0].pages[1] <= documents[0].pages[2] <= last


def test_other_kinds_and_broken_relationships(tmp_path: Path, deck: Any) -> None:
    slide(deck, "Kept")
    made = io.BytesIO()
    deck.save(made)
    with zipfile.ZipFile(made) as package, zipfile.ZipFile(tmp_path / "show.ppsx", "w") as copy:
        for name in package.namelist():
            data = package.read(name)
            if name == "[Content_Types].xml":
                data = data.replace(b"presentation.main+xml", b"slideshow.main+xml")
            if name == "ppt/slides/_rels/slide1.xml.rels":
                data = data.replace(
                    b"</Relationships>", b'<Relationship Id="rX" Type="x/image" Target="NULL"/></Relationships>'
                )
            copy.writestr(name, data)
    (tmp_path / "zip.pptx").write_bytes(b"no zip")
    (tmp_path / "slides.docx").write_bytes(made.getvalue())
    documents, (other, *unread) = read(tmp_path)
    assert other.detail.startswith("not a Word document: ValueError: it is not a Word file, content type is ")
    assert [(each.text, each.title) for each in documents] == [("# Kept", "show")]
    assert [(each.source, each.reason) for each in unread] == [("zip.pptx", "unreadable")]
