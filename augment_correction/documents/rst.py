"""Reader of reStructuredText: docutils makes a page of it, and the page is read as every other one.

Nothing is included from other files and no raw HTML passes. Directives and roles of Sphinx, which docutils does not know,
become what is inside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from textwrap import dedent
from typing import Any

from augment_correction.documents.contract import ReadLimits, build_document
from augment_correction.documents.html import write_html
from augment_correction.documents.text import decode, decoding_notes
from augment_correction.records import Document, ReadNote

_ERROR = 3  # docutils leaves a message where it could not read something from this level on
_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": _ERROR,
    "halt_level": 5,
    "warning_stream": False,
    "_disable_config": True,
    "syntax_highlight": "none",
    "embed_stylesheet": False,
    "stylesheet_path": None,
    "input_encoding": "unicode",
    "output_encoding": "unicode",
    "line_length_limit": 1 << 20,
}
_DIRECTIVE = re.compile(r"\.\. (?P<name>[\w:+.-]+)::[ \t]*(?P<argument>[^\n]*)(?:\n(?P<rest>.*))?", re.DOTALL)
_LONG_WORD = re.compile(r"(?<!\S)[^\s`*|_<>\\]{500,}(?<!:)")
_BORDER = re.compile(r"\+(?:(?:-++|=++)\+)++|(.)\1*+")
_STANDS_FOR = re.compile("\ue000[0-9]+\ue001")
_OPTIONS = re.compile(r"(?:\s*\n)*(?:[ \t]+:[\w -]+:[^\n]*(?:\n|$))*")
_ROLE = re.compile(r":[A-Za-z][\w:+.-]*:`[~!]?(?P<text>[^`]*+)`")
_TARGET = re.compile(r"<[^<>]*>\Z")
_CODE = {"code-block", "sourcecode", "code", "parsed-literal", "ipython", "doctest", "testcode", "prompt"}
_WITHOUT_TEXT = {"toctree", "index", "currentmodule", "module", "tabularcolumns", "highlight", "raw", "include"}
_OF_FILES = {"figure", "image", "literalinclude", "download", "video"}
_VERSIONS = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "versionremoved": "Removed in version",
    "deprecated": "Deprecated since version",
}
_DEEPEST = 8


def read_rst(path: Path, source: str, limits: ReadLimits) -> Iterator[Document | ReadNote]:
    from docutils.core import publish_from_doctree

    decoded = decode(path.read_bytes())
    text, words = _with_short_words(decoded.text)
    page = publish_from_doctree(_tree(text), writer="html5", settings_overrides=_SETTINGS)
    page = _STANDS_FOR.sub(lambda found: escape(words.get(found[0], found[0])), page)
    written = write_html(page.encode("utf-8-sig")).written
    headings = written.headings
    yield from decoding_notes(decoded, source)
    yield build_document(
        written.text,
        source=source,
        media_type="text/x-rst",
        title=headings[0].title if headings else "",
        metadata={"encoding": decoded.encoding},
        headings=headings,
    )


def _with_short_words(text: str) -> tuple[str, dict[str, str]]:
    """The text with a sign in place of each word that is longer than any, and what the signs stand for. docutils looks from each sign of a word for the end of a name and of
    an address: one of 20,000 letters and hyphens took a quarter of a minute. What a table is drawn with stays."""
    words: dict[str, str] = {}

    def short(found: re.Match[str]) -> str:
        if _BORDER.fullmatch(found.group()):
            return found.group()
        sign = f"\ue000{len(words)}\ue001"
        words[sign] = found.group()
        return sign

    return (text, words) if "\ue000" in text else (_LONG_WORD.sub(short, text), words)


def _tree(text: str, depth: int = 1) -> Any:
    """The document in docutils' own nodes, without a message and with LaTeX as its author wrote it."""
    from docutils import nodes
    from docutils.core import publish_doctree

    tree = publish_doctree(text, settings_overrides=_SETTINGS)
    for message in list(tree.findall(nodes.system_message)):
        if message.parent is not None:
            message.parent.replace(message, _recovered(message, depth) if message["level"] >= _ERROR else [])
    for problem in list(tree.findall(nodes.problematic)):
        problem.parent.replace(problem, nodes.Text(_ROLE.sub(_said, problem.astext())))
    for equation in list(tree.findall(nodes.math)):
        equation.parent.replace(equation, nodes.Text(f"${equation.astext()}$"))
    for equation in list(tree.findall(nodes.math_block)):
        equation.parent.replace(equation, nodes.paragraph("", f"$${equation.astext()}$$"))
    tree.parse_messages, tree.transform_messages = [], []  # they would become a section of their own
    return tree


def _said(role: re.Match[str]) -> str:
    """Its words, without the target that may stand behind them."""
    return _TARGET.sub("", role["text"]).rstrip()


def _recovered(message: Any, depth: int) -> list[Any]:
    """What stands in a directive that docutils does not know, or one of whose options it does not know."""
    from docutils import nodes

    block = next(message.findall(nodes.literal_block), None)
    found = _DIRECTIVE.match(block.astext()) if block is not None else None
    if found is None or depth > _DEEPEST:
        return [] if block is None else [nodes.literal_block("", block.astext())]
    name, argument = found["name"].lower().rpartition(":")[2], found["argument"].strip()
    content = found["rest"] or ""
    content = dedent(content[_match_end(content) :]).strip("\n")
    if name in _WITHOUT_TEXT or name.startswith("auto"):
        return []
    if name in _CODE:
        return [nodes.literal_block("", content, classes=["code", argument] if argument else [])] if content else []
    inner = list(_tree(content, depth + 1).children) if content.strip() else []
    if argument and name in _VERSIONS:
        inner.insert(0, nodes.paragraph("", f"{_VERSIONS[name]} {argument}"))
    elif argument and name not in _OF_FILES:
        inner.insert(0, nodes.paragraph("", argument))
    return inner


def _match_end(content: str) -> int:
    options = _OPTIONS.match(content)
    return options.end() if options else 0
