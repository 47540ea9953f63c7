"""Markdown as people keep it: front matter is metadata, pictures are placeholders, raw HTML is read as text."""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from augment_correction.documents.html import write_html
from augment_correction.text import clean

_FRONT = re.compile(
    r"\A\s*(?P<mark>---|\+\+\+)[ \t]*\n(?P<inside>.{0,65536}?)\n(?:(?P=mark)|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL
)
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
        if not any(isinstance(token, yaml.AliasToken) for token in yaml.scan(inside)):  # they may grow without bound
            loaded = yaml.safe_load(inside)
            return {str(key): value for key, value in loaded.items()} if isinstance(loaded, dict) else {}
    except (yaml.YAMLError, ValueError):
        pass
    lines = [line for line in inside.split("\n") if line.strip() and line[0] not in " \t#-"]
    pairs = [_KEY.match(line) for line in lines]
    if not pairs or not all(pairs):
        return {}
    return {pair["key"]: (pair["value"] or "").strip() for pair in pairs if pair}


# ------------------------------------------------------------------------------------------------------ pictures

# White space is of the picture where more of it follows, and is never tried twice: a line of a thousand spaces behind an opening took seconds.
_DATA = r"data:[\w.+-]*/?[\w.+-]*(?:;[\w.=+-]+)*;base64,\s*+[A-Za-z0-9+/=%]*+(?:\s++[A-Za-z0-9+/=%]++)*?"
_INLINE = re.compile(rf"!\[(?P<alt>[^\]\n]{{0,500}})\]\(\s*<?{_DATA}>?(?:\s++(?:\"[^\"\n]*\"|'[^'\n]*'))?\s*+\)")
_DEFINITION = re.compile(
    rf"^ {{0,3}}\[(?P<name>[^\]\n]+)\]:\s*<?{_DATA}>?[ \t]*+(?:\"[^\"\n]*\"|'[^'\n]*')?[ \t]*+$\n?", re.MULTILINE
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
        wanted = "|".join(re.escape(name) for name in sorted(names))
        named = re.compile(
            rf"!\[(?P<alt>[^\]\n]{{0,500}})\]\[(?:{wanted})\]|!\[(?P<short>{wanted})\](?:\[\])?", re.IGNORECASE
        )
        text = named.sub(lambda found: placeholder(found["alt"] or ""), text)
    text = _INLINE.sub(lambda found: placeholder(found["alt"]), text)
    text = _TAG.sub(lambda found: placeholder(alt["alt"] if (alt := _ALT.search(found.group())) else ""), text)
    return _LOOSE.sub(lambda _: placeholder(""), text), count


# ------------------------------------------------------------------------------------------------------ raw HTML

_WHOLE = re.compile(
    r"<!--.*?-->|<(?P<silent>script|style|svg|iframe)\b[^<>]*>.*?</(?P=silent)\s*>", re.IGNORECASE | re.DOTALL
)
_TABLE = re.compile(r"<table\b[^<>]*>.*?</table\s*>", re.IGNORECASE | re.DOTALL)
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
_CODE_SPAN = re.compile(r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)", re.DOTALL)


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
    for span in _CODE_SPAN.finditer(text):
        if "\n\n" in span.group():
            continue
        parts += [_plain(text[at : span.start()]), span.group()]
        at = span.end()
    return "".join([*parts, _plain(text[at:])])


def _plain(text: str) -> str:
    if "<" in text:
        text = _WHOLE.sub("", text)
        text = _TABLE.sub(lambda found: f"\n\n{write_html(found.group().encode('utf-8-sig')).written.text}\n\n", text)
        text = _IMAGE.sub(_image, text)
        text = _BREAK.sub("\n", text)
        text = _BLOCK.sub("", text)
        text = _INLINE_TAG.sub("", text)
    return _ENTITY.sub(lambda found: clean(html.unescape(found.group())).replace("\u00a0", " "), text)


def _image(found: re.Match[str]) -> str:
    alt = _ALT.search(found.group())
    said = " ".join(alt["alt"].split()) if alt else ""
    return f"[image: {said}]" if said else ""


def title_of(metadata: Mapping[str, Any]) -> str:
    title = metadata.get("title")
    return str(title) if isinstance(title, (str, int, float)) and not isinstance(title, bool) else ""
