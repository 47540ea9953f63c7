"""Blocks of code in Markdown: where they stand, and a text without them.

A document is read as CommonMark has it (at most three spaces of indentation, a fence is closed by its like). A model's answer is
read more freely: it indents fences in lists and forgets to close them.
"""

from __future__ import annotations

import re

_COMMONMARK = re.compile(r"^ {0,3}(?P<mark>`{3,}|~{3,})(?P<info>[^\n]*)$", re.MULTILINE)
FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
"""A line that opens or closes a block of code in an answer."""
FENCED_JSON = re.compile(r"```(?:json)?+[ \t]*+\n?+(.*?)```", re.DOTALL | re.IGNORECASE)
"""What stands in a block that is named `json`, or not named."""
# An indented block is not among them: in a list it is mostly prose.
_CODE = re.compile(
    r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[ \t]*$|\Z)|(?<!`)(`{1,2})(?!`)[^\n]+?\2(?!`)", re.MULTILINE | re.DOTALL
)


def without_code(text: str, instead: str = "`") -> str:
    """The prose alone: what stands in a fence or in backticks is content, whatever it looks like."""
    return _CODE.sub(instead, text) if "`" in text or "~~~" in text else text


def fences(text: str) -> list[tuple[int, int]]:
    """(start, end) of every closed code fence, both fence lines included.

    An unclosed fence is none: in a text that is not Markdown, it would swallow the rest of the document.
    """
    if "```" not in text and "~~~" not in text:
        return []
    found: list[tuple[int, int]] = []
    opened: re.Match[str] | None = None
    for match in _COMMONMARK.finditer(text):
        mark, info = match["mark"], match["info"]
        if opened is None:
            if not (mark[0] == "`" and "`" in info):
                opened = match
        elif mark[0] == opened["mark"][0] and len(mark) >= len(opened["mark"]) and not info.strip():
            found.append((opened.start(), match.end()))
            opened = None
    return found
