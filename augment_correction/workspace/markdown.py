"""Markdown as HTML that is harmless whoever wrote it."""

from __future__ import annotations

import re
from functools import cache, lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

LONGEST = 200_000
_RULE = re.compile(r"[\s>|:*+.)\d-]*")
"""What a line may hold that makes a table of the one above it, in a quotation or a list, too."""
_LINE_END = re.compile(r"\r\n?")
_SIGNS = re.compile(r"\W*\d*[.)]?")
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
    return _rendered(text[:LONGEST])


def _rendered(text: str) -> Markup:
    made = _parser(_cells(text) <= MOST_CELLS).render(text)
    clean = nh3.clean(
        made, tags=_TAGS, attributes={"a": {"href"}, "code": {"class"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"}, link_rel="noopener noreferrer nofollow",
    )  # fmt: skip
    return Markup(clean)


class Growing:
    """A text that is written while it is read. CommonMark never opens a block again that has ended, so that only the last one and what
    comes after it are rendered anew."""

    def __init__(self) -> None:
        self._done, self._blocks = "", 0

    def html_of(self, text: str) -> tuple[int, Markup]:
        """How many blocks stay as they were told before, each an element, and the HTML of all that comes after them."""
        text = _LINE_END.sub("\n", text[:LONGEST])
        if not text.startswith(self._done):  # it was begun anew
            self._done, self._blocks = "", 0
        kept, rest = self._blocks, text[len(self._done) :]
        lines, _, last = rest.rpartition("\n")
        begin, number = _last_block(f"{lines}\n")
        self._done, self._blocks = self._done + rest[:begin], self._blocks + number
        # A line that so far has signs alone may become a heading, a list, a rule or a fence: it waits for its first word.
        return kept, _rendered(lines if _SIGNS.fullmatch(last.rstrip()) else rest)


def _last_block(lines: str) -> tuple[int, int]:
    """Where the last of the blocks of whole lines begins, and how many there are before it. The line that is being written decides
    nothing yet."""
    tokens: list[Token] = []
    parser = _parser(_cells(lines) <= MOST_CELLS)
    parser.block.parse(lines, parser, {}, tokens)
    begins = [token.map[0] for token in tokens if token.level == 0 and token.nesting >= 0 and token.map]
    if not begins:
        return 0, 0
    return sum(len(line) + 1 for line in lines.split("\n")[: begins[-1]]), len(begins) - 1
