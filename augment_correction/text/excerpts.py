"""The beginning of a text, for a person to see what it is."""

from __future__ import annotations


def excerpt(text: str, most: int) -> str:
    """Its first `most` characters; what is cut ends with ` [...]`, which does not count."""
    return text if len(text) <= most else f"{text[:most].rstrip()} [...]"


def line_of(text: str, most: int) -> str:
    """The same in one line."""
    return excerpt(" ".join(text.split()), most)
