"""What is proven of each row: that Axolotl's `type: input_output`, which tokenises segment by segment, trains exactly
the tokens that the conversation's mask says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.masking import token_mask, touching
from augment_correction.export.segments import Segment, Zone, scaffold
from augment_correction.export.tokenizer import Encoded, Tokenizer
from augment_correction.records import Conversation

Proof = Literal["text", "seam", "mask", "bos", "turn_end", "special"]

REMEDIES: dict[Proof, str] = {
    "text": "the file was changed after the run; run the same config to write it again, finished calls are not repeated",
    "seam": "use the format that is tokenized as a whole: export OUTPUT_DIR --format axolotl_chat",
    "mask": "run the same config to write the file again; if the message comes back, please report the bug",
    "bos": "name the base model as system.tokenizer, or set system.bos_token; the template must write {{ bos_token }}",
    "turn_end": "use a template that ends each assistant message with an end-of-turn token",
    "special": "write the token apart in the document (< |im_end|>) and run again: only its passages are asked again",
}


@dataclass(frozen=True, slots=True)
class MaskProblem:
    """`row` counts from 1; `start` is a character of the row's text, `excerpt` what stands around it."""

    proof: Proof
    row: int
    id: str
    start: int
    excerpt: str
    detail: str


@dataclass(frozen=True, slots=True)
class ProofRow:
    """One row with everything the proofs look at. `pieces` are the tokens of each segment by itself."""

    number: int
    conversation: Conversation
    text: str
    places: list[Zone]
    segments: list[Segment]
    whole: Encoded
    pieces: list[list[int]]
    spans: tuple[tuple[int, int, int], ...]
    template: ChatTemplate

    @property
    def joined(self) -> list[int]:
        return list(chain.from_iterable(self.pieces))


def prove(row: ProofRow, tokenizer: Tokenizer) -> Iterator[MaskProblem]:
    """At most one problem of each proof."""
    if "".join(segment.text for segment in row.segments) != row.text:
        yield _problem(row, "text", 0, "the segments joined are not the conversation as the template writes it")
        return
    seam = _seam(row, tokenizer)
    found = (seam, _mask(row, tokenizer, seam is None), _bos(row, tokenizer))
    yield from filter(None, (*found, _turn_end(row), _special(row, tokenizer)))


def _problem(row: ProofRow, proof: Proof, start: int, detail: str) -> MaskProblem:
    excerpt = row.text[max(0, start - 30) : start + 30]
    return MaskProblem(proof, row.number, row.conversation.id, start, excerpt, detail)


def _seam(row: ProofRow, tokenizer: Tokenizer) -> MaskProblem | None:
    """Tokenised one by one is tokenised as a whole."""
    joined = row.joined
    if joined == row.whole.ids:
        return None
    pairs = enumerate(zip(joined, row.whole.ids, strict=False))
    index = next((index for index, (a, b) in pairs if a != b), min(len(joined), len(row.whole.ids)) - 1)
    apart = " ".join(repr(tokenizer.piece(token)) for token in joined[max(0, index - 1) : index + 2])
    whole = " ".join(repr(tokenizer.piece(token)) for token in row.whole.ids[max(0, index - 1) : index + 2])
    return _problem(row, "seam", row.whole.starts[index], f"the segments give {apart}, the whole gives {whole}")


def _mask(row: ProofRow, tokenizer: Tokenizer, seamless: bool) -> MaskProblem | None:
    """Exactly the intended tokens are trained. Where the seams are wrong the tokens of the segments are not those of
    the whole, and characters are compared instead."""
    if not seamless:
        return _mask_by_characters(row)
    intended, actual = _intended(row), _actual(row)
    if actual == intended:
        return None
    for zone in row.places:
        part = touching(zone, row.whole)
        if zone.kind != "scaffold" and actual[part] != intended[part]:
            index = next(i for i in range(part.start, part.stop) if actual[i] != intended[i])
            return _wrong(row, tokenizer, index, bool(actual[index]))
    for index, (is_, should) in enumerate(zip(actual, intended, strict=True)):
        if is_ > should and not row.text[row.whole.starts[index] : row.whole.ends[index]].isspace():
            return _wrong(row, tokenizer, index, True)
    return None


def _intended(row: ProofRow) -> bytearray:
    return token_mask(row.places, row.whole, row.conversation.train_scaffold)


def _actual(row: ProofRow) -> bytearray:
    parts = zip(row.pieces, row.segments, strict=True)
    return bytearray(b"".join(bytes([segment.label]) * len(ids) for ids, segment in parts))


def widened(row: ProofRow) -> int:
    """Tokens of the template's text that are masked for the sake of a seamless cut."""
    intended, actual = _intended(row), _actual(row)
    if actual == intended or len(actual) != len(intended):
        return 0
    return sum(should > is_ for is_, should in zip(actual, intended, strict=True))


def _mask_by_characters(row: ProofRow) -> MaskProblem | None:
    position = 0
    for segment in row.segments:
        end = position + len(segment.text)
        for zone in row.places:
            start, stop = max(position, zone.start), min(end, zone.end)
            if zone.kind != "scaffold" and zone.label != segment.label and row.text[start:stop].strip():
                how = "trained but must be masked" if segment.label else "masked but must be trained"
                return _problem(row, "mask", start, f"{row.text[start:stop][:20]!r} is {how}")
        position = end
    return None


def _wrong(row: ProofRow, tokenizer: Tokenizer, index: int, trained: bool) -> MaskProblem:
    token = repr(tokenizer.piece(row.whole.ids[index]))
    how = "is trained but must be masked" if trained else "is masked but must be trained"
    return _problem(row, "mask", row.whole.starts[index], f"token {index} {token} {how}")


def _bos(row: ProofRow, tokenizer: Tokenizer) -> MaskProblem | None:
    """Once at the beginning iff the model's own rows begin with it. A template may begin with the same string as part
    of its first header (SmolLM2's BOS is `<|im_start|>`): what it writes when it is given no BOS does not count."""
    bos = tokenizer.bos_token
    if not bos:
        return None
    roles = tuple(turn.role for turn in row.conversation.turns)
    bare = scaffold(replace(row.template, bos_token=""), roles)[0]
    count = _leading(row.text, bos) - _leading(bare, bos)
    if count == tokenizer.writes_bos:
        return None
    should = "once" if tokenizer.writes_bos else "not at all"
    return _problem(row, "bos", 0, f"the row begins with {bos} {count} times; this model expects it {should}")


def _leading(text: str, part: str) -> int:
    count = 0
    while text.startswith(part, count * len(part)):
        count += 1
    return count


def _turn_end(row: ProofRow) -> MaskProblem | None:
    """A trained answer ends with the end-of-turn; that its tokens are trained is part of the mask's proof."""
    turns = zip(row.conversation.turns, row.spans, strict=True)
    for index, (turn, (_, text_end, end)) in enumerate(turns):
        if turn.role == "assistant" and turn.train and not row.text[text_end:end].strip():
            return _problem(
                row,
                "turn_end",
                text_end,
                f"message {index + 1} has no end-of-turn token, so that the model would not learn to stop",
            )
    return None


def _special(row: ProofRow, tokenizer: Tokenizer) -> MaskProblem | None:
    for zone in row.places:
        part = touching(zone, row.whole)
        if zone.kind != "message" or tokenizer.special.isdisjoint(row.whole.ids[part]):
            continue
        for index in range(part.start, min(part.stop, len(row.whole.ids))):
            token, start = row.whole.ids[index], row.whole.starts[index]
            if token in tokenizer.special and start >= zone.start:
                what = tokenizer.piece(token)
                return _problem(row, "special", start, f"the message's own text becomes the control token {what}")
    return None


# ------------------------------------------------------------------------------------------------- to look at it


def token_view(row: ProofRow, tokenizer: Tokenizer) -> Iterator[tuple[str, bool]]:
    """The row's tokens as a trainer gets them, each with whether it is trained."""
    for segment in row.segments:
        for text in _texts(segment.text, tokenizer):
            yield text, segment.label


def _texts(text: str, tokenizer: Tokenizer) -> Iterator[str]:
    """A character that takes several tokens stands in the first one; a dot is for each of the others. What is of no token
    stands in the one before it."""
    encoded, position = tokenizer.encode([text])[0], 0
    for end, following in zip(encoded.ends, [*encoded.starts[1:], len(text)], strict=True):
        yield text[position : max(end, following)] or "·"
        position = max(end, following)
