"""What a Word paragraph is: a heading of some level, an item of some list, or plain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"heading (\d)$", re.IGNORECASE)
_BODY_LEVEL = 9  # Word's outline level for "no heading"
_ROMAN = tuple(
    zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"),
        strict=True,
    )
)


def tag(name: str) -> str:
    return _W + name


def attribute(node: Any, name: str) -> str | None:
    value: str | None = node.get(_W + name)
    return value


class Styles:
    """Levels and list kinds of all styles, worked out once: asking python-docx for each paragraph's style walks the
    style sheet every time."""

    def __init__(self, document: Any) -> None:
        self._levels: dict[str, int] = {}
        self._lists: dict[str, tuple[str, int]] = {}
        self._formats = _list_formats(document)
        self._hidden: dict[str, bool] = {}
        self._counts: Counter[tuple[str, int]] = Counter()
        parents: dict[str, str] = {}
        for style in document.styles.element.iterfind(tag("style")):
            identity = attribute(style, "styleId") or ""
            based = style.find(tag("basedOn"))
            if based is not None:
                parents[identity] = attribute(based, "val") or ""
            self._note(identity, style)
        for identity in parents:
            self._inherit(identity, parents)

    def _note(self, identity: str, style: Any) -> None:
        named = style.find(tag("name"))
        name = attribute(named, "val") or "" if named is not None else ""
        heading = _HEADING.match(name)
        if heading:
            self._levels[identity] = max(1, int(heading[1]))
        elif name.casefold() == "title":
            self._levels[identity] = 1
        else:
            level = _outline_level(style)
            if level is not None:
                self._levels[identity] = level
        hidden = _vanishes(style)
        if hidden is not None:
            self._hidden[identity] = hidden
        numbered = _numbering(style)
        if numbered:
            self._lists[identity] = numbered
        elif name.casefold().startswith(("list bullet", "list number")):
            self._lists[identity] = (name.casefold().split()[1], 0)

    def _inherit(self, identity: str, parents: dict[str, str]) -> None:
        ancestor, steps = parents.get(identity, ""), 0
        while ancestor and steps < 16:  # a broken file may define two styles as each other's base
            if identity not in self._levels and ancestor in self._levels:
                self._levels[identity] = self._levels[ancestor]
            if identity not in self._lists and ancestor in self._lists:
                self._lists[identity] = self._lists[ancestor]
            if identity not in self._hidden and ancestor in self._hidden:
                self._hidden[identity] = self._hidden[ancestor]
            ancestor, steps = parents.get(ancestor, ""), steps + 1

    def heading_level(self, paragraph: Any) -> int:
        """1 to 9, or 0 for a paragraph that is no heading."""
        own = _outline_level(paragraph)
        return own if own is not None else self._levels.get(_style_of(paragraph), 0)

    def hides(self, paragraph: Any) -> bool:
        """Whether the paragraph's style is hidden text."""
        return self._hidden.get(_style_of(paragraph), False)

    def hides_run(self, run: Any, otherwise: bool) -> bool:
        """Whether a run is hidden by itself or by its style; where neither says so, it is as its paragraph."""
        own = _vanishes(run)
        if own is not None:
            return own
        styled = run.find(f"{tag('rPr')}/{tag('rStyle')}")
        return self._hidden.get(attribute(styled, "val") or "", otherwise) if styled is not None else otherwise

    def list_marker(self, paragraph: Any) -> str | None:
        """The Markdown marker with its indent, or None outside of lists. Numbers count on with each call."""
        found = _numbering(paragraph) or self._lists.get(_style_of(paragraph))
        if not found or found[0] == "0":  # number 0 takes a paragraph out of its style's list
            return None
        identity, level = found
        kind, first = self._formats.get((identity, level), ("bullet" if identity == "bullet" else "decimal", 1))
        for key in list(self._counts):
            if key[0] == identity and key[1] > level:
                del self._counts[key]
        self._counts[identity, level] += 1
        number = first + self._counts[identity, level] - 1
        marker = "- " if kind in ("bullet", "none") else f"{_numeral(kind, number)}. "
        return "  " * min(level, 8) + marker


def _style_of(paragraph: Any) -> str:
    found = paragraph.find(f"{tag('pPr')}/{tag('pStyle')}")
    return (attribute(found, "val") or "") if found is not None else ""


def _vanishes(node: Any) -> bool | None:
    """What a run or style says about hidden text; None where it says nothing."""
    found = node.find(f"{tag('rPr')}/{tag('vanish')}")
    return None if found is None else (attribute(found, "val") or "1") not in ("0", "false", "off")


def _outline_level(node: Any) -> int | None:
    found = node.find(f"{tag('pPr')}/{tag('outlineLvl')}")
    value = attribute(found, "val") if found is not None else None
    if value is None or not value.isdigit():
        return None
    return 0 if int(value) >= _BODY_LEVEL else int(value) + 1


def _numbering(node: Any) -> tuple[str, int] | None:
    """(list, level) as the paragraph or style itself says it."""
    found = node.find(f"{tag('pPr')}/{tag('numPr')}")
    if found is None:
        return None
    number, level = found.find(tag("numId")), found.find(tag("ilvl"))
    depth = attribute(level, "val") if level is not None else None
    if number is None:
        return None
    return attribute(number, "val") or "0", int(depth) if depth and depth.isdigit() else 0


def _list_formats(document: Any) -> dict[tuple[str, int], tuple[str, int]]:
    """(list, level) to ("bullet" or "decimal" or "lowerLetter" ..., first number), where the file has a numbering part."""
    formats: dict[tuple[str, int], tuple[str, int]] = {}
    with suppress(Exception):  # python-docx raises NotImplementedError where there is none
        root = next(
            rel.target_part.element for rel in document.part.rels.values() if rel.reltype.endswith("/numbering")
        )
        abstract = {
            attribute(definition, "abstractNumId") or "": list(_levels(definition))
            for definition in root.iterfind(tag("abstractNum"))
        }
        for number in root.iterfind(tag("num")):
            reference = number.find(tag("abstractNumId"))
            key = attribute(reference, "val") or "" if reference is not None else ""
            identity = attribute(number, "numId") or ""
            for depth, kind, start in abstract.get(key, []):
                formats[identity, depth] = (kind, start)
            for override in number.iterfind(tag("lvlOverride")):
                depth, first = int(attribute(override, "ilvl") or 0), override.find(tag("startOverride"))
                if first is not None:
                    kind = formats.get((identity, depth), ("decimal", 1))[0]
                    formats[identity, depth] = (kind, int(attribute(first, "val") or 1))
    return formats


def _levels(definition: Any) -> Iterator[tuple[int, str, int]]:
    for level in definition.iterfind(tag("lvl")):
        kind, start = level.find(tag("numFmt")), level.find(tag("start"))
        if kind is not None:
            first = (attribute(start, "val") if start is not None else None) or "1"
            yield int(attribute(level, "ilvl") or 0), attribute(kind, "val") or "decimal", int(first)


def _numeral(kind: str, number: int) -> str:
    """A number as its list writes it: c, C, iii, III, or 3 in every other case."""
    if kind.endswith("Letter") and number > 0:
        text = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)  # Word goes on with aa, bb, cc
    elif kind.endswith("Roman") and 0 < number < 4000:
        text = ""
        for value, sign in _ROMAN:
            text += sign * (number // value)
            number %= value
    else:
        return str(number)
    return text.upper() if kind.startswith("upper") else text
