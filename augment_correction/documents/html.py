"""Web pages to Markdown, and the reader of .html. EPUB, reStructuredText and pages inside Word files come through here.

The tree is lxml's. Left out is what a visitor does not read as text: scripts, styles, navigation, forms' controls, hidden
elements, link targets.
"""

from __future__ import annotations

import codecs
import html.entities
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augment_correction.documents.contract import ReadLimits, Unread, build_document
from augment_correction.documents.html_navigation import navigation
from augment_correction.documents.html_tables import is_layout, table_rows
from augment_correction.documents.html_text import Paragraph, is_left_out, links_in, name_of, text_of
from augment_correction.documents.text import Decoded, clean, decode, decoding_notes
from augment_correction.documents.writing import Markdown
from augment_correction.records import NAVIGATION, Document, ReadNote

_CHARSET = re.compile(rb"""<(?:meta|\?xml)[^>]{0,500}?(?:charset|encoding)\s*=\s*["']?\s*([-\w:.]{1,40})""", re.I)
_XHTML = re.compile(r"\s*(?:<\?xml\b|<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML|<html[^>]{0,500}xmlns=)", re.I)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_OF_XML = {"amp", "lt", "gt", "quot", "apos"}
_LANGUAGE = re.compile(
    r"(?:^|\s)(?:language|lang|highlight-source)-([\w+#-]{1,20})|^code ([\w+#-]{1,20}) literal-block"
)
_FEW = 3
_SHOWN = 2000
"""Characters of each row of links, banner and the like that are told."""
_LEFT_OUT = "rows of links, banners and lists of sections, left out (rejected.jsonl has them); characters"
_OF_HEAD = frozenset(
    ["base", "basefont", "bgsound", "link", "meta", "noframes", "noscript", "script", "style", "template", "title"]
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = {
    "p",
    "div",
    "section",
    "article",
    "main",
    "header",
    "footer",
    "aside",
    "figure",
    "figcaption",
    "address",
    "body",
}
_BLOCKS |= {
    "html",
    "center",
    "details",
    "summary",
    "fieldset",
    "legend",
    "form",
    "dl",
    "dd",
    "dt",
    "hr",
    "caption",
    "hgroup",
}
_BLOCKS |= {"table", "tbody", "thead", "tfoot", "tr", "td", "th", "search", "dialog", "ul", "ol", "menu", "li", "pre"}
_BLOCKS |= {"blockquote", *_HEADINGS}


@dataclass(frozen=True)
class Page:
    """A page as Markdown, its title, and how its bytes became text."""

    written: Markdown
    title: str
    decoded: Decoded
    left_out: tuple[str, ...] = ()
    """The text of each row of links, banner and the like that is not in `written`."""


def read_html(path: Path, source: str, limits: ReadLimits) -> Iterator[Document | ReadNote]:
    page = write_html(path.read_bytes(), with_navigation=False)
    headings = page.written.headings
    metadata: dict[str, Any] = {"encoding": page.decoded.encoding}
    if page.left_out:
        yield ReadNote(source, "navigation", _LEFT_OUT, sum(map(len, page.left_out)))
        metadata[NAVIGATION] = _shown(page.left_out)
    yield from decoding_notes(page.decoded, source)
    yield build_document(
        page.written.text,
        source=source,
        media_type="text/html",
        title=page.title or (headings[0].title if headings else ""),
        metadata=metadata,
        headings=headings,
    )


def _shown(left_out: Iterable[str]) -> list[str]:
    return [text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..." for text in left_out]


def write_html(data: bytes, *, with_navigation: bool = True) -> Page:
    """`with_navigation`: what stands beside the text is taken for text, too, as in the pages of a book.

    Raises Unread("binary" or "unreadable").
    """
    decoded = _decoded(data)
    root = _parse(decoded.text)
    if root is None:
        return Page(Markdown(), "", decoded)
    title = next((text_of(node) for node in root.iter("title", "{*}title")), "")
    content = _content(root)
    beside = [] if with_navigation else navigation(content)
    left_out = tuple(text for node in beside if (text := text_of(node)))
    return Page(_Writer(beside).write(content), title, decoded, left_out)


def _decoded(data: bytes) -> Decoded:
    """As the page itself says, where that is true; else as every other text."""
    said = None if data.startswith(codecs.BOM_UTF8) else _CHARSET.search(data[:4096])
    try:
        name = codecs.lookup(said[1].decode("ascii")).name if said else ""
        # UTF-16 could not be read here if it were true; a page that was UTF-8 for its server often says something older itself.
        if name and not name.startswith(("utf-16", "utf-32")) and not _is_utf8(data):
            # The web's "latin-1" and "ascii" are Windows-1252, by the WHATWG's encoding standard.
            name = "cp1252" if name in ("iso8859-1", "ascii") else name
            return Decoded(clean(data.decode(name)), name)
    except (LookupError, ValueError):
        pass
    return decode(data)


def _is_utf8(data: bytes) -> bool:
    """Whether it can be nothing else: in other encodings a few letters that are not ASCII are hardly ever valid UTF-8, by chance."""
    try:
        return len(data) - len(data.decode()) >= _FEW
    except UnicodeDecodeError:
        return False


def _parse(text: str) -> Any:
    """XHTML as XML, so that `<a id="x"/>` does not swallow what follows; all else, and broken XHTML, as HTML."""
    from lxml import etree

    if _XHTML.match(text):
        plain = _ENTITY.sub(_character, text)
        parser = etree.XMLParser(
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            return etree.fromstring(plain.encode(), parser)
        except etree.XMLSyntaxError:
            pass
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    root = etree.fromstring(text.encode(), parser) if text.strip() else None
    if any("depth" in entry.message for entry in parser.error_log):  # lxml lets go of all that lies deeper
        raise Unread("unreadable", "its elements are nested more than 2,000 deep")
    if root is not None:
        _end_head(root)
    return root


def _end_head(root: Any) -> None:
    """The body of a page whose head is never closed begins with the first element that no head may hold, by the HTML standard. libxml2
    does so for the elements that it knows; `section`, `article` and `main` it does not know, and the page would be empty."""
    from lxml import etree

    head = root.find("head")
    first = None if head is None else next((node for node in head if node.tag not in _OF_HEAD), None)
    if first is None:
        return
    body = root.find("body")
    if body is None:
        body = etree.SubElement(root, "body")
    moved = [first, *first.itersiblings()]
    moved[-1].tail, body.text = f"{moved[-1].tail or ''}{body.text or ''}", None
    body[:0] = moved


def _character(match: re.Match[str]) -> str:
    known = None if match[1] in _OF_XML else html.entities.html5.get(f"{match[1]};")
    return known if known is not None else match[0]


def _content(root: Any) -> list[Any]:
    """The elements that the page itself marks as its content, else its body."""
    outer = list(_outermost(root, lambda node: name_of(node) == "main" and not is_left_out(node)))
    outer = outer or list(_outermost(root, lambda node: node.get("role") == "main"))
    if outer and any(text_of(node) for node in outer):
        return outer
    return [next(root.iter("body", "{*}body"), root)]


def _outermost(root: Any, is_wanted: Callable[[Any], bool]) -> Iterator[Any]:
    from lxml import etree

    walk = etree.iterwalk(root, events=("start",))
    for _, node in walk:
        if is_wanted(node):
            yield node
            walk.skip_subtree()


class _Writer:
    """Walks a tree without recursion: broken pages nest thousands deep."""

    def __init__(self, left_out: Iterable[Any] = ()) -> None:
        self._left_out = frozenset(left_out)
        self._out = Markdown()
        self._line = Paragraph()
        self._lists: list[int | None] = []  # the next number of each open list; None has bullets
        self._marker: str | None = None  # of the item whose first line is being written
        self._quotes = 0

    def write(self, elements: list[Any]) -> Markdown:
        from lxml import etree

        for element in elements:
            walk = etree.iterwalk(element, events=("start", "end"))
            closed = None
            for event, node in walk:
                if event == "start":
                    if self._start(node):
                        closed = node
                        walk.skip_subtree()
                else:
                    if node is closed:
                        closed = None
                    else:
                        self._end(node)
                    if node is not element:
                        self._line.add(node.tail)
            self._flush()
        return self._out

    def _start(self, node: Any) -> bool:
        """Opens an element; True where it is dealt with and its children are not to be visited."""
        name = name_of(node)
        if is_left_out(node) or node in self._left_out:
            return True
        if name in _BLOCKS:
            self._flush()
        if name == "pre":
            self._out.code(clean(text_of(node, keep_lines=True)), _language(node))
            return True
        if name == "table" and not is_layout(node):
            caption = next(node.iter("caption", "{*}caption"), None)
            if caption is not None and text_of(caption):
                self._out.paragraph(text_of(caption))
            self._out.table(table_rows(node))
            return True
        if name in _HEADINGS:
            self._out.heading(_HEADINGS[name], text_of(node))
            return True
        if self._line.add_sign(node):
            return True
        if self._line.marks(node):
            self._line.add_marked(node, text_of(node), linked=links_in(node) > 0)
            return True
        if name in ("ul", "ol", "menu"):
            self._lists.append(_number(node.get("start"), 1) if name == "ol" else None)
        elif name == "li":
            self._open_item(node)
        elif name in ("dt", "dd"):
            self._marker = ": " if name == "dd" else ""
        elif name == "blockquote":
            self._quotes += 1
        self._line.add(node.text)
        return False

    def _open_item(self, node: Any) -> None:
        indent = "  " * max(0, min(len(self._lists) - 1, 8))
        if self._lists and self._lists[-1] is not None:
            number = _number(node.get("value"), self._lists[-1])
            self._lists[-1] = number + 1
            self._marker = f"{indent}{number}. "
        else:
            self._marker = f"{indent}- "

    def _end(self, node: Any) -> None:
        name = name_of(node)
        if name in _BLOCKS:
            self._flush()
        if name in ("ul", "ol", "menu") and self._lists:
            self._lists.pop()
        elif name in ("li", "dd", "dt"):
            self._marker = None
        elif name == "blockquote":
            self._quotes -= 1
        if name in ("ul", "ol", "menu", "dl") and not self._lists:
            self._out.end_list()

    def _flush(self) -> None:
        text = self._line.take()
        if not text:
            return
        if self._marker is not None:
            self._out.item(self._marker, text)
            self._marker = " " * len(self._marker)  # a second paragraph of the same item
        elif self._quotes:
            self._out.paragraph("\n".join(f"> {line}" for line in text.split("\n")))
        else:
            self._out.paragraph(text)


def _number(value: str | None, otherwise: int) -> int:
    return int(value) if value and value.strip().isdecimal() and len(value) < 10 else otherwise


def _language(node: Any) -> str:
    """The language of a code block as most highlighters note it."""
    for each in (node, *node.iter("code", "{*}code")):
        found = _LANGUAGE.search(each.get("class") or "")
        if found:
            return found[1] or found[2]
    return ""
