"""Markdown as people keep it: front matter is metadata, pictures are placeholders, raw HTML is read as text."""

from __future__ import annotations

import html
import re
import tomllib
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any

import yaml

from augment_correction.documents.html import write_html
from augment_correction.text import clean

_FRONT = re.compile(
    r"\A\s*(?P<mark>---|\+\+\+)[ \t]*\n(?P<inside>.{0,65536}?)\n(?:(?P=mark)|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL
)
Piece = tuple[int, int, str]
"""Start and end in a text, and what is made of what stands there."""
_DEEPEST = 50
_KEY = re.compile(r"^(?P<key>[A-Za-z_][\w -]*?)\s*:(?:\s+(?P<value>.*))?$")


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    """(metadata, the text behind it). A text that only begins with a rule has none."""
    found = _FRONT.match(text)
    if found is None:
        return {}, text
    read = _toml if found["mark"] == "+++" else _yaml
    metadata = read(found["inside"])
    return (metadata, text[found.end() :].lstrip("\n")) if metadata else ({}, text)


def _toml(inside: str) -> dict[str, Any]:
    try:
        return tomllib.loads(inside)
    except tomllib.TOMLDecodeError:
        return {}


def _yaml(inside: str) -> dict[str, Any]:
    """Of front matter that is no valid YAML ("title: The ferry: a story") each line by itself."""
    try:
        aliases = (isinstance(token, yaml.AliasToken) for token in yaml.scan(inside))  # they may grow without bound
        if not _nests_deep(inside) and not any(aliases):
            loaded = yaml.safe_load(inside)
            return {str(key): value for key, value in loaded.items()} if isinstance(loaded, dict) else {}
    except (yaml.YAMLError, ValueError, RecursionError):
        pass
    lines = [line for line in inside.split("\n") if line.strip() and line[0] not in " \t#-"]
    pairs = [_KEY.match(line) for line in lines]
    if not pairs or not all(pairs):
        return {}
    return {pair["key"]: (pair["value"] or "").strip() for pair in pairs if pair}


def _nests_deep(inside: str) -> bool:
    """PyYAML looks through all open brackets at each sign: 4,000 of them took three seconds."""
    depths = accumulate(1 if sign in "[{" else -1 for sign in inside if sign in "[]{}")
    return max(depths, default=0) > _DEEPEST


# ------------------------------------------------------------------------------------------------------ pictures

# White space is of the picture where more of it follows, and is never tried twice: a line of a thousand spaces behind an opening took seconds.
_DATA = r"data:[\w.+-]*+(?:/[\w.+-]*+)?(?:;[\w.=+-]+)*;base64,\s*+[A-Za-z0-9+/=%]*+(?:\s++[A-Za-z0-9+/=%]++)*?"
_LONGEST_ALT = 500
_INLINE = re.compile(
    rf"!\[(?P<alt>[^\]\n]{{0,{_LONGEST_ALT}}})\]\(\s*<?{_DATA}>?(?:\s++(?:\"[^\"\n]*\"|'[^'\n]*'))?\s*+\)"
)
_DEFINITION = re.compile(
    rf"^ {{0,3}}\[(?P<name>[^\]\n]{{1,999}})\]:\s*<?{_DATA}>?[ \t]*+(?:\"[^\"\n]*\"|'[^'\n]*')?[ \t]*+$\n?",
    re.MULTILINE,
)
_TAG = re.compile(rf"<img\b[^<>]*?\bsrc\s*=\s*(?P<quote>[\"'])\s*{_DATA}\s*+(?P=quote)[^<>]*>", re.IGNORECASE)
_ALT = re.compile(r"\balt\s*=\s*(?P<quote>[\"'])(?P<alt>.*?)(?P=quote)", re.IGNORECASE | re.DOTALL)
_LOOSE = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w.=+-]+)*;base64,[A-Za-z0-9+/=%]{40,}")


def without_pictures(text: str) -> tuple[str, int]:
    """The text with `[image: plan]` for each picture that it holds as base64 itself, and their number."""
    if ";base64," not in text:
        return text, 0
    count = 0

    def placeholder(alt: str) -> str:
        nonlocal count
        count += 1
        alt = " ".join(alt.split())
        return f"[image: {alt}]" if alt else "[image]"

    names = {found["name"].lower() for found in _DEFINITION.finditer(text)}
    text = _DEFINITION.sub("", text)
    if names:
        text = _replaced(text, _named_pictures(text, names), placeholder)
    text = _INLINE.sub(lambda found: placeholder(found["alt"]), text)
    text = _TAG.sub(lambda found: placeholder(alt["alt"] if (alt := _ALT.search(found.group())) else ""), text)
    return _LOOSE.sub(lambda _: placeholder(""), text), count


def _named_pictures(text: str, names: set[str]) -> Iterator[Piece]:
    """`![a plan][one]`, `![one][]` and `![one]`, where the names are those of definitions."""
    longest = max(map(len, names))
    at = text.find("![")
    while at >= 0:
        alt, end = _bracketed(text, at + 1, max(_LONGEST_ALT, longest))
        name, behind = _bracketed(text, end, longest) if end else (None, 0)
        if alt is not None and len(alt) <= _LONGEST_ALT and name is not None and name.lower() in names:
            yield at, behind, alt
            at = behind
        elif alt is not None and alt.lower() in names:
            end = behind if name == "" else end
            yield at, end, ""
            at = end
        else:
            at += 2
        at = text.find("![", at)


def _bracketed(text: str, at: int, longest: int) -> tuple[str | None, int]:
    """What stands in the brackets that open there, and where they end; None where none open, or on another line, or far away."""
    close = text.find("]", at, at + longest + 2) if text.startswith("[", at) else -1
    inside = text[at + 1 : close]
    return (inside, close + 1) if close >= 0 and "\n" not in inside else (None, 0)


# ------------------------------------------------------------------------------------------------------ raw HTML

_SILENT = (
    re.compile(r"<(?:(?P<name>script|style|svg|iframe)\b[^<>]*>|!--)", re.IGNORECASE),
    re.compile(r"</(?P<name>script|style|svg|iframe)\s*>|-->", re.IGNORECASE),
)
_TABLE = (
    re.compile(r"<(?P<name>table)\b[^<>]*>", re.IGNORECASE),
    re.compile(r"</(?P<name>table)\s*>", re.IGNORECASE),
)
_IMAGE = re.compile(r"<img\b[^<>]*>", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|hr)\b[^<>]*>\n?", re.IGNORECASE)
_BLOCK = re.compile(
    r"</?(?:div|p|center|details|summary|section|article|aside|header|footer|main|figure|figcaption|picture|source|video|"
    r"audio|blockquote|ul|ol|li|dl|dt|dd|h[1-6]|pre|nav|address|fieldset|form|caption)(?:\s[^<>]*|/)?>",
    re.IGNORECASE,
)
_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|big|bdi|bdo|cite|code|del|dfn|em|font|i|ins|kbd|label|mark|q|s|samp|small|span|strike|strong|sub|sup|"
    r"time|tt|u|var|wbr|ruby|rb)(?:\s[^<>]*|/)?>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,31}|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_TICKS = re.compile("`+")


def html_as_text(text: str, fences: Callable[[str], list[tuple[int, int]]]) -> str:
    """Tags of HTML are taken out, tables become rows; code stays as it is, and so does what only looks like a tag."""
    if "<" not in text and "&" not in text:
        return text
    parts, at = [], 0
    for start, end in [*fences(text), (len(text), len(text))]:
        parts.append(_prose(text[at:start]))
        parts.append(text[start:end])
        at = end
    return "".join(parts)


def _prose(text: str) -> str:
    parts, at = [], 0
    for start, end in _code_spans(text):
        if "\n\n" in text[start:end]:
            continue
        parts += [_plain(text[at:start]), text[start:end]]
        at = end
    return "".join([*parts, _plain(text[at:])])


def _code_spans(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of as many backticks as stand at their end. Where a row of them has no such end, its last ones may have one.

    The ends are looked for once: one pattern for a whole span reads on to the text's end from each row that is never closed.
    """
    rows = [row.span() for row in _TICKS.finditer(text)]
    starts: dict[int, list[int]] = defaultdict(list)
    for start, end in rows:
        starts[end - start].append(start)
    lengths = sorted(starts)
    at = 0
    for start, end in rows:
        if start < at:
            continue
        for number in reversed(lengths[: bisect_right(lengths, end - start)]):
            if (closing := _next(starts[number], end)) is not None:
                at = closing + number
                yield end - number, at
                break


def _next(places: list[int], at: int) -> int | None:
    found = bisect_left(places, at)
    return places[found] if found < len(places) else None


def _elements(text: str, kind: tuple[re.Pattern[str], re.Pattern[str]]) -> Iterator[Piece]:
    """Each element from its opening to the next closing of its name; see `_code_spans` for why in two steps."""
    opening, closing = kind
    starts: dict[str, list[int]] = defaultdict(list)
    ends: dict[int, int] = {}
    for found in closing.finditer(text):
        starts[(found["name"] or "").lower()].append(found.start())
        ends[found.start()] = found.end()
    at = 0
    for found in opening.finditer(text):
        close = _next(starts[(found["name"] or "").lower()], found.end()) if found.start() >= at else None
        if close is not None:
            at = ends[close]
            yield found.start(), at, text[found.start() : at]


def _replaced(text: str, found: Iterator[Piece], by: Callable[[str], str]) -> str:
    parts, at = [], 0
    for start, end, said in found:
        parts += [text[at:start], by(said)]
        at = end
    return "".join([*parts, text[at:]]) if parts else text


def _plain(text: str) -> str:
    if "<" in text:
        text = _replaced(text, _elements(text, _SILENT), lambda _: "")
        text = _replaced(text, _elements(text, _TABLE), _table)
        text = _IMAGE.sub(_image, text)
        text = _BREAK.sub("\n", text)
        text = _BLOCK.sub("", text)
        text = _INLINE_TAG.sub("", text)
    return _ENTITY.sub(lambda found: clean(html.unescape(found.group())).replace("\u00a0", " "), text)


def _table(element: str) -> str:
    return f"\n\n{write_html(element.encode('utf-8-sig')).written.text}\n\n"


def _image(found: re.Match[str]) -> str:
    alt = _ALT.search(found.group())
    said = " ".join(alt["alt"].split()) if alt else ""
    return f"[image: {said}]" if said else ""


def title_of(metadata: Mapping[str, Any]) -> str:
    title = metadata.get("title")
    return str(title) if isinstance(title, (str, int, float)) and not isinstance(title, bool) else ""
