"""A figure or table at the top of a page or column parts a sentence in two: it goes behind the sentence.

Known by its caption: between two halves of a sentence stand a caption and nothing that is prose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from augment_correction.documents.pdf_layout import continues

_CAPTION = re.compile(
    r"(?:Fig(?:ure|ura|\.)?|FIG(?:URE|\.)?|Tab(?:le|elle|la|leau|\.)|TABLE|Abb(?:ildung|\.)|Cuadro|図|表)\s*[\dIVX]"
)
_PROSE = 60  # characters; labels inside a figure are shorter
_FEWEST_WORDS = 8
_MOST_BLOCKS = 80  # of figures one after the other, each label a block


def settle_floats(pages: list[str]) -> None:
    """Moves the second halves of sentences before the figures that stand between, in place and within their page."""
    before = ""
    for number, text in enumerate(pages):
        if text:
            blocks = _settled(text.split("\n\n"), before)
            pages[number] = "\n\n".join(blocks)
            before = blocks[-1]


def _settled(blocks: Sequence[str], before: str) -> list[str]:
    done: list[str] = []
    at = 0
    while at < len(blocks):
        second = _second_half(blocks, at, before)
        if second:
            if done:
                done[-1] += "\n" + blocks[second]
            else:
                done.append(blocks[second])
            done += blocks[at:second]
            at, before = second + 1, ""
        else:
            done.append(blocks[at])
            before = blocks[at]
            at += 1
    return done


def _second_half(blocks: Sequence[str], at: int, before: str) -> int | None:
    """Which block goes on with the sentence that `before` begins, if figures stand between."""
    if not _is_prose(before) or _CAPTION.match(before):
        return None
    if at and _CAPTION.match(blocks[at]):  # `before` is what it stands under
        return None
    captioned = False
    for here in range(at, min(len(blocks), at + _MOST_BLOCKS)):
        block = blocks[here]
        if _CAPTION.match(block):
            captioned = True
        elif _is_prose(block):
            whole = captioned and continues(before, block) and block[-1] in ".!?:"
            return here if whole else None
    return None


def _is_prose(block: str) -> bool:
    return len(block) >= _PROSE and block[0] != "|" and len(block.split()) >= _FEWEST_WORDS
