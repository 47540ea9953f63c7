"""The files that trainers read beside the dataset, row by row: each row must be the one that the run's conversation gives in
that spelling, and none may be wanting."""

from __future__ import annotations

import filecmp
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import orjson

from augment_correction.errors import InputError, MissingExtra
from augment_correction.export.exporting import placed, write_format
from augment_correction.export.source import ExpectedRows, ExportSource, Spelling
from augment_correction.export.tokenizer import Tokenizer
from augment_correction.export_formats import FORMATS
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
    sentence. `skipped` says why nothing was compared, where nothing was."""

    path: Path
    remedy: str
    rows: int = 0
    failing: Counter[Kind] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    skipped: str = ""
    unchanged: str = "unchanged since the run wrote it"
    """What is told of a file without rows in which nothing is wrong."""

    def note(self, fault: Fault) -> None:
        if self.failing[fault.kind] < LISTED:
            self.faults.append(fault)
        self.failing[fault.kind] += 1


def verify_export(name: str, folder: Path, source: ExportSource, tokenizer: Tokenizer) -> FileProof:
    """Raises: MissingExtra where Parquet is to be read and pyarrow is not installed."""
    remedy = f"write it again: python -m augment_correction export OUTPUT_DIR --format {name}"
    form = FORMATS.get(name)
    if form is None:
        return FileProof(
            folder, remedy, skipped=f"no export format is named '{name}' here; install the plugin that brings it"
        )
    if not form.compare:
        return FileProof(folder, remedy, skipped=f"the format '{name}' was registered with compare=False")
    if not form.rows:
        made = FileProof(folder, remedy, unchanged="the same as it is written now")
        return written_again(name, made, replace(source, tokenizer=tokenizer))
    expected = placed(form.rows)
    if not isinstance(expected, Spelling):
        expected = expected(source, tokenizer, folder)
    made = FileProof(folder / expected.file, remedy)
    if not made.path.is_file():
        made.note(Fault("missing", 0, "", "the file is missing"))
        return made
    for fault in _row_faults(made, _expected(expected, source)):
        made.note(fault)
    return made


def written_again(name: str, made: FileProof, source: ExportSource) -> FileProof:
    """A format of which nothing is known here but that it writes the same of the same conversations."""
    with TemporaryDirectory() as place:
        again = Path(place)
        try:
            write_format(name, source, again)
        except InputError as failure:
            made.skipped = f"it could not be written again: {failure.message}"
            return made
        names = {path.relative_to(root) for root in (again, made.path) for path in root.rglob("*") if path.is_file()}
        for each in sorted(names):
            for fault in _again_faults(made, again / each, made.path / each, each):
                made.note(fault)
    return made


def _again_faults(made: FileProof, should: Path, is_: Path, name: Path) -> Iterator[Fault]:
    if not is_.is_file():
        yield Fault("missing", 0, "", f"{name} is missing")
    elif not should.is_file():
        yield Fault("rows", 0, "", f"{name} is not written by this format")
    elif name.suffix == ".jsonl":
        yield from _line_faults(made, should, is_, name)
    elif not filecmp.cmp(should, is_, shallow=False):
        yield Fault("text", 0, "", f"{name} differs from what the format writes now")


def _line_faults(made: FileProof, should: Path, is_: Path, name: Path) -> Iterator[Fault]:
    for expected, found in zip_longest(stored_rows(should), stored_rows(is_), fillvalue=ABSENT):
        if found is ABSENT:
            yield Fault("rows", made.rows + 1, "", f"{name} ends before this row")
            return
        made.rows += 1
        if expected is ABSENT:
            yield Fault(
                "rows", made.rows, "", f"the run has no conversation for this row of {name} and the rows after it"
            )
            return
        id_ = str(expected.get("id", "")) if isinstance(expected, dict) else ""
        if isinstance(found, ValueError):
            yield Fault("form", made.rows, id_, f"the line of {name} is not JSON: {found}")
        elif fault := _difference(made.rows, id_, expected, found):
            yield fault


def _expected(
    should: Spelling | ExpectedRows, source: ExportSource
) -> Iterator[tuple[Conversation, dict[str, Any], str]]:
    """Each conversation with its row, and why the row may not be there; "" where it has to be."""
    if isinstance(should, Spelling):
        for conversation in source.conversations():
            row = orjson.loads(orjson.dumps(should.row(conversation)))
            yield conversation, row, "" if should.sayable(conversation) else should.why
    else:
        for conversation, rows in should.rows:
            yield from ((conversation, row, "") for row in rows)


def _row_faults(made: FileProof, expected: Iterable[tuple[Conversation, dict[str, Any], str]]) -> Iterator[Fault]:
    """Ends at the first row that is not where it belongs: all after it would be named for nothing."""
    stored = stored_rows(made.path)
    found = next(stored, ABSENT)
    for conversation, row, why in expected:
        if found is ABSENT:
            if why:
                continue
            yield Fault("rows", made.rows + 1, conversation.id, "the file ends before this row")
            return
        is_json = not isinstance(found, ValueError)
        if is_json and why and not _is_left_in(found, row):
            continue
        made.rows += 1
        if not is_json:
            yield Fault("form", made.rows, conversation.id, f"the line is not JSON: {found}")
        elif why:
            yield Fault("mask", made.rows, conversation.id, f"it masks part of an answer, which {why}")
        elif not _is_row(found, row):
            yield _not_here(made.rows, found, conversation)
            return
        elif fault := _difference(made.rows, conversation.id, row, found):
            yield fault
        found = next(stored, ABSENT)
    if found is not ABSENT:
        yield Fault("rows", made.rows + 1, "", "the run has no conversation for this row and the rows after it")


def stored_rows(path: Path) -> Iterator[Any]:
    """What a .jsonl or .parquet file holds; in the place of a line that is not JSON, its error."""
    if path.suffix == ".parquet":
        yield from _parquet_rows(path)
        return
    with path.open("rb") as lines:
        for line in lines:
            if line.strip():
                try:
                    yield orjson.loads(line)
                except ValueError as failure:
                    yield failure


def _is_row(row: Any, expected: dict[str, Any]) -> bool:
    """By its id; in a spelling without ids, by its place."""
    return isinstance(row, dict) and row.get("id") == expected.get("id")


def _is_left_in(row: Any, expected: dict[str, Any]) -> bool:
    return _is_row(row, expected) if "id" in expected else bool(row == expected)


def _not_here(number: int, row: Any, conversation: Conversation) -> Fault:
    found = row.get("id") if isinstance(row, dict) else type(row).__name__
    detail = f"the run's conversation here is {conversation.id}: the file is of another run, or rows were moved"
    return Fault("rows", number, str(found), detail)


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("reading Parquet", "parquet") from None
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(512):
            yield from batch.to_pylist()


def _difference(number: int, id_: str, expected: Any, found: Any) -> Fault | None:
    """The first one of the mask, else the first one."""
    unlike = list(differences(expected, found))
    if not unlike:
        return None
    of_mask = next((each for each in unlike if _of_mask(each[0])), None)
    path, is_, should = of_mask or unlike[0]
    detail = f"{path} is {told(is_)}, and the run's is {told(should)}"
    return Fault("mask" if of_mask else "text", number, id_, detail)


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
