"""Markdown as HTML that is harmless whoever wrote it."""

from __future__ import annotations

import re
from functools import cache, lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

LONGEST = 200_000
_RULE = re.compile(r"[\s>|:*+.)\d-]*")
"""What a line may hold that makes a table of the one above it, in a quotation or a list, too."""
_TAGS = {
    "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6",
    "table", "thead", "tbody", "tr", "th", "td", "a",
}  # fmt: skip


MOST_CELLS = 10_000
"""Of all tables of a text. The parser fills short rows up: 2,000 characters became 60,000 cells, and took 8 seconds at each look."""


@cache
def _parser(tables: bool) -> MarkdownIt:
    # HTML in the text is shown as text. Images would tell a foreign server who reads.
    made = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"]).disable("image")
    return made if tables else made.disable("table")


def _cells(text: str) -> int:
    """As many as its tables may have at most."""
    lines = text.split("\n")
    return len(lines) * max((line.count("|") + 1 for line in lines if _RULE.fullmatch(line)), default=0)


@lru_cache(256)
def html_of(text: str) -> Markup:
    """Two walls: the parser takes no HTML, and what it makes is cleaned by a list of what may be there."""
    text = text[:LONGEST]
    made = _parser(_cells(text) <= MOST_CELLS).render(text)
    clean = nh3.clean(
        made, tags=_TAGS, attributes={"a": {"href"}, "code": {"class"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"}, link_rel="noopener noreferrer nofollow",
    )  # fmt: skip
    return Markup(clean)
