"""The beginning of a text, for a person to see what it is."""

from __future__ import annotations


def excerpt(text: str, most: int) -> str:
    """Its first `most` characters; what is cut ends with ` [...]`, which does not count."""
    return text if len(text) <= most else f"{text[:most].rstrip()} [...]"


def counted(number: int, noun: str) -> str:
    """`1 round`, `2 rounds`, `1,024 rounds`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def line_of(text: str, most: int) -> str:
    """The same in one line."""
    return excerpt(" ".join(text.split()), most)
