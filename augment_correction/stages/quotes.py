"""Where a quote really stands. A model that is asked for evidence copies it with other quotation marks, dashes, spaces
or capitals; anything beyond that is not a quote."""

from __future__ import annotations

import unicodedata

_SAME = str.maketrans({
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "\u00a0": " ", "\u202f": " ",
})  # fmt: skip
_DROPPED = frozenset("*_`\u00ad\u200b")
"""Emphasis marks and invisible characters."""
_AROUND = " \t\n\"'.…,;:"
"""What a model adds around a quote, or leaves out."""


def find_quote(quote: str, text: str) -> tuple[int, int] | None:
    """(start, end) of the quote in `text`, in characters; None where it does not stand there."""
    wanted = _folded(quote)[0].strip(_AROUND)
    if not wanted:
        return None
    start = text.find(quote)
    if start >= 0:
        return start, start + len(quote)
    folded, places = _folded(text)
    start = folded.find(wanted)
    return (places[start], places[start + len(wanted) - 1] + 1) if start >= 0 else None


def _folded(text: str) -> tuple[str, list[int]]:
    """The text without what does not matter, and for each of its characters the place in the text."""
    characters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for folded in unicodedata.normalize("NFKC", character.translate(_SAME)).casefold():
            space = folded.isspace()
            if character in _DROPPED or (space and characters[-1:] == [" "]):
                continue
            characters.append(" " if space else folded)
            places.append(place)
    return "".join(characters), places
