"""Small documents of five formats with what is to be read in them, and what is not."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Sample:
    path: Path
    facts: tuple[str, ...]
    traps: tuple[str, ...]


PAGE = """<!doctype html><html><head><meta charset="{charset}"><title>Rivers &amp; ships</title><style>STYLE-TRAP</style>
<script>SCRIPT-TRAP</script></head><body><nav><a href="/">NAV-TRAP</a></nav><!-- COMMENT-TRAP --><h1>Rivers</h1>
<p>The Elbe is 1,094&nbsp;km long, caf&eacute; déjà vu.</p><h2>Bridges</h2><p>About 10<sup>6</sup> tons and H<sub>2</sub>O.</p>
<ul><li>one<ul><li>inner</li></ul></li></ul><table><tr><th>Name</th><th>Length</th></tr><tr><td>Elbe | Labe</td><td>1,094</td></tr></table>
<pre><code class="language-python">def f(x):
    return x &lt; 3</code></pre><p hidden>HIDDEN-TRAP</p><p style="display:none">DISPLAY-TRAP</p>
<img alt="A map" src="data:image/png;base64,QkFTRTY0VFJBUA=="><ruby>東京<rt>とうきょう</rt></ruby> at last.<template>TEMPLATE-TRAP</template>
<math><mfrac><mi>a</mi><mi>b</mi></mfrac></math></body></html>"""


def page(folder: Path) -> Sample:
    path = folder / "page.html"
    path.write_bytes(
        PAGE.format(charset="windows-1252")
        .replace("東京<rt>とうきょう</rt>", "&#26481;&#20140;<rt>RUBY-TRAP</rt>")
        .encode("cp1252")
    )
    facts = ("# Rivers", "The Elbe is 1,094 km long, café déjà vu.", "## Bridges", "10^6", "H2O", "one", "inner")
    facts += ("| Elbe \\| Labe | 1,094 |", "return x < 3", "A map", "東京", "\\frac{a}{b}")
    traps = (
        "STYLE-TRAP",
        "SCRIPT-TRAP",
        "NAV-TRAP",
        "COMMENT-TRAP",
        "HIDDEN-TRAP",
        "DISPLAY-TRAP",
        "QkFTRTY0",
        "RUBY-TRAP",
        "TEMPLATE-TRAP",
    )
    return Sample(path, facts, traps)


CONTAINER = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles><rootfile full-path="OEBPS/c.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
OPF = """<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="i">1</dc:identifier><dc:title>The Book</dc:title><dc:language>en</dc:language></metadata><manifest>
<item id="b" href="b.xhtml" media-type="application/xhtml+xml"/><item id="a" href="Text/a%20one.xhtml" media-type="application/xhtml+xml"/>
<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/></manifest>
<spine><itemref idref="n" linear="no"/><itemref idref="a"/><itemref idref="b"/></spine></package>"""
CHAPTER = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body><h1>{}</h1><p><a id="x"/>{}</p></body></html>'


def book(folder: Path) -> Sample:
    path = folder / "book.epub"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/epub+zip")
        package.writestr("META-INF/container.xml", CONTAINER)
        package.writestr("OEBPS/c.opf", OPF)
        package.writestr("OEBPS/b.xhtml", CHAPTER.format("Second", "Facts of chapter two."))
        package.writestr("OEBPS/Text/a one.xhtml", CHAPTER.format("First", "Facts of chapter one."))
        package.writestr(
            "OEBPS/nav.xhtml", CHAPTER.format("Contents", '<nav><ol><li><a href="b.xhtml">NAV-TRAP</a></li></ol></nav>')
        )
    facts = ("# First", "Facts of chapter one.", "# Second", "Facts of chapter two.")
    return Sample(path, facts, ("NAV-TRAP",))


def slides(folder: Path) -> Sample:
    import pptx
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    place = (Inches(1), Inches(2), Inches(4), Inches(2))
    deck = pptx.Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[1])
    first.shapes.title.text = "Rivers"
    first.placeholders[1].text_frame.text = "first bullet"
    first.notes_slide.notes_text_frame.text = "A spoken note."
    second: Any = deck.slides.add_slide(deck.slide_layouts[5])
    second.shapes.title.text = "Figures"
    table = second.shapes.add_table(2, 2, *place).table
    for number, text in enumerate(("Name", "Length", "Elbe | Labe", "1094")):
        table.cell(number // 2, number % 2).text = text
    second.shapes.add_group_shape().shapes.add_textbox(*place).text_frame.text = "grouped text"
    data = CategoryChartData()
    data.categories = ["East", "West"]
    data.add_series("Tons", (17, 23))
    second.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *place, data)
    hidden: Any = deck.slides.add_slide(deck.slide_layouts[5])
    hidden.shapes.title.text = "HIDDEN-TRAP"
    hidden._element.set("show", "0")
    deck.save(str(folder / "slides.pptx"))
    facts = (
        "# Rivers",
        "first bullet",
        "A spoken note.",
        "# Figures",
        "| Elbe \\| Labe | 1094 |",
        "grouped text",
        "| West | 23",
    )
    return Sample(folder / "slides.pptx", facts, ("HIDDEN-TRAP",))


RST = """======
Rivers
======

See `the map <http://e.example/LINK-TRAP>`_ and :ref:`the text <x>`, :math:`x^2`.

Bridges
-------

.. COMMENT-TRAP

.. code-block:: python
   :emphasize-lines: 2

   def f(x):
       return x < 3

======  ======
Name    Length
======  ======
Elbe    1094
======  ======

.. function:: foo(x)

   Adds one.

.. toctree::
   :maxdepth: 2

   TOC-TRAP

.. raw:: html

   <script>RAW-TRAP</script>

A fact [1]_ and |sub|.

.. [1] The note of it.
.. |sub| replace:: substituted
"""


def source(folder: Path) -> Sample:
    path = folder / "source.rst"
    path.write_text(RST)
    facts = (
        "# Rivers",
        "the map",
        "the text",
        "x^2",
        "## Bridges",
        "return x < 3",
        "Elbe | 1094",
        "foo(x)",
        "Adds one.",
    )
    facts += ("The note of it.", "and substituted.")
    return Sample(path, facts, ("COMMENT-TRAP", "TOC-TRAP", "RAW-TRAP", ":ref:", "::"))


SPACES = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
BODY = """<w:p><w:r><w:t>The strain is </w:t></w:r><m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den></m:f></m:oMath></w:p>
<w:p><w:r><w:t>A levy</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:t> of </w:t></w:r><w:del w:id="1" w:author="x" w:date="2020-01-01T00:00:00Z"><w:r><w:delText>DELETED-TRAP</w:delText></w:r></w:del><w:ins w:id="2" w:author="x" w:date="2020-01-01T00:00:00Z"><w:r><w:t>five pence</w:t></w:r></w:ins></w:p>
<w:p><w:moveFrom w:id="3" w:author="x" w:date="2020-01-01T00:00:00Z"><w:r><w:t>MOVED-TRAP</w:t></w:r></w:moveFrom><w:r><w:t>Thirty</w:t></w:r><w:r><w:sym w:font="Symbol" w:char="F0B0"/></w:r></w:p>
<w:p><w:r><w:ruby><w:rubyPr/><w:rt><w:r><w:t>RUBY-TRAP</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase></w:ruby></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>HIDDEN-TRAP</w:t></w:r></w:p>
<w:p><w:r><w:t>About 10</w:t></w:r><w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>6</w:t></w:r><w:r><w:t> tons</w:t></w:r></w:p><w:altChunk r:id="rA"/>"""


def word(folder: Path) -> Sample:
    import docx

    made = io.BytesIO()
    docx.Document().save(made)
    relation = '<Relationship Id="{}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}" Target="{}"/>'
    more = relation.format("rF", "footnotes", "footnotes.xml") + relation.format("rA", "aFChunk", "c.html")
    more += relation.format("rX", "image", "NULL")
    with zipfile.ZipFile(made) as package, zipfile.ZipFile(folder / "word.docx", "w") as copy:
        for name in package.namelist():
            data = package.read(name).decode("utf-8", "surrogateescape")
            if name == "word/document.xml":
                data = f"<w:document {SPACES}><w:body>{BODY}</w:body></w:document>"
            elif name == "word/_rels/document.xml.rels":
                data = data.replace("</Relationships>", f"{more}</Relationships>")
            elif name == "[Content_Types].xml":
                kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
                extra = f'<Default Extension="html" ContentType="text/html"/><Override PartName="/word/footnotes.xml" ContentType="{kind}"/>'
                data = data.replace("</Types>", f"{extra}</Types>")
            copy.writestr(name, data.encode("utf-8", "surrogateescape"))
        note = '<w:footnote w:id="2"><w:p><w:r><w:t>Boats were exempt.</w:t></w:r></w:p></w:footnote>'
        copy.writestr("word/footnotes.xml", f"<w:footnotes {SPACES}>{note}</w:footnotes>")
        copy.writestr("word/c.html", "<html><body><p>From the embedded page.</p></body></html>")
    facts = ("\\frac{a}{b}", "Boats were exempt.", "five pence", "Thirty°", "東京", "10^6", "From the embedded page.")
    return Sample(folder / "word.docx", facts, ("DELETED-TRAP", "MOVED-TRAP", "RUBY-TRAP", "HIDDEN-TRAP"))


CORPUS = (page, book, slides, source, word)
