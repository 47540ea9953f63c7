"""What one Word paragraph says: its text as a reader of the printed page sees it, and the boxes anchored in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from augment_correction.documents.docx_styles import Styles, attribute, tag
from augment_correction.documents.docx_symbols import symbol, without_positions
from augment_correction.documents.equations import MATH, MATH_PARAGRAPH, omml
from augment_correction.documents.package import ALTERNATE, alternative
from augment_correction.documents.text import clean
from augment_correction.documents.writing import raised

BOX = tag("txbxContent")
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"

_SIGNS = {tag("tab"): "\t", tag("ptab"): "\t", tag("br"): "\n", tag("cr"): "\n", tag("noBreakHyphen"): "-"}
_RUN, _TEXT, _SYMBOL, _CONTROL = tag("r"), tag("t"), tag("sym"), tag("sdt")
_NOTES = {tag("footnoteReference"): "footnotes", tag("endnoteReference"): "endnotes"}
_FORM = tag("ffData")
# Deleted and moved-away text, phonetic guides above their base text, properties: nothing of it is read.
_SILENT = {tag(name) for name in ("del", "moveFrom", "rt", "pPr", "rPr", "sdtPr", "rubyPr", "delText", "instrText")}


@dataclass
class Notes:
    """Footnotes and endnotes in the order of their marks. `parts` are the elements of both parts by their id."""

    parts: dict[tuple[str, str], Any]
    waiting: list[tuple[int, Any]] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    count: int = 0

    def mark(self, kind: str, identity: str) -> str:
        note = self.parts.get((kind, identity))
        if note is None:
            self.missing.add(kind)
            return ""
        self.count += 1
        self.waiting.append((self.count, note))
        return f"[^{self.count}]"

    def take(self) -> list[tuple[int, Any]]:
        taken, self.waiting = self.waiting, []
        return taken


class Runs:
    """Reads paragraphs one by one; `notes` collects what their marks point to."""

    def __init__(self, styles: Styles, notes: Notes) -> None:
        self._styles, self._notes = styles, notes

    def read(self, paragraph: Any) -> tuple[str, list[Any]]:
        """The text, and the text boxes, charts and diagrams anchored in it, in order."""
        parts: list[str] = []
        anchored: list[Any] = []
        hidden = self._styles.hides(paragraph)
        waiting = list(reversed(paragraph))
        while waiting:
            node = waiting.pop()
            if node.tag in (BOX, CHART, DIAGRAM):
                anchored.append(node)
            elif node.tag == ALTERNATE:
                waiting.extend(reversed(alternative(node)))
            elif node.tag == _RUN:
                if not self._styles.hides_run(node, hidden):
                    waiting.extend(reversed(node))
            elif node.tag in _SILENT or (node.tag == _CONTROL and _is_placeholder(node)):
                continue
            else:
                said = self._said(node)
                if said is None:
                    waiting.extend(reversed(node))
                else:
                    parts.append(said)
        return clean("".join(parts)).replace("\xad", ""), anchored

    def _said(self, node: Any) -> str | None:
        """What a single element says; None where that is what its children say."""
        if node.tag == _TEXT:
            return _text(node)
        if node.tag in _SIGNS:
            return _SIGNS[node.tag]
        if node.tag == _SYMBOL:
            position = attribute(node, "char") or ""
            return symbol(attribute(node, "font"), int(position, 16)) if _is_hex(position) else ""
        if node.tag == MATH:
            return _between("$", omml(node))
        if node.tag == MATH_PARAGRAPH:
            return "\n".join(_between("$$", omml(each)) for each in node.iterfind(MATH))
        if node.tag in _NOTES:
            return self._notes.mark(_NOTES[node.tag], attribute(node, "id") or "")
        if node.tag == _FORM:
            return _form_value(node)
        return None


def _text(node: Any) -> str:
    run = node.getparent()
    settings = run.find(tag("rPr"))
    text = node.text or ""
    if settings is None:
        return without_positions(text, None)
    fonts = settings.find(tag("rFonts"))
    text = without_positions(text, None if fonts is None else attribute(fonts, "ascii") or attribute(fonts, "hAnsi"))
    shift = settings.find(tag("vertAlign"))
    return raised(text) if shift is not None and attribute(shift, "val") == "superscript" else text


def _between(mark: str, equation: str) -> str:
    return f"{mark}{equation}{mark}" if equation else ""


def _is_hex(value: str) -> bool:
    return 0 < len(value) <= 6 and all(sign in "0123456789abcdefABCDEF" for sign in value)


def _is_placeholder(control: Any) -> bool:
    """A content control that nobody has filled in shows "Click here to enter text"."""
    return control.find(f"{tag('sdtPr')}/{tag('showingPlcHdr')}") is not None


def _form_value(form: Any) -> str:
    """The choice of an old form's list and the state of its box: they stand nowhere in the text."""
    listed = form.find(tag("ddList"))
    if listed is not None:
        entries = [attribute(entry, "val") or "" for entry in listed.iterfind(tag("listEntry"))]
        result = listed.find(tag("result"))
        chosen = attribute(result, "val") if result is not None else "0"
        return entries[int(chosen)] if chosen and chosen.isdigit() and int(chosen) < len(entries) else ""
    box = form.find(tag("checkBox"))
    if box is None:
        return ""
    state = box.find(tag("checked"))
    state = box.find(tag("default")) if state is None else state
    return "☒" if state is not None and (attribute(state, "val") or "1") not in ("0", "false", "off") else "☐"
