"""Markdown as HTML that is harmless whoever wrote it."""

from __future__ import annotations

from functools import cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

LONGEST = 200_000
_TAGS = {
    "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6",
    "table", "thead", "tbody", "tr", "th", "td", "a",
}  # fmt: skip


@cache
def _parser() -> MarkdownIt:
    # HTML in the text is shown as text. Images would tell a foreign server who reads.
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"]).disable("image")


def html_of(text: str) -> Markup:
    """Two walls: the parser takes no HTML, and what it makes is cleaned by a list of what may be there."""
    made = _parser().render(text[:LONGEST])
    clean = nh3.clean(
        made, tags=_TAGS, attributes={"a": {"href"}, "code": {"class"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"}, link_rel="noopener noreferrer nofollow",
    )  # fmt: skip
    return Markup(clean)
