"""The dataset file, row by row, proven to the token. A row that fails is named with its place; a long row is counted
and listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import InputError
from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.proofs import MaskProblem, Proof, ProofRow, prove, widened
from augment_correction.export.segments import Segment, answer_end, render, zones
from augment_correction.export.tokenizer import Tokenizer
from augment_correction.export.verify_files import FileProof
from augment_correction.records import Conversation

LISTED = 20
"""Failing rows kept for each proof, and over-long rows: enough to see what is wrong; the counts are of all."""
BATCH = 512


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
    problems: list[MaskProblem] = field(default_factory=list)
    too_long: int = 0
    long_rows: list[tuple[int, str, int]] = field(default_factory=list)
    """(row, id, tokens)"""
    notices: list[str] = field(default_factory=list)
    whole: bool = False
    """The Axolotl configs train on the chat_template spelling: a seam of the segments then harms nobody."""
    files: list[FileProof] = field(default_factory=list)
    """The Axolotl configs and the exports that are there, where these were looked at."""

    @property
    def wrong(self) -> bool:
        return any(self.harmful(proof) for proof in self.failing) or any(each.failing for each in self.files)

    def harmful(self, proof: Proof) -> bool:
        return not (self.whole and proof == "seam")

    def as_json(self) -> dict[str, Any]:
        """For `run.json`."""
        names = ("tokenizer", "rows", "trained", "masked", "longest", "sequence_len", "too_long", "whole")
        return {**{name: getattr(self, name) for name in names}, "failing": dict(self.failing)}

    def note(self, problem: MaskProblem) -> None:
        if self.failing[problem.proof] < LISTED:
            self.problems.append(problem)
        self.failing[problem.proof] += 1


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
        for problem in prove(row, tokenizer):
            made.note(problem)
    if not made.rows:
        raise InputError(f"{file} has no rows", hint="the run kept no conversation; rejected.jsonl lists the reasons")
    return made


def read_rows(
    file: Path, conversations: Iterable[Conversation], template: ChatTemplate, tokenizer: Tokenizer
) -> Iterator[ProofRow]:
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
                    hint="run the same config again: finished calls are not repeated",
                )
            stored.append(segments[1])
            made.append(conversation)
        yield from tokenised(made, stored, template, tokenizer, number)
        number += len(made)


def tokenised(
    conversations: Sequence[Conversation],
    stored: Sequence[list[Segment]],
    template: ChatTemplate,
    tokenizer: Tokenizer,
    before: int = 0,
) -> Iterator[ProofRow]:
    """Conversations with their segments as rows that can be proven, numbered after the ones `before`."""
    renderings = [render(conversation, template) for conversation in conversations]
    wholes = tokenizer.encode([rendering.text for rendering in renderings])
    pieces = iter(tokenizer.ids([segment.text for segments in stored for segment in segments]))
    rows = zip(conversations, renderings, stored, wholes, strict=True)
    for number, (conversation, rendering, segments, whole) in enumerate(rows, before + 1):
        own = [next(pieces) for _ in segments]
        places = zones(conversation, rendering)
        yield ProofRow(number, conversation, rendering.text, places, segments, whole, own, rendering.spans, template)


def _file_rows(file: Path) -> Iterator[tuple[str, list[Segment]]]:
    """One row a line between two lines of brackets, as the run writes them, so that a file of any size fits.

    Raises: InputError with the line where it is not.
    """
    with file.open("rb") as lines:
        if next(lines, b"").strip() != b"[":
            raise _damaged(file, 1, "a list of rows begins with a line that holds [ alone")
        number, more = 1, True
        for number, line in enumerate(lines, 2):
            bare = line.strip()
            if bare == b"]":
                break
            if not more:
                raise _damaged(file, number - 1, "no comma ends this row, and another one follows")
            more = bare.endswith(b",")
            yield _file_row(file, number, bare.removesuffix(b","))
        else:
            raise _damaged(file, number, "the file is cut off here: the closing ] is missing")
        if more and number > 2:
            raise _damaged(file, number - 1, "a comma ends this row, and no other one follows")
        if rest := next((line for line in lines if line.strip()), b""):
            raise _damaged(file, number + 1, f"something follows the closing ]: {rest[:40]!r}")


def _file_row(file: Path, line: int, text: bytes) -> tuple[str, list[Segment]]:
    try:
        row = orjson.loads(text)
        id_, parts = row["id"], [(part["text"], part["label"]) for part in row["segments"]]
    except (ValueError, KeyError, TypeError):
        raise _damaged(file, line, "not a row as the run writes it (one a line)") from None
    for index, (words, label) in enumerate(parts):
        place = f"row {line - 1}, segments[{index}]"
        if not isinstance(label, bool):
            told = orjson.dumps(label).decode()
            raise _damaged(file, line, f"{place}.label is {told}, and must be true (trained) or false (masked)")
        if not isinstance(words, str):
            raise _damaged(file, line, f"{place}.text is {orjson.dumps(words).decode()[:40]}, and must be a text")
    return str(id_), [Segment(words, label) for words, label in parts]


def _damaged(file: Path, line: int, what: str) -> InputError:
    return InputError(
        f"{file}:{line}: {what}",
        hint="it was changed or is of an older version; run the same config again: finished calls are not repeated",
    )


def _count(made: Verification, row: ProofRow) -> None:
    tokens = sum(map(len, row.pieces))
    made.rows += 1
    trained = sum(len(ids) for ids, segment in zip(row.pieces, row.segments, strict=True) if segment.label)
    made.trained += trained
    made.masked += tokens - trained
    made.widened += widened(row)
    made.longest = max(made.longest, tokens)
    if tokens > made.sequence_len:
        made.too_long += 1
        if len(made.long_rows) < LISTED:
            made.long_rows.append((row.number, row.conversation.id, tokens))


def _notices(template: ChatTemplate, tokenizer: Tokenizer) -> Iterator[str]:
    ending = answer_end(template).strip()
    if ending and not tokenizer.is_special(ending):
        pieces = len(tokenizer.ids([ending])[0])
        yield (
            f"the template ends a turn with {ending!r}, which is not a control token of {tokenizer.name} but {pieces} "
            "plain ones: stop generation at that text"
        )
