"""The files that trainers read beside the dataset, row by row: each row must be the one that the run's conversation gives in
that spelling, and none may be wanting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, Literal

import orjson

from augment_correction.errors import MissingExtra
from augment_correction.export import axolotl_chat, hf, openai, sharegpt, trl, trl_pairs
from augment_correction.export.source import ExportSource, Spelling
from augment_correction.export.tokenizer import Tokenizer
from augment_correction.records import Conversation

Kind = Literal["missing", "rows", "text", "mask", "form", "config"]

LISTED = 20
MASK_KEYS = {"train", "weight", "masked", "labels", "label"}


@dataclass(frozen=True, slots=True)
class Fault:
    """`row` counts from 1; 0 where it is of the whole file."""

    kind: Kind
    row: int
    id: str
    detail: str


@dataclass
class FileProof:
    """`failing` counts rows by what is wrong with them, `faults` are the first of each kind. `remedy` is the whole
    sentence."""

    path: Path
    remedy: str
    rows: int = 0
    failing: Counter[Kind] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)

    def note(self, fault: Fault) -> None:
        if self.failing[fault.kind] < LISTED:
            self.faults.append(fault)
        self.failing[fault.kind] += 1


def verify_export(name: str, folder: Path, source: ExportSource, tokenizer: Tokenizer) -> FileProof:
    """Raises: MissingExtra where Parquet is to be read and pyarrow is not installed."""
    remedy = f"write it again: python -m augment_correction export OUTPUT_DIR --format {name}"
    if name == "trl" and not (folder / trl.MESSAGES_FILE).is_file():
        made = FileProof(folder / trl.FILE, remedy)
        found = _parquet_faults(made, source, tokenizer)
    elif name in trl_pairs.ROWS:
        made = FileProof(folder / trl_pairs.FILE, remedy)
        found = _pair_faults(made, trl_pairs.ROWS[name](source))
    else:
        spelling = _spelling(name, source, tokenizer)
        made = FileProof(folder / spelling.file, remedy)
        found = _json_faults(made, spelling, source)
    if not made.path.is_file():
        made.note(Fault("missing", 0, "", "the file is missing"))
        return made
    for fault in found:
        made.note(fault)
    return made


def _spelling(name: str, source: ExportSource, tokenizer: Tokenizer) -> Spelling:
    if name == "axolotl_chat":
        return axolotl_chat.spelling(source.template, tokenizer)
    return {"openai": openai.SPELLING, "sharegpt": sharegpt.SPELLING, "hf": hf.SPELLING, "trl": trl.MESSAGES}[name]


def _json_faults(made: FileProof, spelling: Spelling, source: ExportSource) -> Iterator[Fault]:
    """Ends at the first row that is not where it belongs: all after it would be named for nothing."""
    with made.path.open("rb") as lines:
        stored: Iterator[bytes] = (line for line in lines if line.strip())
        for conversation in source.conversations():
            sayable = spelling.sayable(conversation)
            expected = orjson.loads(orjson.dumps(spelling.row(conversation)))
            line = next(stored, None)
            if line is None:
                if sayable:
                    yield Fault("rows", made.rows + 1, conversation.id, "the file ends before this row")
                    return
                continue
            try:
                row: Any = orjson.loads(line)
            except ValueError as failure:
                made.rows += 1
                yield Fault("form", made.rows, conversation.id, f"the line is not JSON: {failure}")
                continue
            if not sayable and not _is_left_in(row, expected):
                stored = chain([line], stored)
                continue
            made.rows += 1
            if not sayable:
                yield Fault("mask", made.rows, conversation.id, f"it masks part of an answer, which {spelling.why}")
            elif not _is_row(row, expected):
                yield _not_here(made.rows, row, conversation)
                return
            elif fault := _difference(made.rows, conversation, expected, row):
                yield fault
        if next(stored, None) is not None:
            yield Fault("rows", made.rows + 1, "", "the run has no conversation for this row and the rows after it")


def _pair_faults(made: FileProof, expected: Iterable[tuple[Conversation, list[dict[str, Any]]]]) -> Iterator[Fault]:
    """Several rows may be of one conversation, or none."""
    with made.path.open("rb") as lines:
        stored: Iterator[bytes] = (line for line in lines if line.strip())
        for conversation, row in ((conversation, row) for conversation, rows in expected for row in rows):
            line = next(stored, None)
            if line is None:
                yield Fault("rows", made.rows + 1, conversation.id, "the file ends before this row")
                return
            made.rows += 1
            try:
                found: Any = orjson.loads(line)
            except ValueError as failure:
                yield Fault("form", made.rows, conversation.id, f"the line is not JSON: {failure}")
                continue
            if not _is_row(found, row):
                yield _not_here(made.rows, found, conversation)
                return
            if fault := _difference(made.rows, conversation, row, found):
                yield fault
        if next(stored, None) is not None:
            yield Fault("rows", made.rows + 1, "", "the run has no conversation for this row and the rows after it")


def _is_row(row: Any, expected: dict[str, Any]) -> bool:
    """By its id; in a spelling without ids, by its place."""
    return isinstance(row, dict) and row.get("id") == expected.get("id")


def _is_left_in(row: Any, expected: dict[str, Any]) -> bool:
    return _is_row(row, expected) if "id" in expected else bool(row == expected)


def _not_here(number: int, row: Any, conversation: Conversation) -> Fault:
    found = row.get("id") if isinstance(row, dict) else type(row).__name__
    detail = f"the run's conversation here is {conversation.id}: the file is of another run, or rows were moved"
    return Fault("rows", number, str(found), detail)


def _parquet_faults(made: FileProof, source: ExportSource, tokenizer: Tokenizer) -> Iterator[Fault]:
    stored = _parquet_rows(made.path)
    for conversation, row in zip_longest(source.conversations(), stored):
        if row is None:
            yield Fault("rows", made.rows + 1, conversation.id, "the file ends before this row")
            return
        made.rows += 1
        if conversation is None:
            yield Fault("rows", made.rows, "", "the run has no conversation for this row and the rows after it")
            return
        if row.get("id") != conversation.id:
            yield _not_here(made.rows, row, conversation)
            return
        expected = next(trl.token_rows(source, tokenizer, [conversation]))
        if fault := _difference(made.rows, conversation, expected, row):
            yield fault


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("reading Parquet", "parquet") from None
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(512):
            yield from batch.to_pylist()


def _difference(number: int, conversation: Conversation, expected: Any, found: Any) -> Fault | None:
    """The first one of the mask, else the first one."""
    unlike = list(differences(expected, found))
    if not unlike:
        return None
    of_mask = next((each for each in unlike if _of_mask(each[0])), None)
    path, is_, should = of_mask or unlike[0]
    detail = f"{path} is {told(is_)}, and the run's is {told(should)}"
    return Fault("mask" if of_mask else "text", number, conversation.id, detail)


def _of_mask(path: str) -> bool:
    return path.rpartition(".")[2].partition("[")[0] in MASK_KEYS


ABSENT = object()


def differences(expected: Any, found: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(place, found, expected) wherever two values from JSON differ; `ABSENT` for what one of them lacks. True is not 1."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in {**expected, **found}:
            here = f"{path}.{name}" if path else str(name)
            yield from differences(expected.get(name, ABSENT), found.get(name, ABSENT), here)
    elif isinstance(expected, list) and isinstance(found, list):
        for index, (one, other) in enumerate(zip_longest(expected, found, fillvalue=ABSENT)):
            yield from differences(one, other, f"{path}[{index}]")
    elif type(expected) is not type(found) or expected != found:
        yield path, found, expected


def told(value: Any) -> str:
    if value is ABSENT:
        return "absent"
    text = orjson.dumps(value, default=str).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."
