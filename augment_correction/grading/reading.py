"""Words of a text, with scripts that put no spaces between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from augment_correction.grading.text import words
from augment_correction.text.scripts import HANGUL, UNSPACED

Pieces = tuple[int, set[str]]
"""A length, and the strings of that length."""
RUN = re.compile(rf"[{UNSPACED}{HANGUL}]+")
"""Signs of such scripts, one after the other."""
_ELISION = re.compile(r"\b(?:l|d|c|qu|s|j|m|un|dell|nell|dall|all|sull)['’](?=\w{2})", re.IGNORECASE)
_SUFFIX = re.compile(r"(?<=\w)['’](?=(?:d[ıiuü]r|t[ıiuü]r)\b)", re.IGNORECASE)


def read(text: str, known: Sequence[Pieces] = ()) -> tuple[str, ...]:
    """Words in order as `text.words` has them; elided articles dropped ("l'Italie"), and scripts without spaces cut at the
    longest strings that are known, or else into their signs."""
    text = _SUFFIX.sub(" ", _ELISION.sub("", text))
    found: list[str] = []
    end = 0
    for run in RUN.finditer(text):
        found += [*words(text[end : run.start()]), *_cut(run.group(), known)]
        end = run.end()
    return tuple("and" if word == "&" else word for word in (*found, *words(text[end:])))


def _cut(run: str, known: Sequence[Pieces]) -> Iterator[str]:
    at = 0
    while at < len(run):
        here = next((piece for length, them in known if (piece := run[at : at + length]) in them), run[at])
        yield here
        at += len(here)


def runs(text: str) -> list[str]:
    return RUN.findall(text)


def longest_first(them: Iterable[str]) -> tuple[Pieces, ...]:
    by_length: dict[int, set[str]] = {}
    for each in them:
        by_length.setdefault(len(each), set()).add(each)
    return tuple(sorted(by_length.items(), reverse=True))
