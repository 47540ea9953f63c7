from __future__ import annotations

import base64
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.documents.markdown import front_matter, html_as_text, without_pictures
from augment_correction.text.fences import fences

from .files import notes, read

FERRY = "The ferry of Aldwick carried 240 carts in the year 1702."
PICTURE = base64.b64encode(random.Random(1).randbytes(30_000)).decode()


@pytest.mark.parametrize(
    ("front", "title", "key", "value"),
    [
        ("---\ntitle: The Ferry\ntags: [ferry, toll]\n---\n", "The Ferry", "tags", ["ferry", "toll"]),
        ("---\ntitle: The Ferry\n\nlayout: post\n...\n", "The Ferry", "layout", "post"),
        ("+++\ntitle = 'The Ferry'\ndraft = true\n+++\n", "The Ferry", "draft", True),
        ("---\ntitle: The Ferry: a story\nlayout: post\n---\n", "The Ferry: a story", "layout", "post"),
        ("---\nlayout: post\n---\n", "Carts", "layout", "post"),
    ],
)
def test_front_matter_is_metadata_and_title(tmp_path: Path, front: str, title: str, key: str, value: object) -> None:
    (tmp_path / "a.md").write_text(f"{front}\n# Carts\n\n{FERRY}\n")
    [document] = read(tmp_path)[0]
    assert document.text == f"# Carts\n\n{FERRY}\n"
    assert (document.title, document.metadata[key]) == (title, value)
    assert [heading.start for heading in document.headings] == [0]


@pytest.mark.parametrize(
    "text", ["---\n\nA rule.\n\n---\n\nMore.", "---\n- a\n- b\n---\n", "+++\nno = toml = x\n+++\n", "---\na: 1\n"]
)
def test_a_text_that_only_begins_with_a_rule_stays(text: str) -> None:
    assert front_matter(text) == ({}, text)


def test_front_matter_cannot_grow_without_bound() -> None:
    bomb = "---\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n---\ntext"
    assert len(str(front_matter(bomb)[0])) < 200


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("![plan](data:image/png;base64,{})", "[image: plan]"),
        ('![](<data:image/svg+xml;charset=utf8;base64,{}> "T")', "[image]"),
        ("![][image1]\n\n[image1]: <data:image/png;base64,{}>", "[image]\n\n"),
        ("![a plan][One] and ![one]\n\n[one]: data:image/png;base64,{}\n", "[image: a plan] and [image]\n\n"),
        ('<img alt="plan" src="data:image/png;base64,{}" width=3>', "[image: plan]"),
        ("<a href='x'>url(data:font/woff;base64,{})</a>", "<a href='x'>url([image])</a>"),
    ],
)
def test_pictures_inside_the_text_are_placeholders(source: str, text: str) -> None:
    made, count = without_pictures(f"{FERRY}\n\n{source.format(PICTURE)}")
    assert made == f"{FERRY}\n\n{text}"
    assert count == text.count("[image")


def test_pictures_are_counted_and_said(tmp_path: Path) -> None:
    for name in ("a.md", "b.txt"):
        (tmp_path / name).write_text(f"# Ferry\n\n![plan](data:image/png;base64,{PICTURE})\n\n{FERRY}\n")
    assert all(document.text == f"# Ferry\n\n[image: plan]\n\n{FERRY}\n" for document in read(tmp_path)[0])
    assert [(note.source, note.reason, note.count) for note in notes(tmp_path)] == [
        ("a.md", "pictures", 1),
        ("b.txt", "pictures", 1),
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('<div align="center">\n\n**Ferry**<br>toll\n\n</div>', "\n\n**Ferry**\ntoll\n\n"),
        ("H<sub>2</sub>O &amp; <kbd>Ctrl</kbd>&nbsp;x <!-- hidden\n\n -->end", "H2O & Ctrl x end"),
        ('<img src="a.png" alt="a plan"> and <script>let x = 1</script>', "[image: a plan] and "),
        ("List<T> of <user@host> a < b > c", "List<T> of <user@host> a < b > c"),
        ("`<b>` and ``<div>`` stay", "`<b>` and ``<div>`` stay"),
        ("```html\n<div>&amp;</div>\n```\n<b>x</b>", "```html\n<div>&amp;</div>\n```\nx"),
    ],
)
def test_raw_html_is_read_as_text(source: str, text: str) -> None:
    assert html_as_text(source, fences) == text


def test_a_table_of_html_becomes_rows() -> None:
    table = "<table><tr><th>Cart</th><th>Fare</th></tr><tr><td>Large</td><td>5</td></tr></table>"
    text = html_as_text(f"Before.\n{table}\nAfter.", fences)
    assert "| Cart | Fare |" in text and "| Large | 5 |" in text and "<" not in text


@given(st.text(st.characters(codec="utf-8", exclude_characters="<&"), max_size=200))
def test_what_holds_no_html_is_not_changed(text: str) -> None:
    assert html_as_text(text, fences) == text
    assert without_pictures(text) == (text, 0)


@given(st.text("<>&;!-/[]()`ab=\"' \n", max_size=120))
def test_no_markdown_breaks_the_reader(text: str) -> None:
    assert isinstance(html_as_text(text, fences), str)
    metadata, rest = front_matter(f"---\n{text}\n---\n")
    assert metadata or rest == f"---\n{text}\n---\n", "what is no metadata is text"


@pytest.mark.parametrize("opening", ["[a]: data:;base64,", "![a](data:;base64,", "<img src='data:;base64,"])
@pytest.mark.parametrize("inside", [" ", "AA "])
def test_a_picture_that_never_ends_takes_linear_time(opening: str, inside: str) -> None:
    """Minutes, where each space is tried as part of the picture and as what stands behind it."""
    text = opening + inside * 100_000 + "!"
    assert without_pictures(text) == (text, 0)
