"""Finds headings in plain text, whose format does not mark them.

A heading is a short line apart from the text that looks like a title and has a section under it. Lines that look like titles and have
a line or two under each of many are labels and no headings: speakers of a play, items of a list, entries of an index, running heads.
No library that is kept up does this: docutils and parsers of Markdown know underlined titles only, and `unstructured` fetches an English
spaCy model to look at each short line by itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from augment_correction.documents.title_lines import (
    BY_LOOKS,
    COUNTING,
    ROMAN,
    RULE,
    Block,
    TitleCandidate,
    blocks_of,
    candidate_at,
)
from augment_correction.records import Heading

_LIST = 4
"""So many lines in a row that have nothing under them are a list and no headings."""
_NOTHING = 20
"""Characters under a title that are no section yet, but a date or a dedication."""
_SECTION, _SPEECH = 150, 1000
"""Characters. Where the sections under titles of one kind are usually shorter than the first figure, the titles are labels; those under a
title that comes again and again have to be longer than the second."""
_AGAIN = 3
"""A title that comes so often comes again and again."""


def plain_headings(text: str) -> list[Heading]:
    """The headings in the order of the text. Their levels count from 1 on without gaps."""
    blocks = blocks_of(text)
    found: list[TitleCandidate] = []
    for number in range(len(blocks)):
        titled = (
            bool(found)
            and found[-1].bare
            and found[-1].block == number - 1
            and found[-1].lines == len(blocks[number - 1].lines)
        )
        if candidate := candidate_at(blocks, number, titled=titled):
            found.append(candidate)
    found = _in_sequence(found)
    for chosen in (_no_list, _with_sections, _no_list):
        found = chosen(_measured(found, blocks))
    ranks = _ranks(found)
    levels = {rank: level for level, rank in enumerate(sorted(set(ranks)), 1)}
    return [Heading(each.start, levels[rank], each.title) for each, rank in zip(found, ranks, strict=True)]


def _in_sequence(found: Iterable[TitleCandidate]) -> list[TitleCandidate]:
    """Leaves out what has a number that no other leads up to: a house number, a date, one item of a list."""
    kept: list[TitleCandidate] = []
    seen: dict[str, set[int]] = defaultdict(set)
    for each in found:
        if each.number:
            above, _, last = each.number.rpartition(".")
            kind = f"{above} {last.isdecimal()}"
            values = _values(last)
            following = {each for each in values if each <= 1 or not seen[kind].isdisjoint(range(each - 3, each))}
            seen[kind] |= following or values
            if not (following or above):
                continue
        if each.title:
            kept.append(each)
    return kept


def _values(number: str) -> set[int]:
    """The numbers that it may stand for: "C" is the third letter, or a hundred."""
    if number.isdecimal():
        return {int(number)}
    found = {ord(number) - ord("A") + 1} if len(number) == 1 else set()
    if re.fullmatch(ROMAN, number):
        signs = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}[sign] for sign in number]
        found.add(sum(-one if one < max(signs[at:]) else one for at, one in enumerate(signs)))
    return found


def _measured(found: list[TitleCandidate], blocks: Sequence[Block]) -> list[TitleCandidate]:
    for number, each in enumerate(found):
        end = found[number + 1].block if number + 1 < len(found) else len(blocks)
        under = blocks[each.block].lines[each.lines :]
        under = under + [line for block in blocks[each.block + 1 : end] for line in block.lines]
        each.body = sum(len(line) for _, line in under if not RULE.fullmatch(line))
    return found


def _no_list(found: list[TitleCandidate]) -> list[TitleCandidate]:
    """Leaves out rows of lines with nothing between them: a list, a title page, a table of contents. Of such a row, the last line and a
    number right above it are kept, as the heading of the text that follows."""
    kept: list[TitleCandidate] = []
    row: list[TitleCandidate] = []
    for each in found:
        row.append(each)
        if each.body > _NOTHING:
            kept += row if len(row) < _LIST and not _are_items(row) else _head_of_row(row)
            row = []
    return kept


def _are_items(row: Sequence[TitleCandidate]) -> bool:
    return len(row) > 2 and len({each.rank for each in row}) == 1


def _head_of_row(row: Sequence[TitleCandidate]) -> list[TitleCandidate]:
    if row[-2].rank == row[-1].rank and row[-1].number:
        return []
    return list(row[-2:]) if row[-2].bare else list(row[-1:])


def _with_sections(found: list[TitleCandidate]) -> list[TitleCandidate]:
    """Leaves out labels: titles that come again and again over a few lines each, and those that stand close to others of their kind."""
    again: dict[str, list[int]] = defaultdict(list)
    like: dict[int, list[int]] = defaultdict(list)
    for each in found:
        again[_key(each)].append(each.body)
        like[each.rank].append(each.body)
    usual = {key: median(bodies) for key, bodies in again.items() if len(bodies) >= _AGAIN}
    kept = []
    place: dict[int, int] = defaultdict(int)
    for number, each in enumerate(found):
        at = place[each.rank]
        place[each.rank] += 1
        if each.rank in BY_LOOKS and not _is_titled(found, number):
            near = like[each.rank][max(0, at - 3) : at + 4]
            if usual.get(_key(each), _SPEECH) < _SPEECH:
                continue
            if len(near) > _AGAIN and median(near) < _SECTION:
                continue
        kept.append(each)
    return kept


def _key(candidate: TitleCandidate) -> str:
    """What titles have in common that differ in a number only, such as "First voice" and "Second voice"."""
    return COUNTING.sub("", candidate.title.casefold()).strip()


def _is_titled(found: Sequence[TitleCandidate], number: int) -> bool:
    """Whether it is the title of the bare number right above it."""
    return (
        number > 0 and found[number - 1].bare and found[number - 1].body <= _NOTHING and found[number].rank in BY_LOOKS
    )


def _ranks(found: Sequence[TitleCandidate]) -> list[float]:
    """The ranks of all. A title under a bare number ("CHAPTER IV") ranks right below the number, whatever it looks like."""
    ranks: list[float] = []
    for number, each in enumerate(found):
        ranks.append(ranks[-1] + 0.5 if _is_titled(found, number) else each.rank)
    return ranks
