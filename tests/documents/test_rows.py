from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.documents import ReadLimits
from augment_correction.documents.rows import USUAL_NAMES, TableRow, documents_of_rows, text_column
from augment_correction.records import Document, ReadNote, UnreadInput

from .files import notes, read


def made(rows: list[Mapping[str, Any]], *keys: str) -> list[Document | UnreadInput | ReadNote]:
    numbered = (TableRow(f"t.csv#L{number}", row) for number, row in enumerate(rows, 1))
    return list(documents_of_rows(numbered, source="t.csv", media_type="text/csv", text_key=keys))


def test_text_is_the_document_and_the_rest_its_metadata() -> None:
    [found] = made([{"text": "one\r\n", "title": "T", "n": 1}])
    assert isinstance(found, Document)
    assert (found.text, found.title, found.metadata, found.source) == ("one\n", "T", {"title": "T", "n": 1}, "t.csv#L1")
    assert found.media_type == "text/csv"


@pytest.mark.parametrize("name", [*USUAL_NAMES[1:], "Text", "BODY"])
def test_a_usual_name_that_every_row_has_is_found_and_said(name: str) -> None:
    note, first, second = made([{name: "one", "id": 1}, {name: "two", "id": 2}])
    assert isinstance(note, ReadNote) and isinstance(first, Document) and isinstance(second, Document)
    assert (first.text, second.text, first.metadata) == ("one", "two", {"id": 1})
    assert (note.source, note.reason) == ("t.csv", "text_key")
    assert f'"{name}"' in note.detail and "path.text_key" in note.detail


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ([{"content": "a"}, {"text": "b", "content": "c"}], "text"),  # any row with a "text" decides
        ([{"content": "a"}, {"body": "b"}], "text"),  # no name that all rows have
        ([{"body": "b", "content": "a"}], "content"),  # the first of the usual names
        ([{"content": None, "body": "b"}], "body"),  # there, but nowhere a text
        ([{"content": ""}, {"content": "a"}], "content"),
        ([{"text": None, "content": "a"}], "content"),
        ([{"summary": "a"}], "text"),
        ([], "text"),
    ],
)
def test_which_column_is_taken(rows: list[Mapping[str, Any]], column: str) -> None:
    assert text_column(rows) == column


def test_the_user_says_which_column() -> None:
    found = made([{"text": "no", "answer": "yes"}, {"reply": "also"}, {"text": "no"}], "answer", "reply")
    assert [each.text for each in found if isinstance(each, Document)] == ["yes", "also"]
    [unread] = [each for each in found if isinstance(each, UnreadInput)]
    assert (unread.source, unread.reason) == ("t.csv#L3", "no_text")
    assert unread.detail == 'no "answer" or "reply"; it has "text": set path.text_key to the one that holds the text'


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "is empty"),
        (float("nan"), "is empty"),
        (7, "holds a number"),
        (["x"], "holds a list"),
        ({}, "holds an object"),
    ],
)
def test_a_text_that_is_none(value: object, said: str) -> None:
    [found, kept] = made([{"text": value}, {"text": "good"}])
    assert isinstance(found, UnreadInput) and isinstance(kept, Document)
    assert found.reason == "no_text" and said in found.detail


def test_what_is_no_row_passes_through_in_its_place() -> None:
    broken, note = UnreadInput("t.csv#L2", "bad_row", "cut off"), ReadNote("t.csv", "comments", "comment lines", 3)
    rows = [TableRow("t.csv#L1", {"body": "a"}), broken, TableRow("t.csv#L3", {"body": "b"}), note]
    found = list(documents_of_rows(iter(rows), source="t.csv", media_type="text/csv"))
    assert found[2] is broken and found[4] is note
    assert [each.text for each in found if isinstance(each, Document)] == ["a", "b"]


def test_a_column_that_later_rows_lack_costs_those_rows() -> None:
    rows: list[Mapping[str, Any]] = [{"content": f"text {number}"} for number in range(1500)]
    found = made([*rows, {"body": "late"}])
    assert sum(isinstance(each, Document) for each in found) == 1500
    assert [each.source for each in found if isinstance(each, UnreadInput)] == ["t.csv#L1501"]


def test_through_a_file(tmp_path: Path) -> None:
    rows = [{"content": "one", "reply": "eins"}, {"content": "two", "reply": "zwei"}]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
    assert [document.text for document in read(tmp_path)[0]] == ["one", "two"]
    assert [note.source for note in notes(tmp_path)] == ["a.jsonl"]
    assert [document.text for document in read(tmp_path, ReadLimits(text_key=("reply",)))[0]] == ["eins", "zwei"]
    assert not notes(tmp_path, ReadLimits(text_key=("reply",)))


@given(st.lists(st.dictionaries(st.sampled_from([*USUAL_NAMES, "id"]), st.none() | st.text() | st.integers())))
def test_every_row_is_read_or_told(rows: list[dict[str, Any]]) -> None:
    found = [each for each in made([*rows]) if not isinstance(each, ReadNote)]
    assert [each.source for each in found] == [f"t.csv#L{number}" for number in range(1, len(rows) + 1)]
