"""However a page is built, reading it takes time in proportion to its size, and not to the square of it.

The number of attributes of one element is not among what is tried: libxml2 2.14 itself takes the square of it (32,000 attributes: 8 s).
"""

from __future__ import annotations

import pytest

from augment_correction.documents.html import write_html
from tests.cpu import cpu

PROSE = "<p>The bridge of Halmstett was built in 1911 by the guild of masons, and it stands on nine arches of sandstone.</p>"
LINK = "<a href=/x>Home</a>"
FEW, MANY = 125, 2000


def seconds(inside: str) -> float:
    """CPU, the least of two tries."""
    data = f"<html><body>{inside}<div id=content><h1>The bridge</h1>{PROSE}</div></body></html>".encode()
    return min(cpu(lambda: write_html(data, with_navigation=False)) for _ in range(2))


@pytest.mark.parametrize(
    ("before", "repeated", "after"),
    [
        *(("", f"<{name}>word word</{name}>", "") for name in ("div", "p", "h2", "span", "code", "sup", "q", "pre", "main", "article")),
        *(("", each, "") for each in (LINK, f"<p>{LINK}{LINK}</p>", "<br>", "<img alt='a b'>", " &nbsp;", "&amp;", "<", "<!-- x -->")),
        *(("", f"<div {said}>{LINK}</div>", "") for said in ("class=menu", "id=cookies", "role=main", "role=navigation", "hidden")),
        *((f"<{name}>", f"<li>{LINK}</li>", f"</{name}>") for name in ("ul", "ol class=toc")),
        ("", f"<ul><li>{LINK}</li></ul>", ""),
        ("<dl>", f"<dt>{LINK}<dd>text", "</dl>"),
        ("<pre>", "<code>x</code>", "</pre>"),
        ("<math>", "<mrow><mi>x</mi><mo>+</mo></mrow>", "</math>"),
        ("<p>", "<math><mi>x</mi></math>", "</p>"),
        *(("", each, "") for each in ("<b><p>x", "<a href=/x>x", "<li>x")),  # not closed
        *((f"<div class='{'' if each[0].isalpha() else 'menu'}", each, f"'>{LINK}</div>") for each in ("menu ", "A", " ", "-")),
        *((f"<{name}='x", each, f"'>{LINK}</p>") for name in ("p id", "p style", "img alt", "pre class") for each in (" ", "display ", "language-", "é")),
        ("<div style='display", " ", "'>text</div>"),
    ],
)  # fmt: skip
def test_long_pages_take_linear_time(before: str, repeated: str, after: str) -> None:
    short, long = (seconds(before + repeated * many + after) for many in (FEW, MANY))
    assert long < 4 * (MANY / FEW) * max(short, 0.001)


@pytest.mark.parametrize("marked", ["<main>text</main>", "<main></main>", "<div role=main>text</div>"])
def test_a_page_may_mark_its_content_in_thousands_of_places(marked: str) -> None:
    assert seconds(marked * 16_000) < 64 * max(seconds(marked * 1_000), 0.001)


@pytest.mark.parametrize(
    "cell", ["<th>a</th>", "<th rowspan=9999>a</th>", "<th colspan=200>a</th>", "<td colspan=99999>a</td>"]
)
@pytest.mark.parametrize(
    "row", ["<tr><td>b</td><td>c</td></tr>", "<tr><td>b</td></tr>", "<tr><td rowspan=99 colspan=99>b</td></tr>"]
)
def test_wide_and_long_tables_take_linear_time(cell: str, row: str) -> None:
    """Each of thousands of rows was filled up with blanks to thousands of columns, and spans made thousands of each of these."""
    tables = (f"<table><tr>{cell * many}</tr>{row * many}</table>" for many in (FEW, MANY))
    short, long = map(seconds, tables)
    assert long < 4 * (MANY / FEW) * max(short, 0.001)


@pytest.mark.parametrize(
    "opened",
    [
        *("<div>", "<span>", "<b>", "<sup>", "<q>", "<code>", "<blockquote>", "<h1>", "<pre>", "<main>", "<a href=/x>", "<dl>"),
        *("<div class='menu cookies'>", "<div role=main>", "<section><h2>Title</h2>", "<math>", "<math><mrow>", "<ul><li>"),
        *("<table><td>", "<table><th>a</th><td>", "<table role=presentation><td>", "<table><th><p>a<p>"),
        *(f"<div>{LINK}", "<div><p>Some words of a text.</p>"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("inside", [f"<i>word</i> {LINK} " * 400, "word " * 10_000])
def test_what_stands_deep_in_a_page_is_not_read_once_for_each_level(opened: str, inside: str) -> None:
    levels = 1500 // opened.count("<")  # libxml2 takes 2,000 elements
    nested, flat = opened * levels + inside, f"{opened}{inside}{opened * levels}"
    assert seconds(nested) < 8 * max(seconds(flat), 0.001)


@pytest.mark.parametrize("name", ["sup", "q", "code", "math", "mrow", "msup"])
def test_marks_that_are_never_closed_lose_no_page(name: str) -> None:
    before = "<math>" if name.startswith("m") else ""
    made = write_html(f"<p>Before it.</p>{before}{f'<{name}>' * 1500}<mi>word</mi>".encode())
    assert made.written.text.startswith("Before it.") and "word" in made.written.text
