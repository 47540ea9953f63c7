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
        self._keep = keep_lines

    def add(self, text: str | None) -> None:
        if text:
            self._parts.append(text if self._keep else _SPACE.sub(" ", text))

    def whole(self, node: Any) -> bool:
        """Takes an element that is read as one sign or word; False for all others."""
        name = name_of(node)
        if name == "br":
            self._parts.append("\n")
        elif name == "sup":
            text = text_of(node)
            linked = next(node.iter("a", "{*}a"), None) is not None
            self._parts.append((text if text.startswith("[") else f"[{text}]") if linked and text else raised(text))
        elif name == "math":
            equation = mathml(node)
            mark = "$$" if node.get("display") == "block" else "$"
            self._parts.append(f"{mark}{equation}{mark}" if equation else "")
        elif name == "img":
            alt = " ".join((node.get("alt") or "").split())
            self._parts.append(f"[image: {alt}]" if alt else "")
        elif name in ("code", "kbd", "samp", "tt") and not self._keep:
            text = text_of(node)
            self._parts.append(f"`{text}`" if text and "`" not in text else text)
        elif name == "q":
            self._parts.append(f"“{text_of(node)}”")
        else:
            return False
        return True

    def take(self) -> str:
        if not self._parts:
            return ""
        text = clean("".join(self._parts)).translate(_INVISIBLE)
        self._parts.clear()
        return text if self._keep else _AROUND_BREAK.sub("\n", _SPACES.sub(" ", text)).strip()


def text_of(node: Any, *, keep_lines: bool = False) -> str:
    """All that an element says, in one line, or as it stands for `pre`."""
    from lxml import etree

    line = Paragraph(keep_lines=keep_lines)
    walk = etree.iterwalk(node, events=("start", "end"))
    closed = None
    for event, each in walk:
        if event == "start":
            if each is not node and (is_left_out(each) or line.whole(each)):
                closed = each
                walk.skip_subtree()
                continue
            if name_of(each) in _BLOCKS_INSIDE and not keep_lines:
                line.add(" ")
            line.add(each.text)
        else:
            if each is not closed and name_of(each) in _BLOCKS_INSIDE and not keep_lines:
                line.add(" ")
            if each is not node:
                line.add(each.tail)
    return line.take() if keep_lines else " ".join(line.take().split())
