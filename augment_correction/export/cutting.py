"""Cuts for a known tokenizer: where segments tokenised one by one are the tokens of the whole.

A cut in a wrong place trains on a seam that inference never shows: `'.\\n'` + `'\\n'` where the model knows `'.\\n\\n'`
as one token. Such a cut moves into the template's own text beside it, widening the masked part: less of a role header
is learned, never part of a mistake, never less of a correction. Inside a message it moves only behind the token that
holds characters of the mistake and of the correction, and is masked (`masking`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.segments import Segment, Zone, before_space, changes, cut_at, render, zones
from augment_correction.export.tokenizer import Encoded, Tokenizer
from augment_correction.records import Conversation


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    places: list[Zone]
    cuts: list[int]

    def segments(self) -> list[Segment]:
        return cut_at(self.text, self.cuts, self.places[0].label if self.places else False)


def fitted_segments(
    conversations: Sequence[Conversation], template: ChatTemplate, tokenizer: Tokenizer
) -> list[list[Segment]]:
    """The segments of each conversation. Where no seamless cut exists the usual one stays; `verify` names the row."""
    rows = []
    for conversation in conversations:
        rendering = render(conversation, template)
        places = zones(conversation, rendering)
        cuts = [before_space(rendering.text, cut, places) for cut in changes(places)]
        rows.append(_Row(rendering.text, places, cuts))
    made = [row.segments() for row in rows]
    wholes = tokenizer.ids([row.text for row in rows])
    pieces = iter(tokenizer.ids([segment.text for segments in made for segment in segments]))
    for index, (row, whole) in enumerate(zip(rows, wholes, strict=True)):
        joined = list(chain.from_iterable(next(pieces) for _ in made[index]))
        if joined != whole:
            made[index] = _moved(row, tokenizer).segments()
    return made


def _moved(row: _Row, tokenizer: Tokenizer) -> _Row:
    """The row with each cut at the nearest seamless place; a cut that has none stays where it was."""
    whole = tokenizer.encode([row.text])[0]
    boundaries = {0: 0, len(row.text): len(whole.ids)}
    for index, ((_, before), (after, _)) in enumerate(pairwise(zip(whole.starts, whole.ends, strict=True)), 1):
        if before <= after:  # apart where a normalizer left something out between them
            boundaries[before] = boundaries[after] = index
    cuts: list[int] = []
    for usual, change in zip(row.cuts, changes(row.places), strict=True):
        last = cuts[-1] if cuts else 0
        behind = min(cut for cut in boundaries if cut >= change)
        candidates = [cut for cut in _candidates(row, usual, change, behind) if cut in boundaries and cut >= last]
        found = _first_seamless(row.text, last, candidates, boundaries, whole, tokenizer)
        cuts.append(max(usual, last) if found is None else found)
    return _Row(row.text, row.places, cuts)


def _candidates(row: _Row, usual: int, change: int, behind: int) -> list[int]:
    """The usual cut, the place where the mask changes, then outward through the scaffold on the trained side; inside a
    message `behind`, the end of the token that the change falls into."""
    left = next(zone for zone in row.places if zone.end == change)
    right = next(zone for zone in row.places if zone.start == change)
    places = [usual, change]
    if left.label and left.kind == "scaffold":
        places += range(change - 1, left.start - 1, -1)
    if right.label and right.kind == "scaffold":
        places += range(change + 1, right.end + 1)
    if right.label and left.kind == right.kind == "message":
        places.append(behind)
    return list(dict.fromkeys(places))


def _first_seamless(
    text: str, start: int, cuts: Sequence[int], boundaries: dict[int, int], whole: Encoded, tokenizer: Tokenizer
) -> int | None:
    """The first of `cuts` on both sides of which the text tokenises as it does in the whole."""
    if start not in boundaries:
        return None
    halves = iter(tokenizer.ids([half for cut in cuts for half in (text[start:cut], text[cut:])]))
    for cut in cuts:
        left, right = next(halves), next(halves)
        if left == whole.ids[boundaries[start] : boundaries[cut]] and right == whole.ids[boundaries[cut] :]:
            return cut
    return None
