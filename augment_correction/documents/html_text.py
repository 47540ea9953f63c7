"""The words inside an element, as a visitor of the page reads them."""

from __future__ import annotations

import re
from typing import Any

from augment_correction.documents.equations import mathml
from augment_correction.documents.text import clean
from augment_correction.documents.writing import raised

_SILENT = {
    "script",
    "style",
    "template",
    "noscript",
    "head",
    "title",
    "nav",
    "svg",
    "iframe",
    "object",
    "embed",
    "canvas",
}
_SILENT |= {"audio", "video", "button", "select", "input", "textarea", "datalist", "rt", "rp", "del", "map", "applet"}
_BLOCKS_INSIDE = {"p", "div", "li", "tr", "td", "th", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"}
_UNSEEN = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
_CODE = {"code", "kbd", "samp", "tt"}
_NESTED = 8
"""Marks inside marks: each of them reads the whole text once more, and what is never closed nests thousands deep."""
_ANCHOR = re.compile(r"\b(?:headerlink|anchor-link|anchorjs-link|mw-editsection)\b")
_SPACE = re.compile(r"[ \t\n\r\f\u00a0]+")
_SPACES, _AROUND_BREAK = re.compile(" {2,}"), re.compile(" ?\n ?")
_INVISIBLE = str.maketrans("", "", "\u00ad\u200b\u2060\ufeff")


def name_of(node: Any) -> str:
    """The element's name without a namespace; empty for what is no element."""
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""


def is_left_out(node: Any) -> bool:
    name = name_of(node)
    if not name or name in _SILENT or node.get("hidden") is not None or node.get("aria-hidden") == "true":
        return True
    if node.get("role") in ("navigation", "search", "banner") or _UNSEEN.search(node.get("style") or ""):
        return True
    if name == "footer" and node.getparent() is not None and name_of(node.getparent()) == "body":
        return True
    return bool(_ANCHOR.search(node.get("class") or "")) or (
        name == "a" and (node.text or "").strip() in ("¶", "§", "#")
    )


class Paragraph:
    """One paragraph of running text under way."""

    def __init__(self, *, keep_lines: bool = False) -> None:
        self._parts: list[str] = []
        self.keeps_lines = keep_lines

    def add(self, text: str | None) -> None:
        if text:
            self._parts.append(text if self.keeps_lines else _SPACE.sub(" ", text))

    def add_sign(self, node: Any) -> bool:
        """Takes an element that is one sign and holds no text to be read; False for all others."""
        name = name_of(node)
        if name == "br":
            self._parts.append("\n")
        elif name == "math":
            equation = mathml(node)
            mark = "$$" if node.get("display") == "block" else "$"
            self._parts.append(f"{mark}{equation}{mark}" if equation else "")
        elif name == "img":
            alt = " ".join((node.get("alt") or "").split())
            self._parts.append(f"[image: {alt}]" if alt else "")
        else:
            return False
        return True

    def marks(self, node: Any) -> bool:
        """Whether the element's whole text gets a mark around it, by `add_marked`: it is then read by itself."""
        name = name_of(node)
        return name in ("sup", "q") or (name in _CODE and not self.keeps_lines)

    def add_marked(self, node: Any, text: str, *, linked: bool) -> None:
        """`linked`: a link is in it, so that what is raised is the number of a note."""
        name = name_of(node)
        if name == "q":
            text = f"“{text}”"
        elif name in _CODE:
            text = f"`{text}`" if text and "`" not in text else text
        elif linked and text:
            text = text if text.startswith("[") else f"[{text}]"
        else:
            text = raised(text)
        self._parts.append(text)

    def take(self) -> str:
        if not self._parts:
            return ""
        text = clean("".join(self._parts)).translate(_INVISIBLE)
        self._parts.clear()
        return text if self.keeps_lines else _AROUND_BREAK.sub("\n", _SPACES.sub(" ", text)).strip()


def text_of(node: Any, *, keep_lines: bool = False) -> str:
    """All that an element says, in one line, or as it stands for `pre`."""
    from lxml import etree

    # An element that is marked is read as a text inside the text; without recursion, since broken pages nest thousands deep.
    open_texts = [(node, Paragraph(keep_lines=keep_lines), 0)]  # with the links that stood in front of each
    links = 0
    walk = etree.iterwalk(node, events=("start", "end"))
    closed = None
    for event, each in walk:
        inner, line, _ = open_texts[-1]
        if event == "start":
            if each is not node:
                if is_left_out(each) or line.add_sign(each):
                    links += links_in(each)
                    closed = each
                    walk.skip_subtree()
                    continue
                if line.marks(each) and len(open_texts) <= _NESTED:
                    line = Paragraph()
                    open_texts.append((each, line, links))
            name = name_of(each)
            links += name == "a"
            if name in _BLOCKS_INSIDE and not line.keeps_lines:
                line.add(" ")
            line.add(each.text)
            continue
        if each is not closed and each is not node:
            if each is inner:
                _, _, before = open_texts.pop()
                text, line = " ".join(line.take().split()), open_texts[-1][1]
                line.add_marked(each, text, linked=links > before)
            elif name_of(each) in _BLOCKS_INSIDE and not line.keeps_lines:
                line.add(" ")
        if each is not node:
            line.add(each.tail)
    ((_, line, _),) = open_texts
    return line.take() if keep_lines else " ".join(line.take().split())


def links_in(node: Any) -> int:
    return sum(1 for _ in node.iter("a", "{*}a"))
