"""Finds what a page shows beside its text: rows of links, breadcrumbs, share buttons, cookie banners, lists of its own sections.

Such an element is known by what it is made of: hardly a letter of it stands outside of links, or its class or id says what it is, and it
holds nothing that only a text has. A menu that stays costs less than a sentence that is lost, so everything doubtful stays. trafilatura,
which looks for the main content, loses more than four times as much of it on real pages (benchmarks/NOTES.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from augment_correction.documents.html_tables import is_layout
from augment_correction.documents.html_text import is_left_out, name_of

_PLACES = frozenset(
    ["div", "ul", "ol", "section", "aside", "header", "footer", "p", "dl", "form", "center", "table", "span"]
)
_LISTS = frozenset(["ul", "ol", "dl"])
_ITEMS = frozenset(["li", "td"])
"""Elements that are left out only by their own name. Otherwise their whole list or table is judged."""
_MAY_BE = _PLACES | _ITEMS
_HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
_OF_TEXT = _HEADINGS | {"pre", "blockquote", "figcaption", "math"}
"""An element that holds one of these, or a table of data, is text, whatever its name is."""
_CONTROLS = frozenset(["button", "form", "input", "dialog"])
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
_PROSE = 40
"""An element with so many letters outside of links, of whatever script, is text."""
_BANNER = 1500
"""An element with so many letters is not judged by its name: the longest notice about cookies has fewer."""
_LINKED = 0.75
"""Of the letters of a row of links, at least this share stands in the links."""
_ROW = 2
"""A row has at least so many links."""


@dataclass(slots=True)
class _Sum:
    """Counts from the beginning of the page on. What an element holds is the difference between the counts at its end and at its start."""

    letters: int = 0
    linked: int = 0
    words: int = 0
    """How many pieces of text outside of links have a letter."""
    links: int = 0
    within: int = 0
    """How many of the links lead to a place of the same page."""
    of_text: int = 0
    controls: int = 0
    told: bool = False
    """Whether the last text outside of links was a heading or ended with a colon, which announces the links that follow."""

    def copied(self) -> _Sum:
        """The same as `dataclasses.replace`, which takes seven times as long."""
        return _Sum(
            self.letters, self.linked, self.words, self.links, self.within, self.of_text, self.controls, self.told
        )


def navigation(content: list[Any]) -> list[Any]:
    """The outermost elements of a page's content that are no text. If they are half of it or more, none are returned: the page is about its
    links."""
    found: list[Any] = []
    letters = left_out = 0
    for element in content:
        total, inside = _walk(element)
        letters += total
        found += [node for node, _ in inside]
        left_out += sum(size for _, size in inside)
    return found if 2 * left_out < letters else []


def _walk(element: Any) -> tuple[int, list[tuple[Any, int]]]:
    """How many letters the element has, and each element of navigation in it with its number of letters."""
    from lxml import etree

    now = _Sum()
    begun: list[tuple[_Sum | None, int]] = []  # of each that is open, with how many were found before it
    open_links = open_headings = 0
    found: list[tuple[Any, int]] = []
    walk = etree.iterwalk(element, events=("start", "end"))
    skipped = None
    for event, node in walk:
        name = name_of(node)
        link = name == "a" and node.get("href") is not None
        if event == "start":
            begun.append((now.copied() if name in _MAY_BE else None, len(found)))
            now.controls += name in _CONTROLS or node.get("role") in ("dialog", "alertdialog", "button")
            if is_left_out(node):
                skipped = node
                walk.skip_subtree()
                continue
            now.links += link
            now.within += link and node.get("href").startswith("#")
            now.of_text += name in _OF_TEXT or (name == "table" and not is_layout(node))
            open_links += link
            open_headings += name in _HEADINGS
            _say(now, node.text, open_links, open_headings)
            continue
        before, found_before = begun.pop()
        if node is skipped:
            skipped = None
        else:
            open_links -= link
            open_headings -= name in _HEADINGS
            if before and node is not element and _is_navigation(node, name, before, now):
                found[found_before:] = [(node, now.letters - before.letters)]
        if node is not element:
            _say(now, node.tail, open_links, open_headings)
    return now.letters, found


def _say(now: _Sum, text: str | None, open_links: int, open_headings: int) -> None:
    if not text or text.isspace():
        return
    letters = sum(map(len, text.split()))
    now.letters += letters
    if open_links:
        now.linked += letters
        now.told = now.told or open_headings > 0
        return
    says = any(sign.isalpha() for sign in text)
    now.words += says
    if open_headings or text.rstrip().endswith((":", "：")):
        now.told = True
    elif says:
        now.told = False


def _is_navigation(node: Any, name: str, before: _Sum, now: _Sum) -> bool:
    if now.of_text > before.of_text:
        return False
    letters, linked, links = now.letters - before.letters, now.linked - before.linked, now.links - before.links
    names = _names(node) if letters < _BANNER else set()
    if names & _CONSENT and now.controls > before.controls:
        return True
    if letters - linked >= _PROSE:
        return False
    if names & _NAVIGATION and links:
        return True
    if name in _ITEMS or name == "span" or links < _ROW or linked < _LINKED * letters:
        return False
    if name in _LISTS and len(node) < _ROW:
        return False
    if name == "p" and now.words > before.words:  # a sentence about what it links to has a word of its own
        return False
    return links == now.within - before.within or not before.told


def _names(node: Any) -> set[str]:
    said = f"{node.get('class') or ''} {node.get('id') or ''}"
    return {word.lower() for word in _WORD.findall(said)} if said != " " else set()
