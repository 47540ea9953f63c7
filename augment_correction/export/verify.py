"""The dataset file proven to the token: what Axolotl's `type: input_output` will make of each row, against the mask
that its conversation decided. A row that fails is named with its place; a long row is counted and listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any, Literal, TypeVar

import orjson

from augment_correction.errors import InputError
from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.masking import token_mask, touching
from augment_correction.export.segments import Segment, Zone, render, scaffold, zones
from augment_correction.export.tokenizer import Encoded, Tokenizer
from augment_correction.records import Conversation

Proof = Literal["text", "seam", "mask", "bos", "turn_end", "special"]
LISTED = 20
"""Failing rows kept for each proof, and over-long rows: enough to see what is wrong; the counts are of all."""
BATCH = 512

REMEDIES: dict[Proof, str] = {
    "text": "the file was changed after the run; make it again: run the same config, nothing is asked twice",
    "seam": "train on the axolotl_chat spelling, which is tokenised as a whole: export OUTPUT_DIR --format axolotl_chat",
    "mask": "make the file again: run the same config, nothing is asked twice; if it stays, this is a bug: report it",
    "bos": "set system.tokenizer to the base model (its BOS is then used), or system.bos_token, and run again",
    "turn_end": "use a template that ends each assistant message with an end-of-turn token",
    "special": "write the token apart in the document (< |im_end|>) and run again: only its passages are asked again",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """`row` counts from 1; `start` is a character of the row's text, `excerpt` what stands around it."""

    proof: Proof
    row: int
    id: str
    start: int
    excerpt: str
    detail: str


@dataclass
class Verification:
    """What came out. `widened` are tokens of the template's text that were masked for the sake of a seamless cut."""

    tokenizer: str
    sequence_len: int
    rows: int = 0
    trained: int = 0
    masked: int = 0
    longest: int = 0
    widened: int = 0
    failing: Counter[Proof] = field(default_factory=Counter)
    """Rows by the proof that they fail."""
    problems: list[Problem] = field(default_factory=list)
    too_long: int = 0
    long_rows: list[tuple[int, str, int]] = field(default_factory=list)
    """(row, id, tokens)"""
    notices: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> bool:
        return bool(self.failing)

    def as_json(self) -> dict[str, Any]:
        """For `run.json`."""
        names = ("tokenizer", "rows", "trained", "masked", "longest", "sequence_len", "too_long")
        return {**{name: getattr(self, name) for name in names}, "failing": dict(self.failing)}

    def note(self, problem: Problem) -> None:
        if self.failing[problem.proof] < LISTED:
            self.problems.append(problem)
        self.failing[problem.proof] += 1


@dataclass(frozen=True, slots=True)
class Row:
    """One row with everything the proofs look at. `pieces` are the tokens of each segment by itself."""

    number: int
    conversation: Conversation
    text: str
    places: list[Zone]
    segments: list[Segment]
    whole: Encoded
    pieces: list[list[int]]


def verify_dataset(
    file: Path,
    conversations: Iterable[Conversation],
    template: ChatTemplate,
    tokenizer: Tokenizer,
    sequence_len: int,
) -> Verification:
    """Raises: InputError where the file is not one that a run wrote, or not of these conversations."""
    made = Verification(tokenizer.name, sequence_len)
    made.notices += _notices(template, tokenizer)
    for row in read_rows(file, conversations, template, tokenizer):
        _count(made, row)
        for problem in prove(row, template, tokenizer, made):
            made.note(problem)
    if not made.rows:
        raise InputError(f"{file} has no rows", hint="nothing was kept; see rejected.jsonl for the reasons")
    return made


def read_rows(
    file: Path, conversations: Iterable[Conversation], template: ChatTemplate, tokenizer: Tokenizer
) -> Iterator[Row]:
    """The rows of the file beside their conversations, tokenised in batches."""
    paired = zip_longest(_file_rows(file), conversations)
    number = 0
    while batch := list(islice(paired, BATCH)):
        stored, made = [], []
        for offset, (segments, conversation) in enumerate(batch, 1):
            if segments is None or conversation is None or segments[0] != conversation.id:
                raise InputError(
                    f"{file} (row {number + offset}) is not of the run in this folder: it was interrupted, or the file "
                    "is older or was changed",
                    hint="run the same config again: nothing is asked twice",
                )
            stored.append(segments[1])
            made.append(conversation)
        renderings = [render(conversation, template) for conversation in made]
        wholes = tokenizer.encode([rendering.text for rendering in renderings])
        pieces = iter(tokenizer.ids([segment.text for segments in stored for segment in segments]))
        for conversation, rendering, segments, whole in zip(made, renderings, stored, wholes, strict=True):
            number += 1
            own = [next(pieces) for _ in segments]
            places = zones(conversation, rendering)
            yield Row(number, conversation, rendering.text, places, segments, whole, own)


def _file_rows(file: Path) -> Iterator[tuple[str, list[Segment]]]:
    """One row a line, as the run writes them, so that a file of any size fits."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            bare = line.strip().removesuffix(b",")
            if bare in (b"[", b"]", b""):
                continue
            try:
                row = orjson.loads(bare)
                yield row["id"], [Segment(part["text"], part["label"]) for part in row["segments"]]
            except (ValueError, KeyError, TypeError):
                raise InputError(
                    f"{file}:{number}: not a row as the run writes it (one a line)",
                    hint="it was changed or is of an older version; run the same config again: nothing is asked twice",
                ) from None


def _count(made: Verification, row: Row) -> None:
    tokens = sum(map(len, row.pieces))
    made.rows += 1
    made.trained += sum(len(ids) for ids, segment in zip(row.pieces, row.segments, strict=True) if segment.label)
    made.longest = max(made.longest, tokens)
    made.masked = made.masked + tokens
    if tokens > made.sequence_len:
        made.too_long += 1
        if len(made.long_rows) < LISTED:
            made.long_rows.append((row.number, row.conversation.id, tokens))


# --------------------------------------------------------------------------------------------------- the proofs


def prove(row: Row, template: ChatTemplate, tokenizer: Tokenizer, made: Verification) -> Iterator[Problem]:
    """At most one problem of each proof."""
    if "".join(segment.text for segment in row.segments) != row.text:
        yield _problem(row, "text", 0, "the segments joined are not the conversation as the template writes it")
        return
    found = (_seam(row, tokenizer), _mask(row, tokenizer, made), _bos(row, template, tokenizer))
    yield from filter(None, (*found, _turn_end(row), _special(row, tokenizer)))


def _problem(row: Row, proof: Proof, start: int, detail: str) -> Problem:
    excerpt = row.text[max(0, start - 30) : start + 30]
    return Problem(proof, row.number, row.conversation.id, start, excerpt, detail)


def _seam(row: Row, tokenizer: Tokenizer) -> Problem | None:
    """Tokenised one by one is tokenised as a whole."""
    joined = list(chain.from_iterable(row.pieces))
    if joined == row.whole.ids:
        return None
    pairs = enumerate(zip(joined, row.whole.ids, strict=False))
    index = next((index for index, (a, b) in pairs if a != b), min(len(joined), len(row.whole.ids)) - 1)
    apart = " ".join(repr(tokenizer.piece(token)) for token in joined[max(0, index - 1) : index + 2])
    whole = " ".join(repr(tokenizer.piece(token)) for token in row.whole.ids[max(0, index - 1) : index + 2])
    return _problem(row, "seam", row.whole.starts[index], f"the segments give {apart}, the whole gives {whole}")


def _mask(row: Row, tokenizer: Tokenizer, made: Verification) -> Problem | None:
    """Exactly the intended tokens are trained. Where the seams are wrong the tokens of the segments are not those of
    the whole, and characters are compared instead."""
    intended = token_mask(row.places, row.whole, row.conversation.train_scaffold)
    if sum(map(len, row.pieces)) == len(row.whole.ids):
        parts = zip(row.pieces, row.segments, strict=True)
        actual = bytearray(b"".join(bytes([segment.label]) * len(ids) for ids, segment in parts))
    else:
        actual = _mask_by_characters(row)
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
        made.widened += should > is_
    return None


def _mask_by_characters(row: Row) -> bytearray:
    covered: list[tuple[int, bool]] = []
    position = 0
    for segment in row.segments:
        position += len(segment.text)
        covered.append((position, segment.label))
    ends = iter(covered)
    end, label = next(ends)
    mask = bytearray()
    for token_end in row.whole.ends:
        while token_end > end:
            end, label = next(ends)
        mask.append(label)
    return mask


def _wrong(row: Row, tokenizer: Tokenizer, index: int, trained: bool) -> Problem:
    token = repr(tokenizer.piece(row.whole.ids[index]))
    how = "is trained and must not be" if trained else "is masked and must be trained"
    return _problem(row, "mask", row.whole.starts[index], f"token {index} {token} {how}")


def _bos(row: Row, template: ChatTemplate, tokenizer: Tokenizer) -> Problem | None:
    """Once at the beginning iff the model's own rows begin with it. A template may begin with the same string as part
    of its first header (SmolLM2's BOS is `<|im_start|>`): what it writes when it is given no BOS does not count."""
    bos = tokenizer.bos_token
    if not bos:
        return None
    roles = tuple(turn.role for turn in row.conversation.turns)
    bare = scaffold(replace(template, bos_token=""), roles)[0]
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


def _turn_end(row: Row) -> Problem | None:
    """A trained answer ends with the end-of-turn; that its tokens are trained is part of the mask's proof."""
    for index, turn in enumerate(row.conversation.turns):
        start, text_end, end = render_span(row, index)
        if turn.role == "assistant" and turn.train and not row.text[text_end:end].strip():
            return _problem(row, "turn_end", text_end, f"nothing ends message {index + 1}: the model would not stop")
    return None


def render_span(row: Row, index: int) -> tuple[int, int, int]:
    """(start, end of the text, end of its end-of-turn) of message `index`."""
    messages = [zone for zone in row.places if zone.kind == "message"]
    zone = messages[index]
    after = next((each for each in row.places if each.start == zone.end), None)
    return zone.start, zone.end, after.end if after is not None and after.kind == "end" else zone.end


def _special(row: Row, tokenizer: Tokenizer) -> Problem | None:
    if tokenizer.special.isdisjoint(row.whole.ids):
        return None
    for zone in row.places:
        if zone.kind == "message":
            for index in range(*touching(zone, row.whole).indices(len(row.whole.ids))):
                token = row.whole.ids[index]
                if token in tokenizer.special and row.whole.starts[index] >= zone.start:
                    detail = f"the message's own text becomes the control token {tokenizer.piece(token)}"
                    return _problem(row, "special", row.whole.starts[index], detail)
    return None
