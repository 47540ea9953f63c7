from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.documents.html import write_html
from augment_correction.records import Document

from .files import notes, read


def page(folder: Path, body: str | bytes, head: str = "<title>A title</title>") -> Document:
    data = (
        body
        if isinstance(body, bytes)
        else f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()
    )
    (folder / "a.html").write_bytes(data)
    documents, unread = read(folder)
    assert not unread
    return documents[0]


def text(html: str) -> str:
    return write_html(html.encode()).written.text


def test_a_page_as_its_visitor_reads_it(tmp_path: Path) -> None:
    document = page(
        tmp_path,
        """<nav><a href="/">LEFT-OUT</a></nav><!-- LEFT-OUT --><h1>Rivers <a class="headerlink" href="#r">¶</a></h1>
        <p>The Elbe is 1,094&nbsp;km long&mdash;about   680
        miles, caf&eacute; &lt;sic&gt;.</p><script>LEFT-OUT</script><style>LEFT-OUT</style><template>LEFT-OUT</template>
        <p hidden>LEFT-OUT</p><p style="display: none">LEFT-OUT</p><p aria-hidden="true">LEFT-OUT</p>
        <h2>Bridges <small>old</small></h2><p>First <b>bold</b> and <a href="http://e.example/LEFT-OUT">linked</a>.<br>Second
        line.</p>Loose <i>text</i><div>in a div</div>after<form><input value="LEFT-OUT"><button>LEFT-OUT</button>asked</form>
        <img alt="A map" src="data:image/png;base64,LEFT-OUT"><footer>LEFT-OUT</footer>""",
    )
    assert document.text == (
        "# Rivers\n\nThe Elbe is 1,094 km long—about 680 miles, café <sic>.\n\n## Bridges old\n\nFirst bold and linked."
        "\nSecond line.\n\nLoose text\n\nin a div\n\nafter\n\nasked\n\n[image: A map]"
    )
    assert document.title == "A title"
    assert [(each.level, each.title) for each in document.headings] == [(1, "Rivers"), (2, "Bridges old")]
    for heading in document.headings:
        assert document.text.startswith("#" * heading.level + " " + heading.title, heading.start)


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul><ol start=3><li>a<li>b</ol>", "- one\n  - inner\n- two\n\n3. a\n4. b"),
        ("<ul><li><p>One.</p><p>More.</p></li></ul>", "- One.\n  More."),
        ("<dl><dt>Term</dt><dd>Meaning</dd></dl>", "Term\n: Meaning"),
        ("<blockquote><p>a<br>b</p></blockquote>", "> a\n> b"),
        ("<pre><code class='language-py'>if x &lt; 3:\n    y\n</code></pre>", "```py\nif x < 3:\n    y\n```"),
        ("<pre>a ``` b</pre>", "````\na ``` b\n````"),
        ("<p>Use <code>a  b</code> and <kbd>c</kbd></p>", "Use `a b` and `c`"),
        ("<p>10<sup>6</sup>, 10<sup>-3</sup>, x<sup>a b</sup>, 1<sup>st</sup>, said<sup><a href='#n'>4</a></sup></p>", "10^6, 10^-3, x^(a b), 1st, said[4]"),
        ("<ruby>東京<rp>(</rp><rt>とうきょう</rt><rp>)</rp></ruby>", "東京"),
        ("<p>kept <del>gone</del><ins>new</ins> co&shy;operate</p>", "kept new cooperate"),
        ("<math><mfrac><mi>a</mi><mn>2</mn></mfrac><mo>=</mo><msup><mi>x</mi><mn>2</mn></msup></math>", "$\\frac{a}{2}=x^{2}$"),
        ("<math display=block><semantics><mi>x</mi><annotation encoding='application/x-tex'>\\alpha</annotation></semantics></math>", "$$\\alpha$$"),
        ("<main><p>Content.</p></main><p>Around it.</p>", "Content."),
        ("<div role=main><p>Content.</p></div><p>Around it.</p>", "Content."),
    ],
)  # fmt: skip
def test_elements(html: str, markdown: str) -> None:
    assert text(html) == markdown


def test_tables_are_rows_and_tables_that_arrange_a_page_are_not() -> None:
    cells = "<table><caption>Rivers</caption><tr><th>Name</th><th>Length</th></tr>{}</table>"
    rows = "<tr><td>Elbe | Labe</td><td>1,094<br>km</td></tr><tr><td rowspan=2>both</td><td>a</td></tr><tr><td>b</td></tr><tr><td colspan=2>wide</td></tr>"
    assert text(cells.format(rows)) == (
        "Rivers\n\n| Name | Length |\n| --- | --- |\n| Elbe \\| Labe | 1,094 km |\n| both | a |\n|  | b |\n| wide |  |"
    )
    assert text("<table><tr><td><h2>Left</h2><p>One.</p></td><td><ul><li>x</li></ul></td></tr></table>") == (
        "## Left\n\nOne.\n\n- x"
    )
    assert text("<table role=presentation><tr><td>a</td><td>b</td></tr></table>") == "a\n\nb"
    nested = "<table><tr><th>a</th><td><table><tr><td>i</td><td>j</td></tr></table></td></tr></table>"
    assert text(nested).startswith("| a | i j |")


@pytest.mark.parametrize(
    "data",
    [
        "<meta charset=iso-8859-1><p>Café – schön</p>".encode("cp1252"),
        '<meta http-equiv="Content-Type" content="text/html; charset=windows-1252"><p>Café – schön</p>'.encode(
            "cp1252"
        ),
        "<meta charset=utf-16><p>Café – schön</p>".encode(),  # the page is wrong about itself
        "<meta charset=iso-8859-1><p>Café – schön</p>".encode(),
        "<meta charset=no-such-code><p>Café – schön</p>".encode(),
        "\ufeff<p>Café – schön</p>".encode("utf-16"),
        "<p>Cafe\u0301 – scho\u0308n</p>".encode(),
    ],
)
def test_encodings(tmp_path: Path, data: bytes) -> None:
    assert page(tmp_path, data).text == "Café – schön"


XHTML = '<?xml version="1.0" encoding="utf-8"?>{}<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{}</body></html>'


def test_xhtml_is_read_as_xml_and_entities_are_not_expanded(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("SECRET")
    declared = f'<!DOCTYPE html [<!ENTITY x SYSTEM "file://{tmp_path}/secret.txt"><!ENTITY y "EXPANDED">]>'
    assert text(XHTML.format("", "<p><a id='q'/>caf&eacute;&nbsp;x</p><script/><p>y &amp; z</p>")) == "café x\n\ny & z"
    assert text(XHTML.format(declared, "<p>a&x;b&y;c</p>")) == "abc"
    assert text(XHTML.format("", "<p>not closed<p>XML")) == "not closed\n\nXML"


def test_what_nests_too_deep_for_the_parser_is_said_and_not_dropped(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<div>" * 5000 + "text")
    (tmp_path / "b.html").write_text("<div>" * 1500 + "text")
    documents, unread = read(tmp_path)
    assert [each.text for each in documents] == ["text"]
    assert "nested more than 2,000 deep" in unread[0].detail


@pytest.mark.parametrize("body", ["", "<body><p>Last.</p></body>"])
def test_a_head_that_is_never_closed_ends_where_the_text_begins(body: str) -> None:
    html = f"<!doctype html><html><head><title>T</title><section><p>First.</p></section>Then.<p>More.</p>{body}"
    assert text(html).split() == ["First.", "Then.", "More.", *(["Last."] if body else [])]


def test_a_page_without_text_is_empty(tmp_path: Path) -> None:
    for name, data in (("a.html", " "), ("b.htm", "<script>x</script>"), ("c.xhtml", "<html/>")):
        (tmp_path / name).write_text(data)
    assert [each.reason for each in read(tmp_path)[1]] == ["empty"] * 3


def test_damaged_bytes_of_a_page_are_noted(tmp_path: Path) -> None:
    good = "<meta charset=utf-8><p>Caf\u00e9 sch\u00f6n, \u00e9t\u00e9 l\u00e0.</p>".encode()
    (tmp_path / "a.html").write_bytes(good.replace(b"l\xc3\xa0", b"l\xa0"))
    documents, unread = read(tmp_path)
    assert documents[0].text == "Caf\u00e9 sch\u00f6n, \u00e9t\u00e9 l\ufffd." and not unread
    assert [(each.source, each.reason, each.count) for each in notes(tmp_path)] == [("a.html", "replaced", 1)]
