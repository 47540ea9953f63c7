"""What a page shows beside its text: rows of links, breadcrumbs, share buttons, cookie banners, lists of its own sections.

Known by what they are made of: hardly a letter outside of links and no sentence, or a name that says so and no prose. trafilatura, which looks
for the main content, loses five times as much of it on real pages (benchmarks/NOTES.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

from augment_correction.documents.html_tables import is_layout
from augment_correction.documents.html_text import is_left_out, name_of, text_of

_PLACES = {
    "div",
    "ul",
    "ol",
    "section",
    "aside",
    "header",
    "footer",
    "p",
    "td",
    "li",
    "dl",
    "form",
    "center",
    "table",
    "span",
}
_LISTS = {"ul", "ol", "dl"}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_NAVIGATION = frozenset(
    [
        "nav",
        "navbar",
        "navigation",
        "menu",
        "menus",
        "submenu",
        "breadcrumb",
        "breadcrumbs",
        "crumbs",
        "share",
        "sharing",
        "sharer",
        "social",
        "pagination",
        "pager",
        "toc",
        "skip",
    ]
)
_CONSENT = frozenset(["cookie", "cookies", "consent", "gdpr"])
_END = re.compile(r"[.!?…。！？]")
_SENTENCE, _PROSE = 40, 80
"""Characters of a sentence, and of those outside of links: so much is a text, whatever stands around it."""
_BANNER = 1500
_LINKED = 0.75
"""The share of letters that stand in links."""
_NEAR = 12
"""Elements beside a list that are looked at."""
_ROW = 2
"""Links of a row."""


@dataclass(slots=True)
class _Sum:
    """Of an element: its letters, those in links, its links, those within the page, and its text outside of links."""

    letters: int = 0
    linked: int = 0
    links: int = 0
    within: int = 0
    outside: str = ""

    def add(self, other: _Sum) -> None:
        self.letters += other.letters
        self.linked += other.linked
        self.links += other.links
        self.within += other.within
        if len(self.outside) < _BANNER:
            self.outside += other.outside

    @property
    def prose(self) -> int:
        return sum(len(part) for part in _END.split(self.outside)[:-1] if len(part) >= _SENTENCE)


def navigation(content: list[Any]) -> list[Any]:
    """The outermost elements of a page's content that are no text; none where they would be most of it, as in a page of links."""
    found: list[Any] = []
    letters = left_out = 0
    for element in content:
        total, inside = _walk(element)
        letters += total
        found += [node for node, _ in inside]
        left_out += sum(size for _, size in inside)
    return found if 2 * left_out < letters else []


def _walk(element: Any) -> tuple[int, list[tuple[Any, int]]]:
    """Its letters, and what in it is navigation with the letters of each."""
    from lxml import etree

    open_sums: list[_Sum] = [_Sum()]
    begun: list[int] = []  # how many were found when each open element began
    open_links = 0
    found: list[tuple[Any, int]] = []
    walk = etree.iterwalk(element, events=("start", "end"))
    skipped = None
    for event, node in walk:
        if event == "start":
            if is_left_out(node):
                skipped = node
                walk.skip_subtree()
                continue
            link = name_of(node) == "a" and node.get("href") is not None
            open_links += link
            inside = link and (node.get("href") or "").startswith("#")
            begun.append(len(found))
            open_sums.append(_Sum(links=int(link), within=int(inside)))
            _say(open_sums[-1], node.text, open_links)
            continue
        if node is skipped:
            skipped = None
        else:
            done, before = open_sums.pop(), begun.pop()
            open_links -= name_of(node) == "a" and node.get("href") is not None
            if node is not element and _is_navigation(node, done):
                found[before:] = [(node, done.letters)]
            open_sums[-1].add(done)
        if node is not element:
            _say(open_sums[-1], node.tail, open_links)
    return open_sums[0].letters, found


def _say(into: _Sum, text: str | None, open_links: int) -> None:
    if text:
        words = text.split()
        letters = sum(map(len, words))
        into.letters += letters
        if open_links:
            into.linked += letters
        elif len(into.outside) < _BANNER:
            into.outside += f" {' '.join(words)}"


def _is_navigation(node: Any, done: _Sum) -> bool:
    name = name_of(node)
    if name not in _PLACES or (name == "table" and not is_layout(node)):
        return False
    names = _names(node) if done.letters < _BANNER else set()
    if names & _CONSENT:
        return True
    row = done.links >= _ROW and done.linked >= _LINKED * done.letters and name != "span"
    if name == "p" and row:
        row = not any(
            sign.isalpha() for sign in done.outside
        )  # a sentence about what it links to has a word of its own
    if not (row or (names & _NAVIGATION and done.links)) or done.prose >= _PROSE:
        return False
    return bool(names & _NAVIGATION) or done.within == done.links or not _is_told(node, name)


def _names(node: Any) -> set[str]:
    said = f"{node.get('class') or ''} {node.get('id') or ''}"
    return {word.lower() for word in _WORD.findall(said)} if said != " " else set()


def _is_told(node: Any, name: str) -> bool:
    """Whether a list of links belongs to the text: among its paragraphs, under a heading or a sentence that says what it lists; or
    it is an item or a cell, whose list or table is what counts."""
    if name in ("li", "td") or (name in _LISTS and len(node) < _ROW):
        return True
    before = node.getprevious()
    if name not in _LISTS or before is None:
        return False
    told = name_of(before) in ("h1", "h2", "h3", "h4", "h5", "h6") or text_of(before).endswith(":")
    return told and (any(_marks_text(each) for each in node.iterancestors()) or _has_prose_beside(node))


def _marks_text(node: Any) -> bool:
    return name_of(node) in ("main", "article") or node.get("role") in ("main", "article")


def _has_prose_beside(node: Any) -> bool:
    """Among the nearest before and behind it: a page may have thousands of lists in one place."""
    near = (*islice(node.itersiblings(preceding=True), _NEAR), *islice(node.itersiblings(), _NEAR))
    return any(name_of(each) == "p" and len(text_of(each)) >= _PROSE for each in near)
