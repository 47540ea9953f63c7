"""Markdown is rendered, harmless whoever wrote it, and the same whether it comes at once or while it is written."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.workspace.markdown import Growing, html_of

HOSTILE = [
    "<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](https://evil.example/x.png)", "<img src=x onerror=alert(1)>",
    "[x](data:text/html,<script>alert(1)</script>)", "<a href='javascript:alert(1)'>x</a>", "`</code><script>alert(1)</script>`",
    "```<script>\nalert(1)\n```\n</code></pre><svg onload=alert(1)>", "<!-- \n\n--><iframe src=//evil.example>", "[a]: javascript:alert(1)\n\n[a]",
    "```\" onmouseover=\"alert(1)\nx\n```", "<p>\n\n<style>*{}</style>", "| <b onclick=x> | b |\n|-|-|\n| </td><script> | c |", "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<scr\n\nipt>alert(1)</scr\n\nipt>", "- <math><mtext>\n\n- </mtext><img src=1 onerror=alert(1)>", "<https://x.example/\"onclick=alert(1)>",
]  # fmt: skip
LINES = [
    "A word", "and **more**", "", "", "# Head", "===", "---", "- one", "* two", "1. one", "2. two", "  deeper", "    code", "> said", "```", "```py",
    "~~~", "| a | b |", "|--|--|", "| 1 | 2 |", "a | b", "1911", "+", "\\", "`x`", "~~gone~~", "<b>", "\ttab", "***", "[x](https://x.example)",
]  # fmt: skip

FORBIDDEN = {"script", "img", "svg", "iframe", "style", "math", "form", "input", "object", "link", "meta"}


class Seen(HTMLParser):
    """Fails at what may not be there; counts the elements that stand beside each other."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.top = self.depth = 0
        self.feed(html)
        self.close()
        assert self.depth == 0, html

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag not in FORBIDDEN, tag
        for name, value in attributes:
            assert name in ("href", "class", "start", "rel"), name
            assert name != "href" or re.match(r"(https?:|mailto:|[^:]*$)", value or ""), value
        self.top += self.depth == 0
        self.depth += tag not in ("br", "hr")

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def grown(pieces: list[str]) -> str:
    """What a reader has in the end, who was sent each piece as it came."""
    growing, text, shown = Growing(), "", ""
    blocks: list[str] = []
    for piece in pieces:
        text += piece
        kept, html = growing.html_of(text)
        assert kept <= len(blocks)
        Seen(html)
        blocks[kept:] = top_level(html)
        shown = "".join(blocks)
    return shown


def top_level(html: str) -> list[str]:
    """The elements that stand beside each other, each as it is written."""
    found, depth, begin = [], 0, 0
    for match in re.finditer(r"<(/?)(\w+)[^>]*>", html):
        if match[2] not in ("br", "hr"):
            depth += -1 if match[1] else 1
        if depth == 0 and match[2] != "br":
            found.append(html[begin : match.end()].strip("\n"))
            begin = match.end()
    return found


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_is_harmless(text: str) -> None:
    assert Seen(html_of(text)).top > 0


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_stream_is_harmless_wherever_it_is_cut(text: str) -> None:
    text = f"Before\n\n{text}\n\n{text}\n\nAfter"
    grown(list(text))
    for at in range(len(text)):
        grown([text[:at], text[at:]])


def test_a_line_of_many_spaces_is_rendered_at_once() -> None:
    """Minutes, where the signs of a line are looked for in a time that grows with its square."""
    assert "x" in Growing().html_of(f"Here it is:\n\n{' ' * 150_000}x")[1]


@pytest.mark.parametrize("before", ["", "> "])
def test_a_table_that_would_be_huge_is_shown_as_it_is(before: str) -> None:
    """Short rows are filled up: a few thousand characters would become a page of megabytes."""
    row, rule = "|a" * 200, "|-" * 200
    assert "<td>" in html_of(f"{before}{row}|\n{before}{rule}|\n" + f"{before}|b\n" * 40)
    made = html_of(f"{before}{row}|\n{before}{rule}|\n" + f"{before}|b\n" * 300)
    assert "<td" not in made and len(made) < 20_000 and "|a|a" in made


def test_markdown_is_rendered() -> None:
    assert html_of("a **b** `c`") == "<p>a <strong>b</strong> <code>c</code></p>\n"
    assert '<a href="https://x.example" rel="noopener noreferrer nofollow">' in html_of("[x](https://x.example)")
    assert "<td>" in html_of("|a|\n|-|\n|b|")


@given(st.lists(st.sampled_from(LINES), max_size=12), st.lists(st.integers(0, 120), max_size=8))
def test_what_comes_in_pieces_is_what_comes_at_once(lines: list[str], cuts: list[int]) -> None:
    text = "\n".join([*lines, "", "The end."])
    at = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[begin:end] for begin, end in pairwise(at)]
    assert grown(pieces) == "".join(top_level(html_of(text)))


def test_a_text_that_is_begun_anew_is_shown_anew() -> None:
    growing = Growing()
    growing.html_of("One\n\nTwo\n\nThree")
    assert growing.html_of("One\n\nTwo\n\nThree more")[0] == 1
    assert growing.html_of("Another") == (0, "<p>Another</p>\n")


def test_a_line_waits_for_its_first_word() -> None:
    growing = Growing()
    assert growing.html_of("A list:\n-") == (0, "<p>A list:</p>\n")  # no heading
    assert "<li>one</li>" in growing.html_of("A list:\n- one")[1]


def test_a_long_answer_costs_what_its_last_block_costs() -> None:
    growing, text, sent = Growing(), "", 0
    for number in range(200):
        text += f"Paragraph {number} has **some** words.\n\n"
        sent += len(growing.html_of(text)[1])
    assert sent < 4 * len(html_of(text))
