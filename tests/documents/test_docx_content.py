"""What a Word page shows and python-docx's own text leaves out, or holds twice."""

from __future__ import annotations

from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path
from typing import Any

import pytest

from augment_correction.records import UnreadInput

from .files import WORD, notes, read, said, word


def text(folder: Path, body: str, **rest: Any) -> str:
    word(folder / "a.docx", body, **rest)
    documents, unread = read(folder)
    assert not unread
    return documents[0].text


def run(inside: str, settings: str = "") -> str:
    return f"<w:r><w:rPr>{settings}</w:rPr>{inside}</w:r>"


def test_equations_in_a_line_and_as_a_paragraph(tmp_path: Path) -> None:
    fraction = "<m:oMath><m:r><m:t>T=</m:t></m:r><m:f><m:num><m:r><m:t>mgh</m:t></m:r></m:num><m:den><m:r><m:t>2d</m:t></m:r></m:den></m:f></m:oMath>"
    power = "<m:oMathPara><m:oMath><m:sSup><m:e><m:r><m:t>v</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup><m:r><m:t>=19.6h</m:t></m:r></m:oMath></m:oMathPara>"
    body = said("The tension is ", fraction, " where d is the span.") + said(power) + said("After.")
    assert text(tmp_path, body) == (
        "The tension is $T=\\frac{mgh}{2d}$ where d is the span.\n\n$$v^{2}=19.6h$$\n\nAfter."
    )


NOTES = "<w:{0}s><w:{0} w:id='0' w:type='separator'><w:p/></w:{0}><w:{0} w:id='2'>{1}</w:{0}></w:{0}s>"
FOOTNOTE = "<w:r><w:footnoteReference w:id='2'/></w:r>"
ENDNOTE = "<w:r><w:endnoteReference w:id='2'/></w:r>"


def noted(footnote: str, endnote: str = "") -> dict[str, Any]:
    return {
        "parts": {
            "word/footnotes.xml": NOTES.format("footnote", said(footnote)),
            "word/endnotes.xml": NOTES.format("endnote", said(endnote)),
        },
        "relations": [("rF", "footnotes", "footnotes.xml"), ("rE", "endnotes", "endnotes.xml")],
    }


def test_notes_stand_behind_the_paragraph_or_table_that_mentions_them(tmp_path: Path) -> None:
    cell = "<w:tc>{}</w:tc>"
    table = f"<w:tbl><w:tr>{cell.format(said('Levy'))}{cell.format(said('1712', ENDNOTE))}</w:tr></w:tbl>"
    body = said("The levy fell on all ships", FOOTNOTE, ".") + table + said("Next.")
    assert text(tmp_path, body, **noted("Boats were exempt.", "Paid in 1721.")) == (
        "The levy fell on all ships[^1].\n\n[^1]: Boats were exempt.\n\n"
        "| Levy | 1712[^2] |\n| --- | --- |\n\n[^2]: Paid in 1721.\n\nNext."
    )


def test_a_file_of_notes_alone_is_not_empty(tmp_path: Path) -> None:
    assert "Boats were exempt until 1715." in text(tmp_path, said(FOOTNOTE), **noted("Boats were exempt until 1715."))


def test_a_mark_whose_note_is_missing_costs_the_note_and_is_said(tmp_path: Path) -> None:
    word(tmp_path / "a.docx", said("All ships", FOOTNOTE, "."))
    documents, unread = read(tmp_path)
    assert documents[0].text == "All ships."
    assert [(each.source, each.reason) for each in unread] == [("a.docx#footnotes", "unreadable")]


def test_damaged_parts_cost_themselves_and_are_said(tmp_path: Path) -> None:
    parts = {
        "word/footnotes.xml": b"<w:foot",
        "word/charts/chart1.xml": b"<",
        "word/c.html": "<p>Café, schön, été, l?.</p>".encode().replace(b"?", b"\xa0"),
    }
    relations = [
        ("rF", "footnotes", "footnotes.xml"),
        ("rC", "chart", "charts/chart1.xml"),
        ("rA", "aFChunk", "c.html"),
    ]
    body = said("Text", FOOTNOTE, ".", "<w:r><c:chart r:id='rC'/></w:r>") + "<w:altChunk r:id='rA'/>"
    word(tmp_path / "a.docx", body, parts=parts, relations=relations)
    documents, unread = read(tmp_path)
    assert documents[0].text == "Text.\n\nCafé, schön, été, l\ufffd."
    assert [each.source for each in unread] == [
        "a.docx#word/footnotes.xml",
        "a.docx#word/charts/chart1.xml",
        "a.docx#footnotes",
    ]
    assert [(each.source, each.reason) for each in notes(tmp_path)] == [("a.docx#word/c.html", "replaced")]


PAGE = "<html><body><h2>Granary</h2><p>It held 4,200&nbsp;bushels &amp; more.</p><script>no</script></body></html>"


def test_embedded_pages_mails_and_documents_are_read(tmp_path: Path) -> None:
    mail = MIMEMultipart("related")
    mail.attach(MIMEText("<meta charset=windows-1252><p>From an arch\u00edve.</p>", "html", "windows-1252"))
    inner = word(tmp_path / "inner.docx", said("From a document inside.")).read_bytes()
    (tmp_path / "inner.docx").unlink()
    body = said("First.") + "".join(f"<w:altChunk r:id='r{number}'/>" for number in range(4)) + said("Last.")
    parts = {
        "word/c0.html": PAGE,
        "word/c1.mht": mail.as_bytes(),
        "word/c2.docx": inner,
        "word/c3.txt": b"Plain text.\n",
    }
    relations = [(f"r{number}", "aFChunk", name.removeprefix("word/")) for number, name in enumerate(parts)]
    assert text(tmp_path, body, parts=parts, relations=relations) == (
        "First.\n\n## Granary\n\nIt held 4,200 bushels & more.\n\nFrom an arch\u00edve.\n\nFrom a document inside.\n\n"
        "Plain text.\n\nLast."
    )
    [document] = read(tmp_path)[0]
    assert [(each.level, each.title) for each in document.headings] == [(2, "Granary")]
    assert document.text.startswith("## Granary", document.headings[0].start)


def test_an_embedded_file_of_another_kind_is_said(tmp_path: Path) -> None:
    relations = [("r1", "aFChunk", "c.rtf"), ("r2", "aFChunk", "gone.html")]
    body = said("Text.") + "<w:altChunk r:id='r1'/><w:altChunk r:id='r2'/>"
    word(tmp_path / "a.docx", body, parts={"word/c.rtf": b"{\\rtf1 x}"}, relations=relations)
    documents, unread = read(tmp_path)
    assert documents[0].text == "Text."
    assert [(each.source, each.reason) for each in unread] == [
        ("a.docx#word/c.rtf", "unsupported"),
        ("a.docx#altChunk", "unreadable"),
    ]


def test_a_document_that_embeds_itself_ends(tmp_path: Path) -> None:
    data = b""
    for _ in range(5):
        parts = {"word/c.docx": data} if data else {}
        relations = [("r1", "aFChunk", "c.docx")] if data else []
        word(
            tmp_path / "a.docx",
            said("Level.") + "<w:altChunk r:id='r1'/>" * bool(data),
            parts=parts,
            relations=relations,
        )
        data = (tmp_path / "a.docx").read_bytes()
    documents, unread = read(tmp_path)
    assert documents[0].text.count("Level.") == 3
    assert unread[0].detail == "files inside one another, 3 deep"


TRACK = "w:id='1' w:author='x'"
MOVED = "<w:moveFrom {0}>{1}</w:moveFrom>"


def test_changes_are_read_as_accepted_and_what_was_moved_once(tmp_path: Path) -> None:
    ferry = "<w:r><w:t xml:space='preserve'>The ferry sailed. </w:t></w:r>"
    deleted = f"<w:del {TRACK}><w:r><w:delText>three</w:delText><w:tab/><w:footnoteReference w:id='9'/></w:r></w:del>"
    mark = "<w:pPr><w:rPr><w:{} {}/></w:rPr></w:pPr>"
    body = (
        said("It was ", deleted, f"<w:ins {TRACK}><w:r><w:t>five</w:t></w:r></w:ins>", " pence.")
        + said("Start. ", f"<w:moveFrom {TRACK}>{ferry}</w:moveFrom>", f"<w:moveTo {TRACK}>{ferry}</w:moveTo>", "End.")
        + said(f"<w:moveFrom {TRACK}><w:r><w:t>The mill.</w:t></w:r></w:moveFrom>", before=mark.format("moveFrom", TRACK))
        + said("Between.")
        + said(f"<w:moveTo {TRACK}><w:r><w:t>The mill.</w:t></w:r></w:moveTo>", before=mark.format("moveTo", TRACK))
        + said("One paragraph ", before=mark.format("del", TRACK))
        + said("of two.")
        + "<w:tbl><w:tr><w:tc>" + said("a") + "</w:tc><w:tc>" + said("b") + "</w:tc></w:tr>"
        f"<w:tr><w:trPr><w:del {TRACK}/></w:trPr><w:tc>" + said("gone") + "</w:tc><w:tc>" + said("gone") + "</w:tc></w:tr></w:tbl>"
    )  # fmt: skip
    assert text(tmp_path, body) == (
        "It was five pence.\n\nStart. The ferry sailed. End.\n\nBetween.\n\nThe mill.\n\nOne paragraph of two.\n\n"
        "| a | b |\n| --- | --- |"
    )


def test_a_phonetic_guide_leaves_its_base_text_once(tmp_path: Path) -> None:
    guide = "<w:r><w:ruby><w:rubyPr/><w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase></w:ruby></w:r>"
    assert text(tmp_path, said("The town of ", guide, " had a gate.")) == "The town of 東京 had a gate."


@pytest.mark.parametrize(
    ("font", "char", "shown"),
    [
        ("Symbol", "F0B0", "°"),
        ("Symbol", "F0B3", "≥"),
        ("Symbol", "F061", "α"),
        ("Symbol", "F0E5", "∑"),
        ("Wingdings", "F0FC", "✓"),
        ("Wingdings", "F0E0", "→"),
        ("Wingdings 2", "F052", "☑"),
        ("Wingdings", "F093", "□"),  # the picture is unknown, that there is one is not
        ("Arial", "2264", "≤"),
        ("Symbol", "no number", ""),
    ],
)
def test_symbols_become_characters(tmp_path: Path, font: str, char: str, shown: str) -> None:
    assert text(tmp_path, said("a", run(f"<w:sym w:font='{font}' w:char='{char}'/>"), "b")) == f"a{shown}b"


def test_text_in_a_symbol_font_and_raised_text(tmp_path: Path) -> None:
    symbol = run("<w:t>\uf061 \uf0a3 </w:t>", "<w:rFonts w:ascii='Symbol' w:hAnsi='Symbol'/>")
    power = run("<w:t>6</w:t>", "<w:vertAlign w:val='superscript'/>")
    ending = run("<w:t>st</w:t>", "<w:vertAlign w:val='superscript'/>")
    assert text(tmp_path, said(symbol, " 10", power, " on the 1", ending)) == "α ≤  10^6 on the 1st"


STYLES = """<w:styles><w:style w:type='character' w:styleId='Ghost'><w:rPr><w:vanish/></w:rPr></w:style>
<w:style w:type='character' w:styleId='Child'><w:basedOn w:val='Ghost'/></w:style>
<w:style w:type='paragraph' w:styleId='Aside'><w:rPr><w:vanish/></w:rPr></w:style></w:styles>"""


def test_hidden_text_is_left_out_whoever_hides_it(tmp_path: Path) -> None:
    word_text = "<w:t xml:space='preserve'>{} </w:t>"
    body = (
        said(
            run(word_text.format("seen")),
            run(word_text.format("HIDDEN"), "<w:vanish/>"),
            run(word_text.format("back"), "<w:rStyle w:val='Ghost'/><w:vanish w:val='0'/>"),
            run(word_text.format("HIDDEN"), "<w:rStyle w:val='Child'/>"),
            run("<w:footnoteReference w:id='2'/>", "<w:vanish/>"),
        )
        + said("HIDDEN", before="<w:pPr><w:pStyle w:val='Aside'/></w:pPr>")
        + "<w:tbl><w:tr><w:trPr><w:hidden/></w:trPr><w:tc>" + said("HIDDEN") + "</w:tc><w:tc>" + said("HIDDEN")
        + "</w:tc></w:tr><w:tr><w:tc>" + said("c") + "</w:tc><w:tc>" + said("d") + "</w:tc></w:tr></w:tbl>"
    )  # fmt: skip
    styles = {"parts": {"word/styles.xml": STYLES}, "relations": [("rS", "styles", "styles.xml")]}
    assert text(tmp_path, body, **styles) == "seen back\n\n| c | d |\n| --- | --- |"


@pytest.mark.parametrize("target", ["NULL", "../NULL", "#_top", "media/missing.png", "", "/word/nowhere.xml"])
@pytest.mark.parametrize("kind", ["image", "hyperlink", "customXml", "footnotes", "theme"])
def test_a_relationship_that_leads_nowhere_costs_nothing(tmp_path: Path, target: str, kind: str) -> None:
    assert text(tmp_path, said("The well is 41 feet deep."), relations=[("rX", kind, target)]) == (
        "The well is 41 feet deep."
    )


def test_a_missing_thumbnail_and_a_part_without_a_content_type(tmp_path: Path) -> None:
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Target="word/document.xml" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/>'
        '<Relationship Id="rId2" Target="docProps/thumbnail.jpeg" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail"/>'
        "</Relationships>"
    )
    parts = {"_rels/.rels": relations, "word/odd.unknown": b"x"}
    assert text(tmp_path, said("Text."), parts=parts, relations=[("rU", "other", "odd.unknown")]) == "Text."


def test_part_names_are_found_without_regard_to_case(tmp_path: Path) -> None:
    notes = noted("A note.")
    notes["relations"] = [("rF", "footnotes", "FootNotes.XML")]
    assert "[^1]: A note." in text(tmp_path, said("Text", FOOTNOTE), **notes)


def test_strict_open_xml(tmp_path: Path) -> None:
    def strict(part: str) -> str:
        for kind in ("wordprocessingml", "officeDocument", "drawingml"):
            part = part.replace(
                f"http://schemas.openxmlformats.org/{kind}/2006/", f"http://purl.oclc.org/ooxml/{kind}/"
            )
        return part

    body = said("The guild stamped 312 weights", FOOTNOTE, ".")
    assert text(tmp_path, body, change=strict, **noted("In 1650.")) == (
        "The guild stamped 312 weights[^1].\n\n[^1]: In 1650."
    )


@pytest.mark.parametrize("name", ["a.docx", "a.docm", "a.dotx", "a.dotm", "A.DOCM"])
@pytest.mark.parametrize(
    "kind",
    [
        f"{WORD}template.main+xml",
        "application/vnd.ms-word.document.macroEnabled.main+xml",
        "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
    ],
)
def test_templates_and_macro_files_under_any_of_their_names(tmp_path: Path, name: str, kind: str) -> None:
    word(tmp_path / name, said("The barn has 14 doors."), kind=kind)
    [document] = read(tmp_path)[0]
    assert (document.text, document.title) == ("The barn has 14 doors.", name[0])


def test_a_spreadsheet_named_docx_is_no_word_file(tmp_path: Path) -> None:
    word(
        tmp_path / "a.docx",
        said("x"),
        kind="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    )
    [found] = read(tmp_path)[1]
    assert found == UnreadInput("a.docx", "unreadable", found.detail) and "not a Word" in found.detail


def test_fields_controls_boxes_and_alternatives(tmp_path: Path) -> None:
    field = "<w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText>PAGEREF x</w:instrText></w:r><w:r><w:t>12</w:t></w:r>"
    listed = "<w:r><w:fldChar w:fldCharType='begin'><w:ffData><w:ddList><w:result w:val='1'/><w:listEntry w:val='red'/><w:listEntry w:val='green'/></w:ddList></w:ffData></w:fldChar></w:r>"
    box = "<w:r><w:fldChar w:fldCharType='begin'><w:ffData><w:checkBox><w:default w:val='0'/><w:checked/></w:checkBox></w:ffData></w:fldChar></w:r>"
    control = "<w:sdt><w:sdtPr>{}</w:sdtPr><w:sdtContent><w:r><w:t>{}</w:t></w:r></w:sdtContent></w:sdt>"
    twice = (
        "<w:r><mc:AlternateContent><mc:Choice Requires='a'><w:t>new</w:t></mc:Choice><mc:Choice Requires='b'><w:t>newer</w:t>"
        "</mc:Choice><mc:Fallback><w:t>old</w:t></mc:Fallback></mc:AlternateContent></w:r>"
    )
    only_old = "<w:r><mc:AlternateContent><mc:Fallback><w:t>old</w:t></mc:Fallback></mc:AlternateContent></w:r>"
    boxed = f"<w:r><w:txbxContent>{said('in a box')}</w:txbxContent></w:r>"
    cells = f"<w:tbl><w:tr><w:tc>{said('cell', boxed)}</w:tc><w:tc>{said('d')}</w:tc></w:tr></w:tbl>"
    body = (
        said("page ", field) + said("colour ", listed) + said("done ", box)
        + said(control.format("<w:showingPlcHdr/>", "Click here"), control.format("", "filled in"))
        + said(twice, " ", only_old) + said("soft\u00adly co<w:br/>".partition("<")[0], "<w:r><w:softHyphen/><w:t>op</w:t></w:r>")
        + said("<w:smartTag><w:r><w:t>tagged</w:t></w:r></w:smartTag>", "<w:commentRangeStart w:id='1'/>", "<w:r><w:commentReference w:id='1'/></w:r>")
        + cells
    )  # fmt: skip
    assert text(tmp_path, body) == (
        "page 12\n\ncolour green\n\ndone ☒\n\nfilled in\n\nnew old\n\nsoftly coop\n\ntagged\n\n"
        "| cell in a box | d |\n| --- | --- |"
    )


def test_charts_and_diagrams(tmp_path: Path) -> None:
    points = "<c:pt idx='0'><c:v>{}</c:v></c:pt><c:pt idx='1'><c:v>{}</c:v></c:pt>"
    chart = (
        "<c:chartSpace><c:chart><c:plotArea><c:ser><c:tx><c:v>Tons</c:v></c:tx><c:cat>" + points.format("East", "West")
        + "</c:cat><c:val>" + points.format("17", "23") + "</c:val></c:ser></c:plotArea></c:chart></c:chartSpace>"
    )  # fmt: skip
    diagram = "<dgm:dataModel><dgm:t><a:p><a:r><a:t>Plan</a:t></a:r></a:p></dgm:t><dgm:t><a:p><a:r><a:t>Build</a:t></a:r></a:p></dgm:t></dgm:dataModel>"
    body = said("Shown:", "<w:r><c:chart r:id='rC'/></w:r>", "<w:r><dgm:relIds r:dm='rD' r:lo='x'/></w:r>")
    found = text(
        tmp_path,
        body,
        parts={"word/charts/chart1.xml": chart, "word/diagrams/data1.xml": diagram},
        relations=[("rC", "chart", "charts/chart1.xml"), ("rD", "diagramData", "diagrams/data1.xml")],
    )
    assert found == "Shown:\n\n|  | Tons |\n| --- | --- |\n| East | 17 |\n| West | 23 |\n\n- Plan\n- Build"


NUMBERING = """<w:numbering><w:abstractNum w:abstractNumId='0'><w:lvl w:ilvl='0'><w:start w:val='3'/><w:numFmt w:val='lowerLetter'/></w:lvl>
<w:lvl w:ilvl='1'><w:numFmt w:val='upperRoman'/></w:lvl></w:abstractNum><w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num>
<w:num w:numId='2'><w:abstractNumId w:val='0'/><w:lvlOverride w:ilvl='0'><w:startOverride w:val='26'/></w:lvlOverride></w:num></w:numbering>"""


def test_lists_are_numbered_as_on_the_page(tmp_path: Path) -> None:
    item = "<w:pPr><w:numPr><w:ilvl w:val='{}'/><w:numId w:val='{}'/></w:numPr></w:pPr>"
    places = ((0, 1), (1, 1), (1, 1), (0, 1), (1, 1), (0, 2), (0, 2))
    body = "".join(said(f"item {number}", before=item.format(*place)) for number, place in enumerate(places))
    numbered = {"parts": {"word/numbering.xml": NUMBERING}, "relations": [("rN", "numbering", "numbering.xml")]}
    assert text(tmp_path, body, **numbered) == (
        "c. item 0\n  I. item 1\n  II. item 2\nd. item 3\n  I. item 4\nz. item 5\naa. item 6"
    )
